import { defineAggregator, type Aggregator } from "./aggregator.js";

/**
 * The median of every coordinate; of an even number of values, the mean of the two middle ones.
 *
 *   x̂_d = median(g₁_d, …, g_N_d)
 *
 * One selection per coordinate, in memory of N values. Breakdown point 1/2. On networks with ReLU many gradients are
 * exactly 0 and so is their median: that is its bias, not an error.
 *
 * @returns  Aggregator, [N, D] → [D].
 * @see      D. Yin et al. (2018), Byzantine-robust distributed learning, Definition 1.
 * @example  median()(gradients)
 */
export function median(): Aggregator {
  return defineAggregator("median", (g) => g.columns((c) => c.median()));
}
