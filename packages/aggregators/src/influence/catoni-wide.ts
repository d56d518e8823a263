import { where, type Scalar } from "@robgrad/tensor";

/**
 * The widest influence function that Catoni's bounds allow. It grows like 2 ln u.
 *
 *   ψ(u) = sign(u) · ln(1 + |u| + u²/2)
 *
 * @param u  A standardized residual.
 * @returns  ψ(u), unbounded.
 * @see      O. Catoni (2012), Challenging the empirical mean and empirical variance, equation (2.2).
 * @example  device.tensor([-3, 0.5, 3]).map(catoniWideInfluence)
 */
export function catoniWideInfluence(u: Scalar): Scalar {
  const a = u.abs();
  const near = a.mul(a.mul(0.5).add(1)).log1p();
  // ln(u² (1/2 + 1/u + 1/u²)), since u² overflows where u does not.
  const r = a.reciprocal();
  const far = a
    .log()
    .mul(2)
    .add(r.mul(r.add(1)).add(0.5).log());
  return u.sign().mul(where(a.less(1), near, far));
}
