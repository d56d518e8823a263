import type { Scalar } from "@robgrad/tensor";

/**
 * The influence function of ρ(u) = u arctan u − ½ ln(1 + u²).
 *
 *   ψ(u) = arctan u
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in (−π/2, π/2).
 * @see      M. Holland, K. Ikeda (2019), Better generalization with less data using robust gradient descent.
 * @example  device.tensor([-3, 0.5, 3]).map(arctanInfluence)
 */
export function arctanInfluence(u: Scalar): Scalar {
  return u.atan();
}
