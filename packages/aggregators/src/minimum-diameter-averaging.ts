import type { SampleMatrix, Tensor } from "@robgrad/tensor";
import { apply, constant, input, reduceFormula } from "@robgrad/tensor/kernels";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { bestSubset, membersOfSubsets } from "./subset-entries.js";

/** A distance of two members, else 0. */
const within = apply("where", apply("and", input(0), input(1)), input(2), constant(0));

/**
 * Minimum diameter averaging (MDA): the mean of the N − f samples that lie closest together.
 *
 *   x̂ = mean of S,   S = argmin over |S| = N − f of max_{m, n ∈ S} ‖gₘ − gₙ‖
 *
 * One pass for the N × N distances, and N² of them for each subset: N!/(f!(N − f)!) of them, at most 1e5. Ties go to the first subset
 * in lexicographic order. It acts on a vector. Breakdown point f/N, for f < N/2.
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
    const { samples } = g;
    const distances = g.squaredDistances();
    const members = membersOfSubsets(distances, samples - byzantine);
    const total = members.shape[0] as number;
    const operands = [members.reshape([total, samples, 1]), members.reshape([total, 1, samples]), distances];
    return bestSubset(reduceFormula("max", within, operands, { axis: [1, 2] }), members, samples - byzantine);
  };
  return defineAggregator("minimum-diameter-averaging", (g) => g.combine(weights(g)), { weights });
}
