import { codedError, type Generator } from "@robgrad/tensor";
import { contaminatedCount, drawRows, type Contaminated } from "./contaminated.js";
import { finiteRows, type HostArray } from "./host-array.js";

/**
 * Adds independent normal noise to every value of all or of a few samples.
 *
 *   x̃[n, d] = x[n, d] + ε[n, d],   ε ~ N(0, standardDeviation²)
 *
 * ⌈fraction·N − 1e-9⌉ rows are drawn, the first ones of generator.permutation(N), and disturbed in ascending order.
 *
 * @param x                  Samples [N, …].
 * @param standardDeviation  Of the noise, ≥ 0, in the units of x.
 * @param generator          Source of the rows and of the noise.
 * @param fraction           Share of rows to disturb, in [0, 1]; 1 when left out.
 * @returns                  Array with the shape of x, which carries the disturbed `rows`, ascending.
 * @throws                   BAD_ARGUMENT when an option is out of range; BAD_DATA when a value is not finite or there
 *                           are no rows.
 * @example                  const noisy = gaussianNoise(iris().features, { standardDeviation: 0.1, generator: generator(0) });
 */
export function gaussianNoise(
  x: HostArray,
  {
    standardDeviation,
    generator,
    fraction = 1,
  }: { readonly standardDeviation: number; readonly generator: Generator; readonly fraction?: number },
): Contaminated {
  const { rows, width } = finiteRows("gaussianNoise: x", x);
  const count = contaminatedCount("gaussianNoise", fraction, rows);
  if (!(standardDeviation >= 0 && standardDeviation < Infinity)) {
    throw codedError(
      "BAD_ARGUMENT",
      `gaussianNoise: expected a finite standardDeviation ≥ 0, found ${String(standardDeviation)}`,
    );
  }
  const chosen = drawRows(generator, rows, count);
  const noise = generator.normal([count, width], { standardDeviation }).values;
  const values = x.values.slice();
  chosen.forEach((row, k) => {
    for (let d = 0; d < width; d++) values[row * width + d] = values[row * width + d]! + noise[k * width + d]!;
  });
  return { values, shape: x.shape, rows: chosen };
}
