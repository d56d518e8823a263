import { hasCode, openDevice, type Device } from "@robgrad/tensor";

/** A webgpu device; null where there is none, which is an error where the environment says CI=true. */
export async function openWebGpu(): Promise<Device | null> {
  try {
    return await openDevice("webgpu");
  } catch (error) {
    const { process } = globalThis as { readonly process?: { readonly env: Record<string, string | undefined> } };
    if (process?.env["CI"] === "true" || !hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
    return null;
  }
}
