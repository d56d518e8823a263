import type { Tensor } from "@robgrad/tensor";

/**
 * Inner products of rows less their weighted mean, from squared distances D: without the cancellation that products of
 * the rows themselves suffer from a large common part.
 *
 *   K_mn = ⟨gₘ − μ, gₙ − μ⟩ = −½ (D_mn − (Dw)ₘ − (Dw)ₙ + wᵀDw),   μ = Σ wₙ gₙ
 *
 * @param squaredDistances  [..., N, N]
 * @param weights           [..., N] or [N], of sum 1
 * @see   W. Torgerson (1952), Multidimensional scaling: I. Theory and method.
 */
export function centeredGram(squaredDistances: Tensor, weights: Tensor): Tensor {
  const w = weights.reshape([...weights.shape, 1]);
  const reach = squaredDistances.matmul(w);
  const energy = reach.mul(w).sum({ axis: -2, keepdims: true });
  const across = reach.transpose();
  return squaredDistances.sub(reach).sub(across).add(energy).mul(-0.5);
}
