import { codedError, denseSamples, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { averageOfSmallest, checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { checkOption, isNatural } from "./option.js";

/** How samples are scored. Libraries differ; the paper's way is the default. */
export interface KrumOptions extends ByzantineOptions {
  /** How many neighbours count: N − f − 2 unless given; N − f − 1 in ByzFL. */
  readonly neighbors?: (samples: number) => number;
  /** Whether distances are squared; TorchJD's are not. */
  readonly squared?: boolean;
}

/** The sum of the distances to the nearest others, [N]. */
export function krumScores(
  gradients: SampleMatrix,
  byzantine: number,
  neighbors: KrumOptions["neighbors"] = (samples) => samples - byzantine - 2,
  squared = true,
): Tensor {
  const { samples } = gradients;
  const count = neighbors(samples);
  if (!Number.isSafeInteger(count) || count < 1 || count >= samples) {
    throw codedError(
      "BAD_ARGUMENT",
      `expected neighbors in 1 … N − 1 = ${samples - 1}, found ${count} for byzantine = ${byzantine}; Krum wants N ≥ 2f + 3 samples`,
    );
  }
  const distances = gradients.squaredDistances();
  // Row n is column n; the first of every column is the sample itself.
  return denseSamples(squared ? distances : distances.sqrt()).columns((c) =>
    c
      .sorted()
      .slice(1, count + 1)
      .sum(),
  );
}

function checkKrum(rule: string, { byzantine, neighbors, squared }: KrumOptions): void {
  checkByzantine(rule, byzantine);
  checkOption(
    rule,
    "neighbors",
    neighbors,
    neighbors === undefined || typeof neighbors === "function",
    "to be a function of N",
  );
  checkOption(rule, "squared", squared, squared === undefined || typeof squared === "boolean", "to be true or false");
}

/**
 * Krum: the sample whose nearest others are nearest.
 *
 *   x̂ = g_k,   k = argmin_n Σ ‖gₙ − gₘ‖² over the N − f − 2 others m nearest to n
 *
 * One pass for the N × N distances, and a selection in every row of them. Ties go to the lowest index. It acts on a vector. It takes one
 * sample out of N and so keeps the noise of one: variance does not fall with N. Promised for N ≥ 2f + 3.
 *
 * @param byzantine  f ≥ 0.
 * @param neighbors  How many others count, from N.
 * @param squared    Whether their distances are squared.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when an option is out of range; from the rule, when no neighbour is left to count.
 * @see              P. Blanchard et al. (2017), Machine learning with adversaries: Byzantine tolerant gradient descent, §4.
 * @example          krum({ byzantine: 0 })(gradients)
 */
export function krum({ byzantine = 1, neighbors, squared }: KrumOptions = {}): Aggregator {
  checkKrum("krum", { byzantine, neighbors, squared } as KrumOptions);
  const weights = (g: SampleMatrix): Tensor => averageOfSmallest(krumScores(g, byzantine, neighbors, squared), 1);
  return defineAggregator("krum", (g) => g.combine(weights(g)), { weights });
}

/**
 * Multi-Krum: the mean of the samples with the smallest scores of {@link krum}.
 *
 *   x̂ = (1/m) Σ gₙ over the m samples with the smallest scores
 *
 * Cost of Krum. Scores are not computed anew when a sample has been taken.
 *
 * @param selected   m, 1 … N; N − f unless given.
 * @param byzantine  f ≥ 0.
 * @param neighbors  How many others count, from N.
 * @param squared    Whether their distances are squared.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when an option is out of range; from the rule, when N is too small for it.
 * @see              P. Blanchard et al. (2017), §5.
 * @example          multiKrum({ byzantine: 0, selected: 2 })(gradients)
 */
export function multiKrum({
  byzantine = 1,
  selected,
  neighbors,
  squared,
}: KrumOptions & { readonly selected?: number } = {}): Aggregator {
  checkKrum("multiKrum", { byzantine, neighbors, squared } as KrumOptions);
  checkOption(
    "multiKrum",
    "selected",
    selected,
    selected === undefined || isNatural(selected),
    "to be a whole number ≥ 1",
  );
  const weights = (g: SampleMatrix): Tensor => {
    checkSampleCount(g, Math.max(byzantine + 1, selected ?? 1), byzantine);
    return averageOfSmallest(krumScores(g, byzantine, neighbors, squared), selected ?? g.samples - byzantine);
  };
  return defineAggregator("multi-krum", (g) => g.combine(weights(g)), { weights });
}
