/**
 * A suite of laws for rules of your own. Needs the optional peer vitest.
 *
 * @module
 */

import { codedError, hasCode, openDevice, type Device, type DeviceName } from "@robgrad/tensor";
import { afterAll, describe, it } from "vitest";
import { checkAggregator } from "./aggregator.js";
import { checksFor } from "./conformance/checks.js";
import type { AggregatorFactory, Claims } from "./conformance/claims.js";
import { Subject } from "./conformance/subject.js";

export type { AggregatorFactory, Claims } from "./conformance/claims.js";

/** The device, or why it does not open. */
async function openOrReason(name: DeviceName): Promise<Device | string> {
  try {
    return await openDevice(name);
  } catch (error) {
    if (hasCode(error, "DEVICE_UNAVAILABLE")) return error.message;
    throw error;
  }
}

/**
 * Declares the tests of a rule in vitest: what every rule must do, and what its author claims.
 *
 * Every rule: answers with one finite row for gradients of every size, for one and two samples, equal rows and zeros;
 * the same each time, for every form of sample matrix, on every device that opens and from a captured step; almost the
 * same in float32 as in float64; and leaves the gradients alone. A device that does not open is a skipped test.
 *
 * @param factory  Makes the rule; called anew for every check, with the device.
 * @param claims   Symmetries, breakdown point in [0, 1/2], bias under ByzFL's nine attacks, memory, numbers of samples.
 * @throws         BAD_PLUGIN when the factory makes something else, BAD_ARGUMENT for a breakdown point out of range or a
 *                 bias without one.
 * @example
 * ```ts ignore
 * aggregatorSuite(() => trimmedMean({ fraction: 0.2 }), { permutationInvariant: true, breakdownPoint: 0.2 });
 * ```
 */
export function aggregatorSuite(factory: AggregatorFactory, claims: Claims = {}): void {
  const { breakdownPoint = 0, bias, device: name = "cpu" } = claims;
  if (!(breakdownPoint >= 0 && breakdownPoint <= 0.5)) {
    throw codedError("BAD_ARGUMENT", `aggregatorSuite: expected breakdownPoint in [0, 0.5], found ${breakdownPoint}`);
  }
  if (bias !== undefined && !(bias >= 0 && breakdownPoint > 0)) {
    throw codedError(
      "BAD_ARGUMENT",
      `aggregatorSuite: expected bias ≥ 0 beside a breakdownPoint > 0, found ${bias} and ${breakdownPoint}`,
    );
  }
  describe("aggregatorSuite", async () => {
    const device = await openDevice(name);
    const others = new Map<DeviceName, Device>();
    afterAll(() => [device, ...others.values()].forEach((opened) => opened.dispose()));
    const rule: unknown = factory(device);
    checkAggregator("aggregatorSuite", rule);
    const missing = new Map<DeviceName, string>();
    for (const { device: other } of checksFor(claims)) {
      if (other === undefined) continue;
      const opened = await openOrReason(other);
      if (typeof opened === "string") missing.set(other, opened);
      else others.set(other, opened);
    }
    describe(rule.label, () => {
      const subject = new Subject(device, factory, claims, others);
      for (const check of checksFor(claims)) {
        it(check.name, { timeout: 120_000 }, async ({ skip }) => {
          const reason = check.device === undefined ? undefined : missing.get(check.device);
          if (reason !== undefined) skip(reason);
          await check.run(subject);
        });
      }
    });
  });
}
