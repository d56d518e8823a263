import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, tensorsIn } from "../scope.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import {
  checkRange,
  checkVector,
  meanOf,
  mixRows,
  runColumns,
  streamedColumns,
  streamedDistances,
  streamedNorms,
  weightsFor,
} from "./questions.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** W G: M weighted combinations of N rows, formed column by column where they are needed. */
export class MixedSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors: Factors | null;
  protected readonly base: SampleMatrix;
  readonly #weights: Tensor;

  constructor(base: SampleMatrix, weights: Tensor) {
    this.samples = weights.shape[0] as number;
    this.features = base.features;
    this.shape = base.shape;
    this.base = base;
    this.#weights = weights;
    this.factors = base.factors && { kind: "mixed", weights, base: base.factors };
  }

  get device() {
    return this.base.device;
  }

  get dtype() {
    return this.base.dtype;
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    if (f !== undefined) return meanOf(this, f, perFeature);
    return this.base.combine(this.#weights.mean({ axis: 0 }));
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    if (this.factors === null) {
      const size = { rows: this.base.samples, unit: sizeOf(this.shape.slice(1)) };
      return streamedColumns(this, program, perFeature, size);
    }
    return runColumns(this, this.factors, program, perFeature);
  }

  combine(weights: Tensor): Tensor {
    return this.base.combine(weightsFor("combine", this, weights, [this.samples]).matmul(this.#weights));
  }

  gram(): Tensor {
    const half = mixRows(this.#weights, this.base.gram());
    return mixRows(this.#weights, half.transpose());
  }

  squaredDistances(): Tensor {
    return streamedDistances(this);
  }

  squaredNorms(): Tensor {
    return streamedNorms(this);
  }

  dot(v: Tensor): Tensor {
    const products = this.base.dot(v).reshape([this.base.samples, 1]);
    return mixRows(this.#weights, products).reshape([this.samples]);
  }

  scale(c: number | Tensor): SampleMatrix {
    if (typeof c !== "number") checkVector("scale", this, c, [this.samples]);
    return mixedSamples(this.base, this.#weights.mul(typeof c === "number" ? c : c.reshape([this.samples, 1])));
  }

  mix(weights: Tensor): SampleMatrix {
    return mixedSamples(this.base, weightsFor("mix", this, weights, [-1, this.samples]).matmul(this.#weights));
  }

  take(indices: Tensor): SampleMatrix {
    return mixedSamples(this.base, this.#weights.gather(indices));
  }

  rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    return mixRows(this.#weights, this.base.rows(range));
  }

  [ownedTensors](): Iterable<Tensor> {
    return [this.#weights, ...tensorsIn(this.base)];
  }
}

/** W G for a base whose coordinates are all formed in one way. */
export function mixedSamples(base: SampleMatrix, weights: Tensor): SampleMatrix {
  const w = weightsFor("mix", base, weights, [-1, base.samples]);
  return new MixedSamples(base, w);
}
