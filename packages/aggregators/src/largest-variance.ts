import { eigh, where, type Tensor } from "@robgrad/tensor";
import { centeredGram } from "./centered-gram.js";

/** The direction v of length 1 in which weighted rows vary most. */
export interface LargestVariance {
  /** λ = Σ wₙ ⟨v, gₙ − μ⟩², the largest eigenvalue of their covariance; []. */
  readonly variance: Tensor;
  /** ⟨v, gₙ − μ⟩ of every row, those of weight 0 too; [N]. 0 where nothing varies. */
  readonly along: Tensor;
}

/**
 * The largest eigenvalue of the covariance Σ wₙ (gₙ−μ)(gₙ−μ)ᵀ, μ = Σ wₙ gₙ, and what the rows are along its vector, from
 * squared distances alone: √w K √w with the {@link centeredGram} K has the same eigenvalues but for zeros, and with its
 * unit vector u, ⟨v, gₙ − μ⟩ = Σₘ K_nm √wₘ uₘ / √λ.
 *
 * @param squaredDistances  [N, N]
 * @param weights           [N], none negative, of sum 1.
 * @param tolerance         Of ‖C v − λ v‖, as a share of λ; half a unit in the last place unless given.
 */
export function largestVariance(squaredDistances: Tensor, weights: Tensor, tolerance = 0): LargestVariance {
  const [samples = 0] = weights.shape;
  const roots = weights.sqrt();
  const centered = centeredGram(squaredDistances, weights);
  const { values, vectors } = eigh(centered.mul(roots.reshape([samples, 1])).mul(roots), { largest: 1, tolerance });
  const variance = values.reshape([]).maximum(0);
  const deviation = where(variance.greater(0), variance.sqrt(), Infinity);
  return { variance, along: centered.matmul(vectors.reshape([samples]).mul(roots)).div(deviation) };
}
