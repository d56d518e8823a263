import { averageOfSmallest, checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { definePreAggregator, type PreAggregator } from "./pre-aggregator.js";

/**
 * Nearest-neighbour mixing (NNM), for {@link compose}: every sample gives way to the mean of those nearest to it.
 *
 *   row n = mean of the N − f samples nearest to gₙ, itself included
 *
 * One pass for the N × N distances and a sort of them; rows are mixed where the rule asks for them. Ties go to the
 * lowest index.
 *
 * @param byzantine  f ≥ 0.
 * @returns          A step for {@link compose}, [N, D] → [N, D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the step, unless N > f.
 * @see              Y. Allouah et al. (2023), Fixing by mixing: a recipe for optimal Byzantine ML under heterogeneity.
 * @example          compose(nearestNeighborMixing({ byzantine: 1 }), trimmedMean({ fraction: 0.2 }))(gradients)
 */
export function nearestNeighborMixing({ byzantine = 1 }: ByzantineOptions = {}): PreAggregator {
  checkByzantine("nearestNeighborMixing", byzantine);
  return definePreAggregator("nearest-neighbor mixing", (g) => {
    checkSampleCount(g, byzantine + 1, byzantine);
    return averageOfSmallest(g.squaredDistances(), g.samples - byzantine);
  });
}
