import type { Scalar } from "@robgrad/tensor";

/**
 * The influence function of soft truncation.
 *
 *   ψ(u) = u − u³/6 for |u| ≤ √2, ±2√2/3 beyond;   that is c − c³/6 with c = clamp(u, ±√2)
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), in [−2√2/3, 2√2/3].
 * @see      Tutorial, equation (2); O. Catoni, I. Giulini (2017), Dimension-free PAC-Bayesian bounds, equation (2.1).
 * @example  device.tensor([-3, 0.5, 3]).map(catoniGiulini)
 */
export function catoniGiulini(u: Scalar): Scalar {
  const c = u.clamp(-Math.SQRT2, Math.SQRT2);
  return c.sub(
    c
      .mul(c)
      .mul(c)
      .mul(1 / 6),
  );
}
