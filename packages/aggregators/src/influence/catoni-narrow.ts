import type { Scalar } from "@robgrad/tensor";

/**
 * The narrowest influence function that Catoni's bounds allow.
 *
 *   ψ(u) = −ln(1 − u + u²/2) on [0, 1], ln 2 beyond, and odd
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in [−ln 2, ln 2].
 * @see      O. Catoni (2012), Challenging the empirical mean and empirical variance, equation (2.3).
 * @example  device.tensor([-3, 0.5, 3]).map(catoniNarrowInfluence)
 */
export function catoniNarrowInfluence(u: Scalar): Scalar {
  const a = u.abs().minimum(1);
  return u.sign().mul(a.mul(a.mul(0.5).sub(1)).log1p().neg());
}
