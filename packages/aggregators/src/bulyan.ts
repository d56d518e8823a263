import { iterate, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { meanNearMedian } from "./mean-around-median.js";

/**
 * The N − 2f samples that Krum takes one after the other, each out of those that are left; a bool [N].
 * Of n samples left, the max(1, n − f − 2) nearest others count.
 */
function selection(distances: Tensor, byzantine: number): Tensor {
  const { device, dtype, shape } = distances;
  const samples = shape[0] as number;
  const place = device.arange(samples, { dtype: "int32" });
  // Which nearest of row n's samples m is, of those that are left: 0 for n itself, and negative once m is taken.
  const ranks = distances.argsort({ axis: 1 }).argsort({ axis: 1 }).cast(dtype);
  const start: readonly [Tensor, Tensor, Tensor] = [
    device.zeros([samples], { dtype }),
    ranks,
    device.full([], samples - byzantine - 2, { dtype }),
  ];
  const [taken] = iterate(
    start,
    ([taken, ranks, neighbors]) => {
      const counts = ranks.greater(0).and(ranks.lessEqual(neighbors.maximum(1)));
      const scores = where(counts, distances, 0).sum({ axis: 1 });
      const next = place.equal(where(taken.greater(0).or(scores.isNaN()), Infinity, scores).argmin());
      const shares = next.cast(dtype);
      const rank = ranks.matmul(shares).reshape([samples, 1]);
      const fewer = where(next, -1, ranks.sub(ranks.greater(rank).cast(dtype)));
      return [taken.add(shares), fewer, neighbors.sub(1)] as const;
    },
    { maximum: samples - 2 * byzantine },
  );
  return taken.greater(0);
}

/**
 * Bulyan: Krum again and again, then a mean around the median.
 *
 *   S = the θ = N − 2f samples that Krum takes one after the other;
 *   x̂_d = mean of the θ − 2f values of coordinate d of S nearest their median
 *
 * One pass for the N × N distances, a sort of them, N − 2f passes over them, and the cost of a mean around the median of θ
 * rows. It closes
 * a gap of the rules that look at distances alone, where many coordinates hide one that is far off. Promised for
 * N ≥ 4f + 3. Krum's score near the end, where fewer than f + 3 samples are left, counts one neighbour.
 *
 * @param byzantine  f ≥ 0.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the rule, unless N ≥ 4f + 3.
 * @see              E. El Mhamdi, R. Guerraoui, S. Rouault (2018), The hidden vulnerability of distributed learning in
 *                   Byzantium, §4.
 * @example          bulyan({ byzantine: 0 })(gradients)
 */
export function bulyan({ byzantine = 1 }: ByzantineOptions = {}): Aggregator {
  checkByzantine("bulyan", byzantine);
  return defineAggregator("bulyan", (g: SampleMatrix) => {
    checkSampleCount(g, 4 * byzantine + 3, byzantine);
    const chosen = g.samples - 2 * byzantine;
    const indices = selection(g.squaredDistances(), byzantine).not().cast("int32").argsort().slice([0, chosen]);
    return g.take(indices).columns((c) => meanNearMedian(c, chosen - 2 * byzantine));
  });
}
