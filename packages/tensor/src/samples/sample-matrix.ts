import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import type { Device } from "../device/device.js";
import type { DType } from "../dtype.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import type { Tensor } from "../tensor.js";

/**
 * N samples by D features; row n is the gradient of sample n's loss, unscaled. It answers questions: cheap ones stay
 * in the factors a layer has anyway, only `rows` forms N × D. Every form gives the same answers.
 */
export interface SampleMatrix {
  /** N */
  readonly samples: number;
  /** D, the product of `shape` */
  readonly features: number;
  /** Shape of one row: that of the parameter. */
  readonly shape: readonly number[];
  readonly device: Device;
  readonly dtype: DType;

  /** (1/N) Σₙ f(gₙ, a, b, …) → [D], coordinate by coordinate; without f the mean row. `a`, `b` … are [D]. */
  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor;
  /** Any coordinate-wise rule → [D], in memory bounded by N per coordinate. Extra tensors [D] reach the program as scalars. */
  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor;
  /** Σₙ wₙ gₙ → [D] for weights [N] of any dtype; weight 0 excludes even a non-finite row. */
  combine(weights: Tensor): Tensor;
  /** ⟨gₘ, gₙ⟩ → [N, N]. */
  gram(): Tensor;
  /** ‖gₘ − gₙ‖² → [N, N], without the cancellation of Gram entries. */
  squaredDistances(): Tensor;
  /** ‖gₙ‖² → [N]. */
  squaredNorms(): Tensor;
  /** ⟨gₙ, v⟩ → [N] for v [D]. */
  dot(v: Tensor): Tensor;
  /** Rows times c, or row n times c[n]. */
  scale(c: number | Tensor): SampleMatrix;
  /** W G for W [M, N]: block means, neighbour mixing. Nothing is formed; weight 0 excludes even a non-finite row. */
  mix(weights: Tensor): SampleMatrix;
  /** Rows chosen by an int32 tensor [M]. */
  take(indices: Tensor): SampleMatrix;
  /** [N, D], or [N, stop − start] for columns start … stop − 1: the honest fallback. */
  rows(range?: readonly [start: number, stop: number]): Tensor;

  /** Where column kernels find the values; null where no single source describes all coordinates. @internal */
  readonly factors: Factors | null;
  /** Where there are none: factors whose products are as large as any value of the sample's row. @internal */
  readonly bounds?: Factors;
}

export const sampleMatrixBrand: unique symbol = Symbol.for("robgrad.samples");

/**
 * Tells a sample matrix (of any copy of this package) from other values.
 *
 * @example  isSampleMatrix(denseSamples(device.ones([4, 3])))
 */
export function isSampleMatrix(value: unknown): value is SampleMatrix {
  return typeof value === "object" && value !== null && sampleMatrixBrand in value;
}
