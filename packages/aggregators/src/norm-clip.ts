import type { SampleMatrix, Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkOption, isPositive } from "./option.js";

/**
 * The mean of gradients whose norm is cut to c.
 *
 *   x̂ = (1/N) Σₙ gₙ · min(1, c/‖gₙ‖)
 *
 * One pass for the norms and one weighted sum. No sample moves the result by more than c/N; the norm is that of a
 * parameter, or of a group: `aggregate(gradients, normClip(), { group: all })`. It does not follow the gradients'
 * scale, so c belongs to the problem.
 *
 * @param maxNorm  c > 0, in the units of the gradient.
 * @returns        Aggregator, [N, D] → [D].
 * @throws         BAD_ARGUMENT unless maxNorm is positive and finite.
 * @see            M. Abadi et al. (2016), Deep learning with differential privacy, Algorithm 1, without its noise.
 * @example        normClip({ maxNorm: 2 })(gradients)
 */
export function normClip({ maxNorm = 1 }: { readonly maxNorm?: number } = {}): Aggregator {
  checkOption("normClip", "maxNorm", maxNorm, isPositive(maxNorm), "> 0 and finite");
  const weights = (g: SampleMatrix): Tensor =>
    g.squaredNorms().map((squared) =>
      squared
        .sqrt()
        .maximum(maxNorm)
        .reciprocal()
        .mul(maxNorm)
        .mul(1 / g.samples),
    );
  return defineAggregator("norm-clip", (g) => g.combine(weights(g)), { weights });
}
