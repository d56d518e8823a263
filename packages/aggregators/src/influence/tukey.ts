import type { Scalar, ScalarFunction } from "@robgrad/tensor";

/**
 * Tukey's biweight. It comes back to 0: what is far away does not count at all, and Σψ = 0 has more than one solution.
 *
 *   ψ(u) = u (1 − (u/c)²)² for |u| ≤ c, 0 beyond
 *
 * @param c  Where it ends, > 0; 4.685 is 95 % as efficient as the mean on normal data.
 * @returns  ψ, for {@link mEstimator}.
 * @see      A. Beaton, J. Tukey (1974), The fitting of power series.
 * @example  device.tensor([-6, 0.5, 3]).map(tukeyInfluence(4.685))
 */
export function tukeyInfluence(c: number): ScalarFunction {
  return (u: Scalar) => {
    const v = u.clamp(-c, c);
    return v.mul(v.div(c).square().neg().add(1).square());
  };
}
