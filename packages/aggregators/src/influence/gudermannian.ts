import type { Scalar } from "@robgrad/tensor";

/**
 * The Gudermannian function, whose derivative is 1/cosh u.
 *
 *   ψ(u) = 2 arctan(tanh(u/2))
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in (−π/2, π/2).
 * @see      M. Holland, K. Ikeda (2019), Better generalization with less data using robust gradient descent.
 * @example  device.tensor([-3, 0.5, 3]).map(gudermannianInfluence)
 */
export function gudermannianInfluence(u: Scalar): Scalar {
  return u.mul(0.5).tanh().atan().mul(2);
}
