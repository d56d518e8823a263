import type { Column, Scalar } from "@robgrad/tensor";

/** Makes the median absolute deviation estimate the standard deviation of normal data: 1/Φ⁻¹(3/4), as it is printed. */
const normalConsistency = 1.4826;

/** Σₙ (xₙ − centre)² / (N − correction), the square of a column's standard deviation. */
export function varianceAbout(column: Column, center: Scalar, correction: number): Scalar {
  return column.sum((x) => x.sub(center).square()).div(column.length - correction);
}

/** 1.4826 · median |xₙ − m|, m the median. */
export function medianDeviation(column: Column, median: Scalar): Scalar {
  return column
    .map((x) => x.sub(median).abs())
    .median()
    .mul(normalConsistency);
}
