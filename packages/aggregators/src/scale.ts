import type { Column, Scalar } from "@robgrad/tensor";

/**
 * The spread of one coordinate's N values, in their units. It is handed their median, too.
 *
 * @example  const range: Scale = (c) => c.max().sub(c.min()); mEstimator({ scale: range })(gradients);
 */
export type Scale = (column: Column, median: Scalar) => Scalar;

/** Makes the median absolute deviation estimate the standard deviation of normal data: 1/Φ⁻¹(3/4), as it is printed. */
const normalConsistency = 1.4826;

/** Σₙ (xₙ − centre)² / (N − correction), the square of a column's standard deviation. */
export function varianceAbout(column: Column, center: Scalar | number, correction: number): Scalar {
  return column.sum((x) => x.sub(center).square()).div(column.length - correction);
}

/** 1.4826 · median |xₙ − centre|. */
export function medianDeviation(column: Column, center: Scalar | number): Scalar {
  return column
    .map((x) => x.sub(center).abs())
    .median()
    .mul(normalConsistency);
}

/** Standard deviation with divisor N − 1; 0 for a single value. */
export function standardDeviation(column: Column): Scalar {
  return varianceAbout(column, column.mean(), Math.min(1, column.length - 1)).sqrt();
}

/** 0.7413 times the distance between the quartiles, which estimates the standard deviation of normal data, too. */
export function interquartileRange(column: Column): Scalar {
  return column
    .quantile(0.75)
    .sub(column.quantile(0.25))
    .mul(normalConsistency / 2);
}
