import { afterAll, describe, expect, it } from "vitest";
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
  /** False where kernels are walked, or printed for an adapter in software: large shapes and many cases take too long. */
  readonly quick: boolean;
}

interface Candidate {
  readonly label: string;
  readonly name: DeviceName;
  readonly options?: DeviceOptions;
}

const candidates: readonly Candidate[] = [
  { label: "cpu, compiled", name: "cpu" },
  { label: "cpu, interpreted", name: "cpu", options: { interpret: true } },
  { label: "wasm", name: "wasm" },
  { label: "webgpu", name: "webgpu" },
];

const { env = {} } =
  (globalThis as { readonly process?: { readonly env?: Record<string, string | undefined> } }).process ?? {};

/** Names of the devices to test, all unless given. */
const chosen = env["ROBGRAD_DEVICES"]?.split(",");

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
 * one skipped test, and one that fails where the environment says CI=true; ROBGRAD_DEVICES=cpu,wasm leaves others out.
 * {@link memoryReturns} holds for every test.
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
    if (chosen !== undefined && !chosen.includes(candidate.name)) continue;
    const quick = candidate.options?.interpret !== true && candidate.name !== "webgpu";
    describe(candidate.label, async () => {
      const device = await open(candidate);
      if (typeof device === "string") {
        if (env["CI"] === "true") it("opens", () => expect.fail(device));
        else it.skip(device, () => {});
        return;
      }
      afterAll(() => device.dispose());
      for (const dtype of dtypes) {
        if (!device.dtypes.includes(dtype)) {
          it.skip(`has no ${dtype}`, () => {});
          continue;
        }
        describe(dtype, () => {
          memoryReturns(device);
          body({ device, dtype, epsilon: epsilons[dtype], quick });
        });
      }
    });
  }
}
