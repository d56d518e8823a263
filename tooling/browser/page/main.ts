import { hasCode, openDevice, type DeviceOptions } from "@robgrad/tensor";
import { train, type Trained } from "./train.js";

/** What the page found: its devices, or why there is none, and what they computed. */
export interface Found {
  readonly isolated: boolean;
  /** The device that `openDevice()` chooses. */
  readonly preferred: string;
  readonly wasm: Trained | { readonly code: string; readonly message: string };
  /** Violations of the policy that training on wasm has reported. */
  readonly violationsOnWasm: readonly string[];
  /** On cpu with `interpret`. */
  readonly interpreted: Trained;
  readonly violationsWhenInterpreted: readonly string[];
  readonly cpu: Trained;
  /** Violations of the policy until cpu has trained. */
  readonly violations: readonly string[];
}

const violations: string[] = [];
document.addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
});

/** Violations are reported in tasks of their own. */
const reported = async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return [...violations];
};

async function onWasm(): Promise<Found["wasm"]> {
  try {
    const device = await openDevice("wasm");
    const trained = await train(device);
    device.dispose();
    return trained;
  } catch (error) {
    if (!hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
    return { code: error.code, message: error.message };
  }
}

async function onCpu(options: DeviceOptions): Promise<Trained> {
  const device = await openDevice("cpu", options);
  const trained = await train(device);
  device.dispose();
  return trained;
}

async function look(): Promise<Found> {
  const wasm = await onWasm();
  const violationsOnWasm = await reported();
  const interpreted = await onCpu({ interpret: true });
  const violationsWhenInterpreted = (await reported()).slice(violationsOnWasm.length);
  const cpu = await onCpu({});
  const all = await reported();
  const device = await openDevice();
  const preferred = device.name;
  device.dispose();
  return {
    isolated: crossOriginIsolated,
    preferred,
    wasm,
    violationsOnWasm,
    interpreted,
    violationsWhenInterpreted,
    cpu,
    violations: all,
  };
}

const show = (text: string) => {
  (document.querySelector("#found") as HTMLElement).textContent = text;
};
look().then(
  (found) => show(JSON.stringify(found)),
  (error: unknown) => show(JSON.stringify({ error: String(error) })),
);
