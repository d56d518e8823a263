import { codedError, type Generator } from "@robgrad/tensor";
import { columnMeans } from "./column-means.js";
import { contaminatedCount, type Contaminated } from "./contaminated.js";
import { finiteRows, type HostArray } from "./host-array.js";

/**
 * Pushes a few samples through the mean and far out on the other side.
 *
 *   x̃ = (1 + r) x̄ − r x,   r = kσ / ‖x − x̄‖,   σ² = (1/(N − correction)) Σₙ (dₙ − d̄)²,   dₙ = ‖xₙ − x̄‖
 *
 * A pushed sample lies on the circle of radius kσ about x̄. Mean and distances are those of all N rows before any is
 * pushed. ⌈fraction·N − 1e-9⌉ rows are drawn, the first ones of generator.permutation(N) that do not equal x̄, which
 * have no direction.
 *
 * @param x           Samples [N, …].
 * @param fraction    Share of rows to push, in [0, 1].
 * @param factor      k ≥ 0, the radius in standard deviations of the distances.
 * @param generator   Source of the permutation.
 * @param correction  Subtracted from N in the divisor of σ²: 0 (default), the published code's, or 1, the text's.
 * @returns           Array with the shape of x, which carries the pushed `rows`, ascending.
 * @throws            BAD_ARGUMENT when fraction, factor or correction is out of range; BAD_DATA when a value is not
 *                    finite, there are no rows, or fewer rows than wanted differ from the mean.
 * @see               Tutorial, §5 and Figure 3 (k = 10).
 * @example           const { rows } = pushOutliers(iris().features, { fraction: 0.02, factor: 1e4, generator: generator(0) });   // 3 of them
 */
export function pushOutliers(
  x: HostArray,
  {
    fraction,
    factor,
    generator,
    correction = 0,
  }: {
    readonly fraction: number;
    readonly factor: number;
    readonly generator: Generator;
    readonly correction?: number;
  },
): Contaminated {
  const { rows, width } = finiteRows("pushOutliers: x", x);
  const count = contaminatedCount("pushOutliers", fraction, rows);
  if (!(factor >= 0 && factor < Infinity)) {
    throw codedError("BAD_ARGUMENT", `pushOutliers: expected a finite factor ≥ 0, found ${String(factor)}`);
  }
  if (!(correction >= 0 && correction < rows)) {
    throw codedError(
      "BAD_ARGUMENT",
      `pushOutliers: expected correction in [0, ${rows}) for ${rows} rows, found ${String(correction)}`,
    );
  }

  const mean = columnMeans(x, rows);
  const distances = new Float64Array(rows);
  x.values.forEach((value, k) => (distances[Math.floor(k / width)]! += (value - mean[k % width]!) ** 2));
  distances.forEach((square, n) => (distances[n] = Math.sqrt(square)));
  const radius = factor * standardDeviation(distances, correction);

  const chosen = generator
    .permutation(rows)
    .filter((n) => distances[n]! > 0)
    .slice(0, count)
    .sort();
  if (chosen.length < count) {
    throw codedError(
      "BAD_DATA",
      `pushOutliers: expected ${count} rows that differ from the mean, found ${chosen.length}`,
    );
  }
  const values = x.values.slice();
  for (const n of chosen) {
    const ratio = radius / distances[n]!;
    for (let d = 0; d < width; d++) {
      const centre = mean[d]!;
      values[n * width + d] = centre - ratio * (x.values[n * width + d]! - centre);
    }
  }
  return { values, shape: x.shape, rows: chosen };
}

function standardDeviation(values: Float64Array, correction: number): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - correction));
}
