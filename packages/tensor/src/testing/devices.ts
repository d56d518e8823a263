import { afterAll, describe, it } from "vitest";
import type { Device, DeviceName } from "../device/device.js";
import { openDevice, type DeviceOptions } from "../device/open.js";
import { hasCode } from "../errors.js";
import { memoryReturns } from "./memory.js";

/** What a suite of {@link forEachDevice} runs on. */
export interface DeviceUnderTest {
  readonly device: Device;
  /** The floating dtype of this round. */
  readonly dtype: "float32" | "float64";
  /** Relative spacing of numbers of `dtype` near 1. */
  readonly epsilon: number;
  /** False where kernels are walked, which takes too long for large shapes. */
  readonly compiled: boolean;
}

interface Candidate {
  readonly label: string;
  readonly name: DeviceName;
  readonly options?: DeviceOptions;
}

const candidates: readonly Candidate[] = (
  [
    { label: "cpu, compiled", name: "cpu" },
    { label: "cpu, interpreted", name: "cpu", options: { interpret: true } },
    { label: "wasm", name: "wasm" },
    ...(process.env["ROBGRAD_ONLY"] === "webgpu" ? [{ label: "webgpu", name: "webgpu" as const }] : []),
  ] as readonly Candidate[]
).filter(({ name }) => process.env["ROBGRAD_ONLY"] === undefined || name === process.env["ROBGRAD_ONLY"]);

const epsilons = { float32: 2 ** -23, float64: 2 ** -52 } as const;

async function open({ name, options }: Candidate): Promise<Device | string> {
  try {
    return await openDevice(name, options);
  } catch (error) {
    if (hasCode(error, "DEVICE_UNAVAILABLE")) return error.message;
    throw error;
  }
}

/**
 * Runs a suite on every device that opens here, once for each floating dtype it has. A device that does not open is
 * one skipped test. {@link memoryReturns} holds for every test.
 *
 * @param body     Declares tests; called with an open device.
 * @param options  `dtypes` for suites that depend on one floating dtype or on none.
 * @example
 * ```ts ignore
 * forEachDevice(({ device, dtype }) => {
 *   it("adds", () => expectClose(device.ones([2], { dtype }).add(1), [2, 2]));
 * });
 * ```
 */
export function forEachDevice(
  body: (on: DeviceUnderTest) => void,
  { dtypes = ["float64", "float32"] }: { readonly dtypes?: readonly ("float32" | "float64")[] } = {},
): void {
  for (const candidate of candidates) {
    describe(candidate.label, async () => {
      const device = await open(candidate);
      if (typeof device === "string") {
        it.skip(device, () => {});
        return;
      }
      afterAll(() => device.dispose());
      for (const dtype of dtypes) {
        describe.skipIf(!device.dtypes.includes(dtype))(dtype, () => {
          memoryReturns(device);
          body({ device, dtype, epsilon: epsilons[dtype], compiled: candidate.options?.interpret !== true });
        });
      }
    });
  }
}
