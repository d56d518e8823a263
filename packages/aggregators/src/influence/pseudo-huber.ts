import type { Scalar } from "@robgrad/tensor";

/**
 * The influence function of ρ(u) = 2(√(1 + u²/2) − 1), Huber's made smooth.
 *
 *   ψ(u) = u / √(1 + u²/2)
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in (−√2, √2).
 * @see      M. Holland, K. Ikeda (2019), Better generalization with less data using robust gradient descent.
 * @example  device.tensor([-3, 0.5, 3]).map(pseudoHuberInfluence)
 */
export function pseudoHuberInfluence(u: Scalar): Scalar {
  // Beyond 1e9 the bound is reached to all digits, and u² would overflow float32.
  const c = u.clamp(-1e9, 1e9);
  return c.div(c.square().mul(0.5).add(1).sqrt());
}
