import { reduceFormula } from "../ops/reduction.js";
import { apply, input } from "../scalar/expression.js";
import { sizeOf } from "../shape.js";
import { withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { ConcatenatedSamples } from "./concatenated.js";
import { ExpandedSamples } from "./expanded.js";
import { checkVector, product, squaredDifference, streamed } from "./questions.js";
import type { SampleMatrix } from "./sample-matrix.js";

/** (δ · x − v)² */
const squaredDifferenceOfProduct = apply("square", apply("sub", product, input(2)));

/**
 * Squared distances of all rows from one vector.
 *
 *   dₙ = ‖gₙ − v‖²
 *
 * Differences are formed where values are, so what rows and v have in common costs no digits; of the rows no more than a
 * tile is in memory.
 *
 * @param v   [D], on the matrix's device and of its dtype.
 * @returns   [N], in the units of the rows squared.
 * @throws    SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH when v is not so.
 * @example   squaredDistancesTo(denseSamples(device.ones([5, 3])), device.zeros([3]))   // 3 five times
 */
export function squaredDistancesTo(matrix: SampleMatrix, v: Tensor): Tensor {
  checkVector("squaredDistancesTo", matrix, v, [matrix.features]);
  return withoutTemporaries(matrix.device, () => distancesTo(matrix, v));
}

function distancesTo(matrix: SampleMatrix, v: Tensor): Tensor {
  if (matrix instanceof ConcatenatedSamples) {
    let start = 0;
    return matrix.parts
      .map((part) => distancesTo(part, v.slice([start, (start += part.features)])))
      .reduce((a, b) => a.add(b));
  }
  if (matrix instanceof ExpandedSamples && matrix.delta.shape[1] === 1) {
    const { samples, delta, x } = matrix;
    const [q, p] = [delta.shape[2] as number, x.shape[2] as number];
    const operands = [delta.reshape([samples, q, 1]), x.reshape([samples, 1, p]), v.reshape([1, q, p])];
    return reduceFormula("sum", squaredDifferenceOfProduct, operands, { axis: [1, 2] });
  }
  return streamed(
    matrix,
    (rows, range) => reduceFormula("sum", squaredDifference, [rows, v.slice(range)], { axis: 1 }),
    { rows: matrix.samples, unit: sizeOf(matrix.shape.slice(1)) },
  );
}
