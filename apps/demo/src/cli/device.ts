import { openDevice, type Device, type DeviceName } from "@robgrad/tensor";
import { usageFailure } from "./failure.js";

const names: readonly string[] = ["cpu", "wasm", "webgpu"] satisfies readonly DeviceName[];

/** Opens the device asked for, or the first of wasm and cpu. A small network has no use for a GPU's queue. */
export async function openStudyDevice(name: string | null): Promise<Device> {
  if (name === null) return openDevice(["wasm", "cpu"]);
  if (!names.includes(name))
    throw usageFailure(`--device: expected one of ${names.join(", ")}, found ${JSON.stringify(name)}`);
  return openDevice(name as DeviceName);
}
