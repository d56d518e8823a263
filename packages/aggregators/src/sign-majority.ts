import { defineAggregator, type Aggregator } from "./aggregator.js";

/**
 * The sign that most samples have, coordinate by coordinate.
 *
 *   x̂_d = sign Σₙ sign g_nd,   in {−1, 0, 1}
 *
 * One pass. No estimate of the mean: only its direction in every coordinate is left, so the step size takes the place
 * of the gradient's scale. Breakdown point 1/2.
 *
 * @returns  Aggregator, [N, D] → [D].
 * @see      J. Bernstein et al. (2019), signSGD with majority vote is communication efficient and fault tolerant.
 * @example  signMajority()(gradients)
 */
export function signMajority(): Aggregator {
  return defineAggregator("sign-majority", (g) => g.mean((u) => u.sign()).sign());
}
