import { Clock } from "../schedules/clock.js";
import { schedule } from "../schedules/schedule.js";
import { checkDecayRate, checkEpsilon } from "./check-decay-rate.js";
import type { Optimizer } from "./optimizer.js";
import type { Rate } from "./rate.js";
import { withMoments } from "./with-moments.js";

/** How adam and adamw are set. */
export interface AdamOptions {
  /** α ≥ 0: a number, a schedule or `follow(cell)`; 0.001 unless given. */
  readonly stepSize?: Rate;
  /** β₁ in [0, 1): the share of the mean that stays; 0.9 unless given. */
  readonly beta1?: number;
  /** β₂ in [0, 1): the share of the mean square that stays; 0.999 unless given. */
  readonly beta2?: number;
  /** ε > 0, in units of the gradient; 1e-8 unless given. */
  readonly epsilon?: number;
  /** λ ≥ 0, of the same kinds as α; 0 unless given for adam, 0.01 for adamw. */
  readonly weightDecay?: Rate;
}

/**
 * Gradient descent by a running mean of the gradient over its running root mean square. In update t = 1, 2, …:
 *
 *   m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,   with g + λ w for g
 *   w ← w − α m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
 *
 * t counts the optimizer's updates: a parameter that joins later has its first moments corrected too little.
 *
 * @param options  `stepSize` 0.001, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-8 and `weightDecay` 0 unless given.
 * @returns        An optimizer with `mean` and `square` of every parameter, and `step`.
 * @throws         BAD_ARGUMENT for values out of range. A gradient whose square is not finite makes the next read reject
 *                 with BAD_DATA.
 * @see            D. Kingma, J. Ba (2015), Adam: a method for stochastic optimization, Algorithm 1.
 * @example        const optimizer = adam({ stepSize: 0.01 });
 */
export function adam({ weightDecay = 0, ...options }: AdamOptions = {}): Optimizer {
  return adaptive("adam", options, weightDecay, 0);
}

/**
 * Adam with weights that decay beside it and not through its moments: `adam` without weight decay, after
 *
 *   w ← w − α λ w
 *
 * @param options  As for {@link adam}; `weightDecay` is 0.01 unless given.
 * @returns        An optimizer with `mean` and `square` of every parameter, and `step`.
 * @throws         BAD_ARGUMENT for values out of range. A gradient whose square is not finite makes the next read reject
 *                 with BAD_DATA.
 * @see            I. Loshchilov, F. Hutter (2019), Decoupled weight decay regularization, Algorithm 2.
 * @example        const optimizer = adamw({ stepSize: cosine({ from: 0.01, steps: 1000 }), weightDecay: 0.05 });
 */
export function adamw({ weightDecay = 0.01, ...options }: AdamOptions = {}): Optimizer {
  return adaptive("adamw", options, 0, weightDecay);
}

function adaptive(
  subject: string,
  { stepSize = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions,
  decay: Rate,
  decoupled: Rate,
): Optimizer {
  checkDecayRate(subject, "beta1", beta1);
  checkDecayRate(subject, "beta2", beta2);
  checkEpsilon(subject, epsilon);
  // 1 − βᵗ by expm1: the difference would cost float32 all but four digits where β is near 1.
  const share = (beta: number) =>
    schedule((t) => (beta === 0 ? t.mul(0).add(1) : t.add(1).mul(Math.log(beta)).expm1().neg()));
  return withMoments(subject, {
    clock: new Clock(subject),
    rates: { stepSize, lambda: decoupled, meanShare: share(beta1), squareShare: share(beta2) },
    decay,
    moments: {
      mean: ({ mean, g }) => mean.mul(beta1).add(g.mul(1 - beta1)),
      square: ({ square, g }) => square.mul(beta2).add(g.square().mul(1 - beta2)),
    },
    next: ({ w, mean, square, stepSize, lambda, meanShare, squareShare }) => {
      const step = mean.div(meanShare).div(square.div(squareShare).sqrt().add(epsilon));
      return w.sub(stepSize.mul(decoupled === 0 ? step : step.add(lambda.mul(w))));
    },
    squares: true,
  });
}
