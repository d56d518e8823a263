import type { Scalar, ScalarFunction } from "@robgrad/tensor";

/**
 * Hampel's influence function in three parts. It comes back to 0, as {@link tukeyInfluence} does.
 *
 *   |ψ(u)| = |u| up to a, a up to b, a (c − |u|)/(c − b) up to c, 0 beyond; ψ is odd
 *
 * @param a  Where it flattens, > 0.
 * @param b  Where it starts to fall, ≥ a.
 * @param c  Where it ends, > b. (1.7, 3.4, 8.5) are the usual three.
 * @returns  ψ, for {@link mEstimator}.
 * @see      F. Hampel (1974), The influence curve and its role in robust estimation.
 * @example  device.tensor([-9, 0.5, 3]).map(hampelInfluence(1.7, 3.4, 8.5))
 */
export function hampelInfluence(a: number, b: number, c: number): ScalarFunction {
  return (u: Scalar) => {
    const distance = u.abs().minimum(c);
    const falling = distance
      .neg()
      .add(c)
      .mul(a / (c - b));
    return u.sign().mul(distance.minimum(a).minimum(falling));
  };
}
