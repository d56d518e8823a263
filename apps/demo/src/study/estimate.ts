import jstat from "jstat";

export const { mean, median, stdev: standardDeviation } = jstat.jStat;

/** A mean with what is known of its error. */
export interface Estimate {
  readonly count: number;
  readonly mean: number;
  /** s/√n, s with divisor n − 1; NaN for a single value. */
  readonly standardError: number;
  /** 95 % interval; NaN at both ends for a single value. */
  readonly interval: readonly [number, number];
}

/**
 * The mean of independent values with its 95 % interval.
 *
 *   m ± t · s/√n,   s² = (1/(n−1)) Σ (xᵢ − m)²,   t the 0.975 quantile of Student's t with n − 1 degrees of freedom
 *
 * Values of a study are bimodal, so that the interval is rough below some thirty trials.
 *
 * @example  estimate([0.04, 0.06, 0.72]).mean
 */
export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const center = mean(values);
  const standardError = count > 1 ? standardDeviation(values, true) / Math.sqrt(count) : NaN;
  const reach = count > 1 ? quantile(count - 1) * standardError : NaN;
  return { count, mean: center, standardError, interval: [center - reach, center + reach] };
}

const quantiles = new Map<number, number>();

/** 0.975 quantile of Student's t; found once for the hundreds of points of a curve. */
function quantile(degreesOfFreedom: number): number {
  const known = quantiles.get(degreesOfFreedom) ?? jstat.jStat.studentt.inv(0.975, degreesOfFreedom);
  quantiles.set(degreesOfFreedom, known);
  return known;
}

/**
 * The mean of paired differences xᵢ − yᵢ with its 95 % interval.
 *
 * Two variants of one trial share data and initial weights, so differences vary less than either side.
 *
 * @throws   RangeError when the lists differ in length.
 * @example  pairedDifference([0.4, 0.7], [0.1, 0.2]).mean   // 0.4
 */
export function pairedDifference(x: readonly number[], y: readonly number[]): Estimate {
  if (x.length !== y.length) {
    throw new RangeError(`pairedDifference: expected as many values on both sides, found ${x.length} ≠ ${y.length}`);
  }
  return estimate(x.map((value, i) => value - y[i]!));
}
