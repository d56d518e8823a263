import { where } from "@robgrad/tensor";
import { squaredDistancesTo } from "@robgrad/tensor/kernels";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { shrinkage } from "./clipping.js";
import { checkOption, isNatural, isPositive } from "./option.js";

/** How far a sample may pull, and from where. */
export interface CenteredClipOptions {
  /** τ > 0, in the units of the gradient. */
  readonly maxNorm?: number;
  /** L ≥ 1. */
  readonly iterations?: number;
  /** β in [0, 1): the centre is the exponential average of earlier answers; 0 takes the last one. */
  readonly momentum?: number;
}

/**
 * Centred clipping: steps from a centre, each sample's no longer than τ.
 *
 *   v ← v + (1/N) Σₙ (gₙ − v) · min(1, τ/‖gₙ − v‖),   L times;   x̂ = v
 *
 * The centre v₀ is what is known from earlier steps: m/(1 − βᵗ) with m ← β m + (1 − β) x̂ after each, 0 at the first.
 * Two passes per iteration. No sample moves the answer by more than Lτ/N. It acts on a vector, and keeps the average in
 * the rule's memory, one for every group.
 *
 * @param maxNorm     τ > 0, in the units of the gradient; 1 … 100 in the paper's experiments.
 * @param iterations  L ≥ 1.
 * @param momentum    β in [0, 1).
 * @returns           Aggregator, [N, D] → [D].
 * @throws            BAD_ARGUMENT when an option is out of range.
 * @see               S. Karimireddy, L. He, M. Jaggi (2021), Learning from history for Byzantine robust optimization, §4.
 * @example           centeredClip({ maxNorm: 10, iterations: 3 })(gradients)
 */
export function centeredClip({ maxNorm = 10, iterations = 1, momentum = 0 }: CenteredClipOptions = {}): Aggregator {
  checkOption("centeredClip", "maxNorm", maxNorm, isPositive(maxNorm), "> 0 and finite");
  checkOption("centeredClip", "iterations", iterations, isNatural(iterations), "to be a whole number ≥ 1");
  checkOption(
    "centeredClip",
    "momentum",
    momentum,
    typeof momentum === "number" && momentum >= 0 && momentum < 1,
    "in [0, 1)",
  );
  return defineAggregator("centered-clip", (g, memory) => {
    const { device, dtype, features, samples } = g;
    const average = memory.cell("average", () => device.zeros([features], { dtype }));
    // 1 − βᵗ, as the share of the average that is not the zero it started from.
    const filled = memory.cell("filled", () => device.zeros([], { dtype }));
    const share = filled.value;
    let center = average.value.div(where(share.greater(0), share, 1));
    for (let k = 0; k < iterations; k++) {
      const factors = shrinkage(squaredDistancesTo(g, center), maxNorm).mul(1 / samples);
      center = center.mul(factors.sum().neg().add(1)).add(g.combine(factors));
    }
    average.assign(average.value.mul(momentum).add(center.mul(1 - momentum)));
    filled.assign(share.mul(momentum).add(1 - momentum));
    return center;
  });
}
