import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import { reduceFormula } from "../ops/reduction.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { sizeOf } from "../shape.js";
import { codedError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { ownedTensors } from "../scope.js";
import { mixedSamples } from "./mixed.js";
import {
  checkRange,
  checkTensors,
  checkVector,
  weightsFor,
  distancesOfRows,
  meanOf,
  runColumns,
  square,
  weighted,
} from "./questions.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** Rows that exist as a tensor. */
class DenseSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors: Factors;
  readonly #source: Tensor;
  readonly #rows: Tensor;

  constructor(rows: Tensor) {
    const [samples = 0, ...shape] = rows.shape;
    this.samples = samples;
    this.shape = shape;
    this.features = sizeOf(shape);
    this.#source = rows;
    this.#rows = rows.reshape([samples, this.features]);
    this.factors = { kind: "dense", rows: this.#rows };
  }

  get device() {
    return this.#rows.device;
  }

  get dtype() {
    return this.#rows.dtype;
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    return f === undefined ? this.#rows.mean({ axis: 0 }) : meanOf(this, f, perFeature);
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    return runColumns(this, this.factors, program, perFeature);
  }

  combine(weights: Tensor): Tensor {
    const w = weightsFor("combine", this, weights, [this.samples]);
    return reduceFormula("sum", weighted, [w.reshape([this.samples, 1]), this.#rows], { axis: 0 });
  }

  gram(): Tensor {
    return this.#rows.matmul(this.#rows.transpose());
  }

  squaredDistances(): Tensor {
    return distancesOfRows(this.#rows);
  }

  squaredNorms(): Tensor {
    return reduceFormula("sum", square, [this.#rows], { axis: 1 });
  }

  dot(v: Tensor): Tensor {
    checkVector("dot", this, v, [this.features]);
    return this.#rows.matmul(v);
  }

  scale(c: number | Tensor): SampleMatrix {
    if (typeof c === "number") return denseSamples(this.#source.mul(c));
    checkVector("scale", this, c, [this.samples]);
    return denseSamples(this.#source.mul(c.reshape([this.samples, ...this.shape.map(() => 1)])));
  }

  mix(weights: Tensor): SampleMatrix {
    return mixedSamples(this, weights);
  }

  take(indices: Tensor): SampleMatrix {
    return denseSamples(this.#source.gather(indices));
  }

  rows(range?: readonly [start: number, stop: number]): Tensor {
    if (range === undefined) return this.#rows;
    checkRange(this, range);
    return this.#rows.slice(null, range);
  }

  [ownedTensors](): readonly Tensor[] {
    return [this.#source, this.#rows];
  }
}

/**
 * A sample matrix whose rows are at hand: N × D memory.
 *
 * @param rows  [N, …shape], floating; row n is the gradient of sample n.
 * @returns     The matrix; it shares the tensor's memory.
 * @throws      SHAPE_MISMATCH for rank 0, DTYPE_MISMATCH for integers.
 * @example     denseSamples(device.tensor([[1, 2], [3, 4]])).mean()
 */
export function denseSamples(rows: Tensor): SampleMatrix {
  checkTensors("denseSamples", [rows]);
  if (rows.shape.length === 0) throw codedError("SHAPE_MISMATCH", "denseSamples: expected a sample axis, found rank 0");
  return new DenseSamples(rows);
}
