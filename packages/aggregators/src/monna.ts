import { codedError, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { averageOfSmallest, checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { checkOption } from "./option.js";

/**
 * MoNNA's average: the mean of the samples nearest to one that is trusted.
 *
 *   x̂ = mean of the N − f samples nearest to g_r, itself included
 *
 * One pass for the N × N distances. Ties go to the lowest index. It acts on a vector. As good as the reference is: a
 * hostile sample there leads it anywhere.
 *
 * @param byzantine  f ≥ 0.
 * @param reference  r, the index of the trusted sample.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when an option is out of range; from the rule, unless N > f and r < N.
 * @see              S. Farhadkhani et al. (2023), Robust collaborative learning with linear gradient overhead, Algorithm 1.
 * @example          monna({ byzantine: 1, reference: 0 })(gradients)
 */
export function monna({
  byzantine = 1,
  reference = 0,
}: ByzantineOptions & { readonly reference?: number } = {}): Aggregator {
  checkByzantine("monna", byzantine);
  checkOption(
    "monna",
    "reference",
    reference,
    Number.isSafeInteger(reference) && reference >= 0,
    "to be a whole number ≥ 0",
  );
  const weights = (g: SampleMatrix): Tensor => {
    checkSampleCount(g, byzantine + 1, byzantine);
    if (reference >= g.samples) {
      throw codedError("BAD_ARGUMENT", `expected reference below N = ${g.samples}, found ${reference}`);
    }
    const distances = g
      .squaredDistances()
      .slice([reference, reference + 1])
      .reshape([g.samples]);
    return averageOfSmallest(distances, g.samples - byzantine);
  };
  return defineAggregator("monna", (g) => g.combine(weights(g)), { weights });
}
