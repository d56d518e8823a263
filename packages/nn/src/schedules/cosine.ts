import { checkRate, checkSteps, schedule, type Schedule } from "./schedule.js";

/**
 * Half a wave of a cosine.
 *
 *   α(t) = to + (from − to) (1 + cos(π t/steps)) / 2   until t = steps,   then `to`
 *
 * @param from   α(0) ≥ 0.
 * @param to     What stays, ≥ 0; 0 unless given.
 * @param steps  Updates until then, a whole number ≥ 1.
 * @returns      A schedule.
 * @throws       BAD_ARGUMENT for values out of range.
 * @see          I. Loshchilov, F. Hutter (2017), SGDR: Stochastic gradient descent with warm restarts, equation (5).
 * @example      const optimizer = sgd({ stepSize: cosine({ from: 0.5, to: 0.01, steps: 1000 }) });
 */
export function cosine({
  from,
  to = 0,
  steps,
}: {
  readonly from: number;
  readonly to?: number;
  readonly steps: number;
}): Schedule {
  checkRate("cosine", "from", from);
  checkRate("cosine", "to", to);
  checkSteps("cosine", "steps", steps);
  return schedule((t) =>
    t
      .minimum(steps)
      .mul(Math.PI / steps)
      .cos()
      .add(1)
      .mul((from - to) / 2)
      .add(to),
  );
}
