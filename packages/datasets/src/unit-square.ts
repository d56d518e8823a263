import { codedError } from "@robgrad/tensor";
import { finiteRows, formatShape, type HostArray } from "./host-array.js";

/** Samples scaled to the unit interval per feature, with the range that was mapped. */
export interface UnitSquare extends HostArray {
  /** D smallest values of the fitted rows. */
  readonly minimum: Float64Array;
  /** D largest values of the fitted rows. */
  readonly maximum: Float64Array;
}

/**
 * Scales every feature to the unit interval.
 *
 *   y[n, d] = (x[n, d] − min_d) / (max_d − min_d)
 *
 * With `fitTo`, rows of x outside the fitted range land outside [0, 1]: nothing is clipped. A feature that is constant
 * over the fitted rows is shifted to 0 and not scaled.
 *
 * @param x      Samples [N, …].
 * @param fitTo  Samples [M, …] that the ranges are taken from; x itself when left out.
 * @returns      Array with the shape of x, which carries `minimum` and `maximum`.
 * @throws       SHAPE_MISMATCH when x and fitTo differ in their features; BAD_DATA when a value is not finite or there
 *               are no rows.
 * @see          Tutorial, §5.
 * @example      const plane = unitSquare(principalComponents(iris().features, { components: 2 }));
 */
export function unitSquare(x: HostArray, { fitTo = x }: { readonly fitTo?: HostArray | undefined } = {}): UnitSquare {
  const { width } = finiteRows("unitSquare: x", x);
  finiteRows("unitSquare: fitTo", fitTo);
  if (String(fitTo.shape.slice(1)) !== String(x.shape.slice(1))) {
    const found = `fitTo: ${formatShape(fitTo.shape)}, x: ${formatShape(x.shape)}`;
    throw codedError("SHAPE_MISMATCH", `unitSquare: expected fitTo and x to have the same features, found ${found}`);
  }
  const minimum = new Float64Array(width).fill(Infinity);
  const maximum = new Float64Array(width).fill(-Infinity);
  fitTo.values.forEach((value, k) => {
    minimum[k % width] = Math.min(minimum[k % width]!, value);
    maximum[k % width] = Math.max(maximum[k % width]!, value);
  });
  const values = x.values.map((value, k) => {
    const low = minimum[k % width]!;
    return (value - low) / (maximum[k % width]! - low || 1);
  });
  return { values, shape: x.shape, minimum, maximum };
}
