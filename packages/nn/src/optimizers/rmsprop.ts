import { checkDecayRate, checkEpsilon } from "./check-decay-rate.js";
import type { Optimizer } from "./optimizer.js";
import type { Rate } from "./rate.js";
import { withMoments } from "./with-moments.js";

/**
 * Gradient descent with every coordinate divided by a running root mean square.
 *
 *   v ← ρ v + (1 − ρ) g²,   w ← w − α g / (√v + ε),   with g + λ w for g
 *
 * @param stepSize     α ≥ 0: a number, a schedule or `follow(cell)`; 0.01 unless given.
 * @param decay        ρ in [0, 1), 0.99 unless given.
 * @param epsilon      ε > 0, in units of the gradient; 1e-8 unless given.
 * @param weightDecay  λ ≥ 0, of the same kinds as α; 0 unless given.
 * @returns            An optimizer with one `square` per parameter.
 * @throws             BAD_ARGUMENT for values out of range. A gradient whose square is not finite makes the next read
 *                     reject with BAD_DATA.
 * @see                T. Tieleman, G. Hinton (2012), Neural networks for machine learning, lecture 6e.
 * @example            const optimizer = rmsprop({ stepSize: 0.001 });
 */
export function rmsprop({
  stepSize = 0.01,
  decay = 0.99,
  epsilon = 1e-8,
  weightDecay = 0,
}: {
  readonly stepSize?: Rate;
  readonly decay?: number;
  readonly epsilon?: number;
  readonly weightDecay?: Rate;
} = {}): Optimizer {
  checkDecayRate("rmsprop", "decay", decay);
  checkEpsilon("rmsprop", epsilon);
  return withMoments("rmsprop", {
    rates: { stepSize },
    decay: weightDecay,
    moments: { square: ({ square, g }) => square.mul(decay).add(g.square().mul(1 - decay)) },
    next: ({ w, g, square, stepSize }) => w.sub(stepSize.mul(g).div(square.sqrt().add(epsilon))),
    squares: true,
  });
}
