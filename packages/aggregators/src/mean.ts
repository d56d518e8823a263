import { defineAggregator, type Aggregator } from "./aggregator.js";

/**
 * The mean: gradient descent on the average loss.
 *
 *   x̂ = (1/N) Σₙ gₙ
 *
 * One matrix product for a layer. Breakdown point 0: a single sample can move it anywhere.
 *
 * @returns  Aggregator, [N, D] → [D].
 * @example  mean()(gradients)
 */
export function mean(): Aggregator {
  return defineAggregator("mean", (g) => g.mean(), {
    weights: (g) => g.device.full([g.samples], 1 / g.samples, { dtype: g.dtype }),
  });
}
