import type { Scalar, ScalarFunction } from "@robgrad/tensor";

/**
 * Huber's influence function.
 *
 *   ψ(u) = clamp(u, ±k)
 *
 * @param k  Where it flattens, > 0; 1.345 is 95 % as efficient as the mean on normal data.
 * @returns  ψ, for {@link mEstimator}.
 * @see      P. Huber (1964), Robust estimation of a location parameter.
 * @example  device.tensor([-3, 0.5, 3]).map(huberInfluence(1.345))
 */
export function huberInfluence(k: number): ScalarFunction {
  return (u: Scalar) => u.clamp(-k, k);
}
