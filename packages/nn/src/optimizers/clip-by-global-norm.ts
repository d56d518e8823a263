import { codedError, tidy, type Tensor } from "@robgrad/tensor";
import type { Parameter } from "../parameter.js";

/**
 * Gradients scaled down together so that their norm, over all parameters as one vector, is at most c.
 *
 *   g ← g · min(1, c / ‖g‖)
 *
 * Meant for what `aggregate` returns; a rule that clips each sample's gradient is an aggregator. Entries are divided by the
 * largest one before they are squared, so that large ones do not overflow.
 *
 * @param gradients  A tensor for every parameter.
 * @param maxNorm    c > 0, finite, in units of the gradient.
 * @returns          A map with the same keys and shapes.
 * @throws           BAD_ARGUMENT for another `maxNorm`, DEVICE_MISMATCH or DTYPE_MISMATCH for gradients that differ in it.
 * @see              R. Pascanu, T. Mikolov, Y. Bengio (2013), On the difficulty of training recurrent neural networks,
 *                   Algorithm 1.
 * @example          optimizer.update(clipByGlobalNorm(gradients, 1));
 */
export function clipByGlobalNorm(
  gradients: ReadonlyMap<Parameter, Tensor>,
  maxNorm: number,
): ReadonlyMap<Parameter, Tensor> {
  if (!(maxNorm > 0 && maxNorm < Infinity)) {
    throw codedError("BAD_ARGUMENT", `clipByGlobalNorm: expected a finite maxNorm > 0, found ${maxNorm}`);
  }
  return tidy(() => {
    const [first, ...others] = [...gradients.values()].filter((g) => g.size > 0);
    if (first === undefined) return new Map(gradients);
    const largest = others.reduce((so, g) => so.maximum(g.abs().max()), first.abs().max());
    // Gradients that are all 0 stay so.
    const unit = largest.map((u) => u.add(u.equal(0)));
    const squares = (g: Tensor) => g.div(unit).square().sum();
    const norm = others.reduce((so, g) => so.add(squares(g)), squares(first)).sqrt();
    // c / (unit · norm) in two divisions, neither of which leaves the range of numbers.
    const factor = norm.map((r, u) => u.reciprocal().mul(maxNorm).div(r).minimum(1), unit);
    return new Map([...gradients].map(([parameter, g]) => [parameter, g.mul(factor)]));
  });
}
