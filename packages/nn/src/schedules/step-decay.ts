import { codedError } from "@robgrad/tensor";
import { checkRate, checkSteps, schedule, type Schedule } from "./schedule.js";

/**
 * A rate that falls by a factor at regular intervals.
 *
 *   α(t) = from · factor^⌊t/every⌋
 *
 * @param from    α(0) ≥ 0.
 * @param factor  In (0, 1]; 0.1 unless given.
 * @param every   Updates between two falls, a whole number ≥ 1.
 * @returns       A schedule.
 * @throws        BAD_ARGUMENT for values out of range.
 * @example       const optimizer = momentum({ stepSize: stepDecay({ from: 0.1, factor: 0.5, every: 200 }) });
 */
export function stepDecay({
  from,
  factor = 0.1,
  every,
}: {
  readonly from: number;
  readonly factor?: number;
  readonly every: number;
}): Schedule {
  checkRate("stepDecay", "from", from);
  checkSteps("stepDecay", "every", every);
  if (!(factor > 0 && factor <= 1)) {
    throw codedError("BAD_ARGUMENT", `stepDecay: expected factor in (0, 1], found ${factor}`);
  }
  return schedule((t) =>
    t
      // Halfway between two whole numbers: a device may divide inexactly.
      .add(0.5)
      .div(every)
      .floor()
      .mul(Math.log(factor))
      .exp()
      .mul(from),
  );
}
