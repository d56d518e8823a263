import { eigh, iterate, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { centeredGram } from "./centered-gram.js";
import { largestVariance } from "./largest-variance.js";
import { complements } from "./subsets.js";

/** Variances of p over sets that rows have left and others joined; before, Σ p was 0 and Σ p² the energy. */
function variances(energy: Tensor, lost: Tensor, gained: Tensor, size: number): Tensor {
  const mean = gained
    .sum({ axis: 1 })
    .sub(lost.sum({ axis: 1 }))
    .div(size);
  const squares = energy.sub(lost.square().sum({ axis: 1 })).add(gained.square().sum({ axis: 1 }));
  return squares.div(size).sub(mean.square());
}

/** All subsets are looked at where their covariances have no more elements together than this. */
const few = 2 ** 16;

/** Weights [N] of the mean of the subset of N − f rows with the smallest largest variance. */
function leastVarying(distances: Tensor, byzantine: number): Tensor {
  const samples = distances.shape[0] as number;
  const size = samples - byzantine;
  const left = complements(samples, size);
  const all = (left.length / byzantine) * size ** 2 <= few;
  return (all ? leastOfAll : leastByBounds)(distances, left, size);
}

/** One eigenvalue problem for each subset, all of them together. */
function leastOfAll(distances: Tensor, left: Int32Array, size: number): Tensor {
  const { device, dtype } = distances;
  const samples = distances.shape[0] as number;
  const byzantine = samples - size;
  const total = left.length / byzantine;
  const members = Array.from({ length: total }, (_, s) => {
    const out = left.subarray(s * byzantine, (s + 1) * byzantine);
    return Array.from({ length: samples }, (_, n) => n).filter((n) => !out.includes(n));
  });
  const places = device.tensor(
    Int32Array.from(members.flatMap((list) => list.flatMap((m) => list.map((n) => m * samples + n)))),
    { shape: [total, size, size] },
  );
  const even = device.full([size], 1 / size, { dtype });
  const { values } = eigh(centeredGram(distances.reshape([-1]).gather(places), even), { largest: 1 });
  const best = values.reshape([total]).argmin();
  const rows = device.tensor(Int32Array.from(members.flat()), { shape: [total, size] }).gather(best);
  const place = device.arange(samples, { dtype: "int32" }).reshape([samples, 1]);
  return place.equal(rows).cast(dtype).sum({ axis: 1 }).div(size);
}

/** An eigenvalue problem for each subset whose bound is the smallest, until none is below the best. */
function leastByBounds(distances: Tensor, list: Int32Array, size: number): Tensor {
  const { device, dtype } = distances;
  const samples = distances.shape[0] as number;
  const byzantine = samples - size;
  const total = list.length / byzantine;
  const left = device.tensor(list, { shape: [total, byzantine] });
  // Squared and divided by the gap between eigenvalues it is λ's error.
  const tolerance = dtype === "float64" ? 2 ** -26 : 2 ** -12;
  const place = device.arange(samples, { dtype: "int32" }).reshape([samples, 1]);
  const within = (subset: Tensor) => place.equal(left.gather(subset)).cast(dtype).sum({ axis: 1 }).neg().add(1);
  // Of every subset a number that its largest variance is not below; of one that has been looked at, infinity.
  const start: readonly [Tensor, Tensor, Tensor] = [
    device.zeros([total], { dtype }),
    device.zeros([], { dtype: "int32" }),
    device.full([], Infinity, { dtype }),
  ];
  const [, best] = iterate(
    start,
    ([bounds, best, least]) => {
      const subset = bounds.argmin();
      const members = within(subset);
      const { variance, along } = largestVariance(distances, members.div(size), tolerance);
      const lost = along.mul(members).gather(left);
      const absent = left.gather(subset);
      const stays = left
        .reshape([total, byzantine, 1])
        .equal(absent.reshape([1, 1, byzantine]))
        .cast(dtype)
        .sum({ axis: 1 });
      const gained = along.gather(absent).mul(stays.neg().add(1));
      const bound = bounds.maximum(variances(variance.mul(size), lost, gained, size));
      const better = variance.less(least);
      return [
        where(device.arange(total, { dtype: "int32" }).equal(subset), Infinity, bound),
        where(better, subset, best),
        where(better, variance, least),
      ] as const;
    },
    { maximum: total, until: ([bounds, , least]) => bounds.min().less(least).not() },
  );
  return within(best).div(size);
}

/**
 * Smallest maximum eigenvalue averaging (SMEA): the mean of the N − f samples that vary least in any direction.
 *
 *   x̂ = mean of S,   S = argmin over |S| = N − f of λ_max(covariance of S)
 *
 * One pass for the N × N distances. Then all N!/(f!(N − f)!) subsets, at most 1e5, where they are few and small, else a
 * search that ends with the best of them: λ_max of a subset is not below its variance in any one direction. The subset
 * whose bound is smallest is looked at, which takes the largest eigenvalue of an N × N matrix; the vector found bounds all
 * others, in f² operations each; and it is over when no bound is below the best λ_max met. Two to ten turns are usual,
 * some dozens where no direction stands out. Ties go to the subset that is met first, which is the first in
 * lexicographic order where all are equal. It acts on a vector. Breakdown point f/N, for f < N/2.
 *
 * @param byzantine  f ≥ 0.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the rule, unless N > 2f, or for too many subsets.
 * @see              Y. Allouah et al. (2023), On the privacy-robustness-utility trilemma in distributed learning, §4.
 * @example          smea({ byzantine: 1 })(gradients)
 */
export function smea({ byzantine = 1 }: ByzantineOptions = {}): Aggregator {
  checkByzantine("smea", byzantine);
  const weights = (g: SampleMatrix): Tensor => {
    const { samples, device, dtype } = g;
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    if (byzantine === 0) return device.full([samples], 1 / samples, { dtype });
    return leastVarying(g.squaredDistances(), byzantine);
  };
  return defineAggregator("smea", (g) => g.combine(weights(g)), { weights });
}
