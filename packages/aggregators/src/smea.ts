import { eigh, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { centeredGram } from "./centered-gram.js";
import { bestSubset, entriesOfSubsets, membersOfSubsets } from "./subset-entries.js";

/**
 * Smallest maximum eigenvalue averaging (SMEA): the mean of the N − f samples that vary least in any direction.
 *
 *   x̂ = mean of S,   S = argmin over |S| = N − f of λ_max(covariance of S)
 *
 * The largest eigenvalue is that of the centred Gram matrix of the subset, so the cost in D is one pass for the N × N
 * distances; then all subsets, N!/(f!(N − f)!) of them, at most 1e5, with one eigenvalue problem of N − f each. Ties go
 * to the first subset in lexicographic order. It acts on a vector. Breakdown point f/N, for f < N/2.
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
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    const size = g.samples - byzantine;
    const distances = g.squaredDistances();
    const even = g.device.full([size], 1 / size, { dtype: g.dtype });
    const { values } = eigh(centeredGram(entriesOfSubsets(distances, size), even));
    const largest = values.slice(null, [size - 1, size]).reshape([-1]);
    return bestSubset(largest, membersOfSubsets(distances, size), size);
  };
  return defineAggregator("smea", (g) => g.combine(weights(g)), { weights });
}
