import type { Scalar, ScalarFunction } from "@robgrad/tensor";

/**
 * Fair's influence function.
 *
 *   ψ(u) = u / (1 + |u|/c)
 *
 * @param c  Its bound, > 0; 1.3998 is 95 % as efficient as the mean on normal data.
 * @returns  ψ, for {@link mEstimator}.
 * @see      R. Fair (1974), On the robust estimation of econometric models.
 * @example  device.tensor([-3, 0.5, 3]).map(fairInfluence(1.3998))
 */
export function fairInfluence(c: number): ScalarFunction {
  return (u: Scalar) =>
    u.div(
      u
        .abs()
        .mul(1 / c)
        .add(1),
    );
}
