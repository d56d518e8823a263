import { where, type Column, type Scalar } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";

/**
 * The mean of the `count` values of a column that are nearest its median; of two equally near, the smaller one first.
 */
export function meanNearMedian(column: Column, count: number): Scalar {
  const median = column.median();
  const offsets = column.map((x) => x.sub(median));
  const reach = offsets
    .map((u) => u.abs())
    .sorted()
    .slice(count - 1, count)
    .mean();
  const inside = offsets.sum((u) => where(u.abs().less(reach), u, 0));
  const taken = offsets.sum((u) => u.abs().less(reach));
  const below = offsets.sum((u) => u.equal(reach.neg()));
  // What is left to take lies at the reach: below the median as long as there is, then above.
  const left = taken.neg().add(count);
  const low = left.minimum(below);
  return median.add(inside.add(left.sub(low.mul(2)).mul(reach)).div(count));
}

/**
 * The mean of the values nearest the median, coordinate by coordinate.
 *
 *   x̂_d = mean of the N − f values of coordinate d with the smallest |g_nd − median_d|
 *
 * Two selections and three passes per coordinate, in memory of N values. Of two values equally near, the smaller one
 * is taken first. Breakdown point f/N, for f < N/2.
 *
 * @param byzantine  f ≥ 0: how many values are left out.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the rule, unless N > 2f.
 * @see              C. Xie, O. Koyejo, I. Gupta (2018), Generalized Byzantine-tolerant SGD, §4.
 * @example          meanAroundMedian({ byzantine: 1 })(gradients)
 */
export function meanAroundMedian({ byzantine = 1 }: ByzantineOptions = {}): Aggregator {
  checkByzantine("meanAroundMedian", byzantine);
  return defineAggregator("mean-around-median", (g) => {
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    return g.columns((c) => meanNearMedian(c, g.samples - byzantine));
  });
}
