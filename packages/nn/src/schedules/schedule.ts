import { codedError, type Scalar } from "@robgrad/tensor";
import type { VaryingRate } from "../optimizers/rate.js";
import { varyingSgd } from "../optimizers/varying-sgd.js";

/** A rate as a function of the number of updates so far, 0 at the first one. `schedule` makes it. */
export interface Schedule extends VaryingRate {
  (step: Scalar): Scalar;
}

/**
 * A rate as a function of the number t of updates so far, which is 0 at the first one. Optimizers keep t in a cell: it
 * moves on in replays of a captured step, is saved with the optimizer's state, and stands still while a fault of the
 * data keeps updates from happening. The formula is evaluated on the device, once per update; a value that is not finite
 * makes the next read reject with BAD_DATA.
 *
 * @param f  A formula of t, in the dtype of the parameters; it may call other schedules.
 * @returns  What optimizers take as a rate.
 * @throws   BAD_ARGUMENT unless f is a function.
 * @example  const optimizer = sgd({ stepSize: schedule((t) => t.add(1).pow(-0.5)) });
 */
export function schedule(f: (step: Scalar) => Scalar): Schedule {
  if (typeof f !== "function") {
    throw codedError("BAD_ARGUMENT", `schedule: expected a function of the step, found ${typeof f}`);
  }
  return Object.assign((step: Scalar) => f(step), { sgd: varyingSgd });
}

/** Throws BAD_ARGUMENT unless a number of updates is a whole number ≥ 1. */
export function checkSteps(subject: string, name: string, steps: number): void {
  if (Number.isInteger(steps) && steps >= 1) return;
  throw codedError("BAD_ARGUMENT", `${subject}: expected ${name} to be a whole number ≥ 1, found ${steps}`);
}

/** Throws BAD_ARGUMENT unless a rate is finite and not negative. */
export function checkRate(subject: string, name: string, rate: number): void {
  if (rate >= 0 && rate < Infinity) return;
  throw codedError("BAD_ARGUMENT", `${subject}: expected a finite ${name} ≥ 0, found ${rate}`);
}
