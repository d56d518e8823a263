import { defineAggregator, type Aggregator } from "./aggregator.js";

/**
 * The sum: gradient descent on the total loss. The one rule that does not estimate the mean; its step grows with N.
 *
 *   x̂ = Σₙ gₙ
 *
 * One matrix product for a layer. Breakdown point 0.
 *
 * @returns  Aggregator, [N, D] → [D].
 * @example  sum()(gradients)
 */
export function sum(): Aggregator {
  return defineAggregator("sum", (g) => g.mean().mul(g.samples), {
    weights: (g) => g.device.ones([g.samples], { dtype: g.dtype }),
  });
}
