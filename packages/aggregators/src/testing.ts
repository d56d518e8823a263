// Needs the optional peer vitest.
import { codedError, openDevice } from "@robgrad/tensor";
import { afterAll, describe, it } from "vitest";
import { checkAggregator } from "./aggregator.js";
import { checksFor } from "./conformance/checks.js";
import type { AggregatorFactory, Claims } from "./conformance/claims.js";
import { Subject } from "./conformance/subject.js";

export type { AggregatorFactory, Claims } from "./conformance/claims.js";

/**
 * Declares the tests of a rule in vitest: what every rule must do, and what its author claims.
 *
 * Every rule: answers with one finite row for gradients of every size, for one and two samples, equal rows and zeros;
 * the same each time and for every form of sample matrix; and leaves the gradients alone.
 *
 * @param factory  Makes the rule; called anew for every check, with the device.
 * @param claims   Symmetries, breakdown point in [0, 1/2], least number of samples.
 * @throws         BAD_PLUGIN when the factory makes something else, BAD_ARGUMENT for a breakdown point out of range.
 * @example
 * ```ts ignore
 * aggregatorSuite(() => trimmedMean({ fraction: 0.2 }), { permutationInvariant: true, breakdownPoint: 0.2 });
 * ```
 */
export function aggregatorSuite(factory: AggregatorFactory, claims: Claims = {}): void {
  const { breakdownPoint = 0, device: name = "cpu" } = claims;
  if (!(breakdownPoint >= 0 && breakdownPoint <= 0.5)) {
    throw codedError("BAD_ARGUMENT", `aggregatorSuite: expected breakdownPoint in [0, 0.5], found ${breakdownPoint}`);
  }
  describe("aggregatorSuite", async () => {
    const device = await openDevice(name);
    afterAll(() => device.dispose());
    const rule: unknown = factory(device);
    checkAggregator("aggregatorSuite", rule);
    describe(rule.label, () => {
      const subject = new Subject(device, factory, claims);
      for (const check of checksFor(claims)) it(check.name, () => check.run(subject));
    });
  });
}
