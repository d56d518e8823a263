import type { SampleMatrix, Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkWeiszfeld, weiszfeldDefaults, weiszfeldWeights, type WeiszfeldOptions } from "./weiszfeld.js";

/**
 * The geometric median: the point with the least sum of distances to the rows.
 *
 *   x̂ = argmin_u Σₙ ‖gₙ − u‖
 *
 * One pass for the N × N distances, N² per turn of Weiszfeld's iteration on them, one weighted sum. It acts on a
 * vector: a parameter, or a group. Breakdown point 1/2. Of two rows it is the mean.
 *
 * @param tolerance  It stops when no weight moves by more than this, in [0, 1).
 * @param maximum    Most turns.
 * @param epsilon    Smallest distance told from 0, as a share of the median distance, in (0, 1).
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when an option is out of range.
 * @see              K. Pillutla, S. Kakade, Z. Harchaoui (2022), Robust aggregation for federated learning, §3.
 * @example          geometricMedian()(gradients)
 */
export function geometricMedian(options: WeiszfeldOptions = {}): Aggregator {
  const settings = { ...weiszfeldDefaults, ...options };
  checkWeiszfeld("geometricMedian", settings);
  const weights = (g: SampleMatrix): Tensor => weiszfeldWeights(g.squaredDistances(), settings);
  return defineAggregator("geometric-median", (g) => g.combine(weights(g)), { weights });
}
