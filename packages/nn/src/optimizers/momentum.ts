import type { Optimizer } from "./optimizer.js";
import { checkDecayRate } from "./check-decay-rate.js";
import type { Rate } from "./rate.js";
import { withMoments } from "./with-moments.js";

/**
 * Gradient descent with momentum.
 *
 *   v ← μ v + g + λ w,   w ← w − α v,   or, with `nesterov`,   w ← w − α (g + λ w + μ v)
 *
 * @param stepSize     α ≥ 0: a number, a schedule or `follow(cell)`.
 * @param momentum     μ in [0, 1), 0.9 unless given.
 * @param nesterov     Whether the step looks ahead; false unless given.
 * @param weightDecay  λ ≥ 0, of the same kinds as α; 0 unless given.
 * @returns            An optimizer with one `velocity` per parameter.
 * @throws             BAD_ARGUMENT for values out of range.
 * @see                B. Polyak (1964), Some methods of speeding up the convergence of iteration methods; I. Sutskever
 *                     et al. (2013), On the importance of initialization and momentum in deep learning, §2.
 * @example            const optimizer = momentum({ stepSize: 0.1, nesterov: true });
 */
export function momentum({
  stepSize,
  momentum: rate = 0.9,
  nesterov = false,
  weightDecay = 0,
}: {
  readonly stepSize: Rate;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: Rate;
}): Optimizer {
  checkDecayRate("momentum", "momentum", rate);
  return withMoments("momentum", {
    rates: { stepSize },
    decay: weightDecay,
    moments: { velocity: ({ velocity, g }) => velocity.mul(rate).add(g) },
    next: ({ w, g, velocity, stepSize }) => w.sub((nesterov ? velocity.mul(rate).add(g) : velocity).mul(stepSize)),
  });
}
