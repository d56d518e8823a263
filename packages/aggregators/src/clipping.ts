import { where, type Scalar, type Tensor } from "@robgrad/tensor";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { checkOption, isPositive } from "./option.js";
import { definePreAggregator, type PreAggregator } from "./pre-aggregator.js";

/** min(1, c/‖g‖) of squared norms, for a norm c that is a number or a tensor of one element; 1 for a norm of 0. */
export function shrinkage(squaredNorms: Tensor, maxNorm: number | Tensor): Tensor {
  const cut = (squared: Scalar, c: Scalar | number) => {
    const norm = squared.sqrt();
    return where(norm.greater(c), norm.reciprocal().mul(c), 1);
  };
  return typeof maxNorm === "number"
    ? squaredNorms.map((squared) => cut(squared, maxNorm))
    : squaredNorms.map(cut, maxNorm);
}

/**
 * Cuts the norm of every sample's gradient to c, for {@link compose}.
 *
 *   row n = gₙ · min(1, c/‖gₙ‖)
 *
 * One pass for the norms. `compose(clipping({ maxNorm: c }), mean())` is `normClip({ maxNorm: c })`.
 *
 * @param maxNorm  c > 0, in the units of the gradient.
 * @returns        A step for {@link compose}, [N, D] → [N, D].
 * @throws         BAD_ARGUMENT unless maxNorm is positive and finite.
 * @example        compose(clipping({ maxNorm: 2 }), median())(gradients)
 */
export function clipping({ maxNorm = 1 }: { readonly maxNorm?: number } = {}): PreAggregator {
  checkOption("clipping", "maxNorm", maxNorm, isPositive(maxNorm), "> 0 and finite");
  return definePreAggregator("clipping", (g) => shrinkage(g.squaredNorms(), maxNorm));
}

/**
 * Adaptive robust clipping (ARC), for {@link compose}: the largest gradients are cut to the norm of the next.
 *
 *   row n = gₙ · min(1, c/‖gₙ‖),   c the norm of rank N − k of the norms in ascending order,   k = ⌊2 f (N − f)/N⌋
 *
 * One pass for the norms and a sort of them. The threshold follows the gradients' scale.
 *
 * @param byzantine  f ≥ 0.
 * @returns          A step for {@link compose}, [N, D] → [N, D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the step, unless N > 2f.
 * @see              Y. Allouah et al. (2024), Adaptive gradient clipping for robust federated learning, Algorithm 2.
 * @example          compose(adaptiveRobustClipping({ byzantine: 1 }), median())(gradients)
 */
export function adaptiveRobustClipping({ byzantine = 1 }: ByzantineOptions = {}): PreAggregator {
  checkByzantine("adaptiveRobustClipping", byzantine);
  return definePreAggregator("adaptive robust clipping", (g) => {
    const { samples } = g;
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    const cut = Math.floor((2 * byzantine * (samples - byzantine)) / samples + 1e-9);
    const squared = g.squaredNorms();
    const threshold = squared
      .sort()
      .slice([samples - cut - 1, samples - cut])
      .sqrt();
    return shrinkage(squared, threshold);
  });
}
