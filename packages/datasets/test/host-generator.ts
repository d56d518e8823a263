import type { Generator } from "../src/generator.js";

/** Stand-in until @robgrad/tensor exports generator(). */
export function generator(seed: number): Generator {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  const unit = () => next() / 2 ** 32;
  const filled = (shape: readonly number[], draw: () => number) => ({
    values: Float64Array.from({ length: shape.reduce((p, e) => p * e, 1) }, draw),
    shape,
  });
  return {
    uniform: (shape, { low = 0, high = 1 } = {}) => filled(shape, () => low + (high - low) * unit()),
    normal: (shape, { mean = 0, standardDeviation = 1 } = {}) =>
      filled(
        shape,
        () => mean + standardDeviation * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
      ),
    permutation(n) {
      const order = Int32Array.from({ length: n }, (_, k) => k);
      for (let k = n - 1; k > 0; k--) {
        const j = Math.floor(unit() * (k + 1));
        [order[k], order[j]] = [order[j]!, order[k]!];
      }
      return order;
    },
    bits: (n) => Uint32Array.from({ length: n }, next),
    split: () => generator(next()),
  };
}
