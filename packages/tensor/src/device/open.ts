import { codedError, hasCode } from "../errors.js";
import { Device, type DeviceName } from "./device.js";
import type { Executor } from "./executor.js";

/** How a device is opened. */
export interface DeviceOptions {
  /** Most bytes that tensors and cells may hold; more throws MEMORY_LIMIT. */
  readonly memoryLimit?: number;
  /** cpu only: walk kernels instead of compiling them, as a content security policy without 'unsafe-eval' forces. */
  readonly interpret?: boolean;
  /** wasm only: round sums of products once, where the engine can; results then differ between machines in the last digits. */
  readonly relaxed?: boolean;
  /**
   * wasm only: how many threads share large kernels, 1 unless given. More than one needs shared memory: in browsers a
   * page that is cross-origin isolated; elsewhere one thread does everything, which is said once. Results are the same.
   */
  readonly threads?: number;
  /** wasm only: where `@robgrad/tensor/worker.js` is served, for pages that forbid workers made of text (`blob:`). */
  readonly workerUrl?: string | URL;
}

/** As many threads as parts of one kernel can be told apart. */
const mostThreads = 64;

const preference: readonly DeviceName[] = ["webgpu", "wasm", "cpu"];

/** @param alone  No other device is asked for, should this one be missing or slow. */
async function openExecutor(name: DeviceName, options: DeviceOptions, alone: boolean): Promise<Executor> {
  switch (name) {
    case "cpu": {
      const { CpuExecutor } = await import("./cpu/device.js");
      return new CpuExecutor(options.interpret === undefined ? {} : { interpret: options.interpret });
    }
    case "wasm": {
      const { WasmExecutor } = await import("./wasm/device.js");
      return WasmExecutor.open(options);
    }
    case "webgpu": {
      const { openWebGpu } = await import("./webgpu/adapter.js");
      return openWebGpu(alone);
    }
    default:
      throw codedError(
        "BAD_ARGUMENT",
        `openDevice: expected ${preference.map((known) => `"${known}"`).join(", ")} or a list of them, found ${JSON.stringify(name)}`,
      );
  }
}

/**
 * Opens a device: the first of webgpu, wasm and cpu that works, or the one (or first of those) named. An adapter that
 * computes on the CPU is taken for webgpu only where that is the one name: wasm is much faster there.
 *
 * @param name     A name or a list in order of preference.
 * @param options  `memoryLimit` in bytes; `interpret` for cpu; `relaxed`, `threads` and `workerUrl` for wasm.
 * @returns        The device; `dispose` ends it.
 * @throws         DEVICE_UNAVAILABLE with every reason when none opens, BAD_ARGUMENT for an unknown name or an impossible number.
 * @example        const cpu = await openDevice("cpu"); cpu.dispose();
 */
export async function openDevice(
  name: DeviceName | readonly DeviceName[] = preference,
  options: DeviceOptions = {},
): Promise<Device> {
  const { memoryLimit, threads } = options;
  if (memoryLimit !== undefined && !(memoryLimit > 0)) {
    throw codedError("BAD_ARGUMENT", `openDevice: expected memoryLimit > 0 bytes, found ${memoryLimit}`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) {
    throw codedError(
      "BAD_ARGUMENT",
      `openDevice: expected threads to be a whole number from 1 to ${mostThreads}, found ${threads}`,
    );
  }
  const names = Array.isArray(name) ? (name as readonly DeviceName[]) : [name as DeviceName];
  if (names.length === 0)
    throw codedError("BAD_ARGUMENT", "openDevice: expected at least one name, found an empty list");
  const reasons: string[] = [];
  for (const candidate of names) {
    try {
      return new Device(await openExecutor(candidate, options, names.length === 1), memoryLimit);
    } catch (error) {
      if (!hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
      reasons.push(error.message);
    }
  }
  throw codedError("DEVICE_UNAVAILABLE", `openDevice: none of ${JSON.stringify(names)} opened: ${reasons.join("; ")}`);
}
