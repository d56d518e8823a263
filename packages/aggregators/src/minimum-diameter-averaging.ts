import { concat, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { countSubsets } from "./subsets.js";

/** Sets of rows, L of them. */
interface Sets {
  /** bools [L, N] */
  readonly members: Tensor;
  /** The largest distance of two members, [L]. */
  readonly diameters: Tensor;
}

/**
 * All sets worth looking at: of the two rows farthest apart, one must go, or the diameter stays as it is. 2ᵏ sets of
 * N − k rows for k = 0 … f.
 */
function thinnedSets(distances: Tensor, byzantine: number): Sets {
  const { device } = distances;
  const samples = distances.shape[0] as number;
  const place = device.arange(samples, { dtype: "int32" });
  const levels: Sets[] = [];
  let members = device.ones([1, samples], { dtype: "bool" });
  for (let removed = 0; removed <= byzantine; removed++) {
    const count = members.shape[0] as number;
    const column = members.reshape([count, samples, 1]);
    const farthest = where(column.and(members.reshape([count, 1, samples])), distances, -1).max({ axis: 2 });
    levels.push({ members, diameters: farthest.max({ axis: 1 }) });
    if (removed === byzantine) break;
    const one = farthest.argmax({ axis: 1 });
    const other = where(members, distances.gather(one), -1).argmax({ axis: 1 });
    const without = (index: Tensor) => members.and(place.notEqual(index.reshape([count, 1])));
    members = concat([without(one), without(other)]);
  }
  return {
    members: concat(levels.map((level) => level.members)),
    diameters: concat(levels.map((level) => level.diameters)),
  };
}

/** Weights [N] of the mean of the N − f rows with the smallest diameter. */
function closestTogether(distances: Tensor, byzantine: number): Tensor {
  const { dtype } = distances;
  const size = (distances.shape[0] as number) - byzantine;
  // A distance that is not known is as long as any.
  const { members, diameters } = thinnedSets(where(distances.isNaN(), Infinity, distances), byzantine);
  // The first subset in lexicographic order leaves out the last rows that it may.
  const inside = members.cast("int32");
  const kept = members.and(inside.cumsum({ axis: 1 }).lessEqual(size));
  const removed = kept.cast("int32").argsort({ axis: 1 });
  let best = diameters.equal(diameters.min());
  for (let k = 0; k < byzantine; k++) {
    const index = where(best, removed.slice(null, [k, k + 1]).reshape([-1]), -1);
    best = index.equal(index.max());
  }
  return kept.gather(best.cast("int32").argmax()).cast(dtype).div(size);
}

/**
 * Minimum diameter averaging (MDA): the mean of the N − f samples that lie closest together.
 *
 *   x̂ = mean of S,   S = argmin over |S| = N − f of max_{m, n ∈ S} ‖gₘ − gₙ‖
 *
 * One pass for the N × N distances, and 2ᶠ⁺¹ N² comparisons of them: of the two samples farthest apart one must be left
 * out. Ties go to the first subset in lexicographic order. Refused where there are more than 1e5 subsets, N!/(f!(N − f)!).
 * It acts on a vector. Breakdown point f/N, for f < N/2.
 *
 * @param byzantine  f ≥ 0.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the rule, unless N > 2f, or for too many subsets.
 * @see              E. El Mhamdi et al. (2021), Distributed momentum for Byzantine-resilient SGD, §2; P. Rousseeuw (1985),
 *                   Multivariate estimation with high breakdown point.
 * @example          minimumDiameterAveraging({ byzantine: 1 })(gradients)
 */
export function minimumDiameterAveraging({ byzantine = 1 }: ByzantineOptions = {}): Aggregator {
  checkByzantine("minimumDiameterAveraging", byzantine);
  const weights = (g: SampleMatrix): Tensor => {
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    countSubsets(g.samples, g.samples - byzantine);
    return closestTogether(g.squaredDistances(), byzantine);
  };
  return defineAggregator("minimum-diameter-averaging", (g) => g.combine(weights(g)), { weights });
}
