import { denseSamples, iterate, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
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
  if (byzantine === 0) return device.ones([samples], { dtype: "bool" });
  const place = device.arange(samples, { dtype: "int32" });
  const first = (scores: Tensor, left: Tensor) =>
    place.equal(where(left.equal(0).or(scores.isNaN()), Infinity, scores).argmin());
  // Row n is column n, and its smallest element is n's own.
  const last = samples - byzantine - 1;
  const farthest = denseSamples(distances).columns((c) =>
    c
      .sorted()
      .slice(last - 1, last)
      .mean(),
  );
  // What is left, the distance in every row to the last that counts, and how many count, the sample itself among them.
  const start: readonly [Tensor, Tensor, Tensor] = [
    device.ones([samples], { dtype }),
    farthest,
    device.full([], last, { dtype }),
  ];
  const most = samples - 2 * byzantine;
  const turns = Math.min(most, samples - byzantine - 2);
  let [left] = iterate(
    start,
    ([left, reach, count]) => {
      const counts = distances.less(reach.reshape([samples, 1]));
      const nearer = where(counts, distances, 0).mul(left);
      const known = counts.cast(dtype).mul(left).sum({ axis: 1 });
      const total = nearer.sum({ axis: 1 });
      // None is negative, and to be told so makes the search for the largest quick.
      const next = nearer.abs().max({ axis: 1 });
      const enough = known.greaterEqual(count);
      const scores = where(enough, total, total.add(count.sub(known).mul(reach)));
      return [left.sub(first(scores, left).cast(dtype)), where(enough, next, reach), count.sub(1)] as const;
    },
    { maximum: turns },
  );
  for (let turn = turns; turn < most; turn++) {
    const others = left.greater(0).and(place.notEqual(place.reshape([samples, 1])));
    left = left.sub(first(where(others, distances, Infinity).min({ axis: 1 }), left).cast(dtype));
  }
  return left.equal(0);
}

/**
 * Bulyan: Krum again and again, then a mean around the median.
 *
 *   S = the θ = N − 2f samples that Krum takes one after the other;
 *   x̂_d = mean of the θ − 2f values of coordinate d of S nearest their median
 *
 * One pass for the N × N distances, a selection in every row of them, N − 2f passes over them, and the cost of a mean
 * around the median of θ rows. It closes a gap of the rules that look at distances alone, where many coordinates hide one that is far off. Promised for
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
