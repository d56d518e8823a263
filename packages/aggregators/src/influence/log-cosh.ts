import type { Scalar } from "@robgrad/tensor";

/**
 * The influence function of ρ(u) = ln cosh u.
 *
 *   ψ(u) = tanh u
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in (−1, 1).
 * @see      M. Holland, K. Ikeda (2019), Better generalization with less data using robust gradient descent.
 * @example  device.tensor([-3, 0.5, 3]).map(logCoshInfluence)
 */
export function logCoshInfluence(u: Scalar): Scalar {
  return u.tanh();
}
