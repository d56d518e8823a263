import { afterEach, beforeEach, expect } from "vitest";
import type { Device } from "../device/device.js";

/**
 * Around every test of the enclosing suite: tensors that the test made are disposed when it ends, after which the
 * device holds as many bytes as before and reports no fault. Cells and generators are the test's to dispose.
 *
 * @param device  The device, or a function that returns it once it is open.
 * @example
 * ```ts ignore
 * describe("matmul", () => {
 *   memoryReturns(device);
 *   it("contracts …", async () => { … });
 * });
 * ```
 */
export function memoryReturns(device: Device | (() => Device)): void {
  const opened = () => (typeof device === "function" ? device() : device);
  let scope: ReturnType<Device["openScope"]>;
  let live = 0;
  beforeEach(() => {
    live = opened().memory().live;
    scope = opened().openScope();
  });
  afterEach(async () => {
    opened().closeScope(scope, new Set());
    expect(opened().memory().live, "bytes held after the test").toBe(live);
    const probe = opened().zeros([]);
    // Rejects when the test has left a fault behind.
    await probe.data().finally(() => probe.dispose());
  });
}
