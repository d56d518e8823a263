import { codedError } from "@robgrad/tensor";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { columnMeans } from "./column-means.js";
import { finiteRows, formatShape, type HostArray } from "./host-array.js";

/** Scores of samples on principal components, with what produced them. */
export interface PrincipalComponents extends HostArray {
  /** [K, D]: a unit vector a row, by falling variance. */
  readonly components: HostArray;
  /** K variances of the fitted rows along the components, divisor N − 1. */
  readonly variances: Float64Array;
  /** K shares of the total variance. */
  readonly ratios: Float64Array;
  /** D means of the fitted rows. */
  readonly mean: Float64Array;
}

/**
 * Projects samples onto their directions of largest variance.
 *
 *   C = (1/(N−1)) Σₙ (xₙ − x̄)(xₙ − x̄)ᵀ,   C vₖ = λₖ vₖ,  λ₁ ≥ λ₂ ≥ …,   z[n, k] = ⟨xₙ − x̄, vₖ⟩
 *
 * Sign rule: the loading of vₖ that is largest in absolute value is positive (of equal ones, the first). Forms the
 * D × D covariance matrix; meant for D up to a thousand.
 *
 * @param x           Samples [N, D].
 * @param components  Number K of components, 1 … D.
 * @param fitTo       Samples [M, D], M ≥ 2, that x̄ and the vₖ are taken from; x itself when left out.
 * @returns           Scores [N, K], which carry `components` [K, D], `variances`, `ratios` and `mean`.
 * @throws            SHAPE_MISMATCH when x or fitTo is not a matrix or their widths differ; BAD_ARGUMENT when
 *                    components is out of range; BAD_DATA when a value is not finite, or the fitted rows are fewer than
 *                    two or all equal.
 * @see               K. Pearson, On lines and planes of closest fit, Philosophical Magazine 2 (1901); tutorial, §5.
 * @example           const { ratios } = principalComponents(iris().features, { components: 2 });   // 0.9246, 0.0530
 */
export function principalComponents(
  x: HostArray,
  { components, fitTo = x }: { readonly components: number; readonly fitTo?: HostArray | undefined },
): PrincipalComponents {
  const { rows, width } = matrixRows("principalComponents: x", x);
  const fit = fitTo === x ? { rows, width } : matrixRows("principalComponents: fitTo", fitTo);
  if (fit.width !== width) {
    const found = `${fit.width} ≠ ${width} (fitTo: ${formatShape(fitTo.shape)}, x: ${formatShape(x.shape)})`;
    throw codedError("SHAPE_MISMATCH", `principalComponents: expected fitTo.shape[1] = x.shape[1], found ${found}`);
  }
  if (!Number.isInteger(components) || components < 1 || components > width) {
    throw codedError(
      "BAD_ARGUMENT",
      `principalComponents: expected components to be a whole number in [1, ${width}], found ${String(components)}`,
    );
  }
  if (fit.rows < 2)
    throw codedError("BAD_DATA", `principalComponents: expected at least two rows to fit to, found ${fit.rows}`);

  if (fitTo.values.every((value, k) => value === fitTo.values[k % width])) {
    throw codedError("BAD_DATA", "principalComponents: expected rows that differ, found all rows equal");
  }

  const mean = columnMeans(fitTo, fit.rows);
  const spread = fitTo.values.reduce((most, value, k) => Math.max(most, Math.abs(value - mean[k % width]!)), 0);
  const covariance = scaledCovariance(fitTo, mean, spread);
  const total = covariance.trace();
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  const order = realEigenvalues
    .map((_, k) => k)
    .sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!)
    .slice(0, components);
  const directions = order.map((k) => orient(eigenvectorMatrix.getColumn(k)));
  const eigenvalues = Float64Array.from(order, (k) => Math.max(0, realEigenvalues[k]!));

  const scores = new Float64Array(rows * components);
  for (let n = 0; n < rows; n++) {
    directions.forEach((direction, k) => {
      let score = 0;
      for (let d = 0; d < width; d++) score += (x.values[n * width + d]! - mean[d]!) * direction[d]!;
      scores[n * components + k] = score;
    });
  }
  return {
    values: scores,
    shape: [rows, components],
    components: { values: Float64Array.from(directions.flat()), shape: [components, width] },
    variances: eigenvalues.map((eigenvalue) => eigenvalue * spread ** 2),
    ratios: eigenvalues.map((eigenvalue) => eigenvalue / total),
    mean,
  };
}

function matrixRows(subject: string, x: HostArray) {
  const extents = finiteRows(subject, x);
  if (x.shape.length !== 2)
    throw codedError("SHAPE_MISMATCH", `${subject}: expected shape [N, D], found ${formatShape(x.shape)}`);
  return extents;
}

/** Covariance of x / spread. Entries far below rounding are 0: the eigensolver fails on subnormal numbers. */
function scaledCovariance(
  { values, shape: [rows = 0, width = 0] }: HostArray,
  mean: Float64Array,
  spread: number,
): Matrix {
  const centred = new Matrix(rows, width);
  values.forEach((value, k) => centred.set(Math.floor(k / width), k % width, (value - mean[k % width]!) / spread));
  const covariance = centred
    .transpose()
    .mmul(centred)
    .div(rows - 1);
  covariance.apply((d, e) => covariance.set(d, e, Math.abs(covariance.get(d, e)) < 1e-100 ? 0 : covariance.get(d, e)));
  return covariance;
}

function orient(direction: readonly number[]): readonly number[] {
  const largest = direction.reduce((best, loading) => (Math.abs(loading) > Math.abs(best) ? loading : best), 0);
  return largest < 0 ? direction.map((loading) => -loading) : direction;
}
