import { where } from "@robgrad/tensor";
import { checkRate, checkSteps, schedule, type Schedule } from "./schedule.js";

/**
 * A rate that rises evenly to the first value of another one, which follows.
 *
 *   α(t) = then(0) (t + 1)/steps   for t < steps,   then(t − steps)   afterwards
 *
 * @param steps  Updates of the rise, a whole number ≥ 1.
 * @param then   A schedule, or a number that stays.
 * @returns      A schedule.
 * @throws       BAD_ARGUMENT for values out of range.
 * @see          P. Goyal et al. (2017), Accurate, large minibatch SGD, §2.2.
 * @example      const optimizer = adam({ stepSize: warmUp({ steps: 100, then: cosine({ from: 0.01, steps: 900 }) }) });
 */
export function warmUp({ steps, then }: { readonly steps: number; readonly then: number | Schedule }): Schedule {
  checkSteps("warmUp", "steps", steps);
  if (typeof then === "number") {
    checkRate("warmUp", "then", then);
    return schedule((t) => t.add(1).div(steps).minimum(1).mul(then));
  }
  return schedule((t) => where(t.less(steps), then(t.mul(0)).mul(t.add(1)).div(steps), then(t.sub(steps).maximum(0))));
}
