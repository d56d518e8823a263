import { codedError } from "../errors.js";
import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import { mapExpression } from "../ops/elementwise.js";
import { concat } from "../ops/manipulation.js";
import { reduceFormula } from "../ops/reduction.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, withoutTemporaries } from "../scope.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { mixedSamples } from "./mixed.js";
import {
  checkRange,
  checkTensors,
  checkVector,
  weightsFor,
  included,
  meanOf,
  product,
  runColumns,
  streamedDistances,
  streamedGram,
  streamedNorms,
  weighted,
} from "./questions.js";
import { rankOneDistances, rankOneGram, rankOneNorms } from "./rank-one.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** Row n is Σₜ δₙₜ ⊗ xₙₜ: a layer used T times per sample. T = 1 is the outer product of a plain layer. */
export class ExpandedSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors: Factors;
  readonly delta: Tensor;
  readonly x: Tensor;

  constructor(delta: Tensor, x: Tensor, shape: readonly number[]) {
    this.delta = delta;
    this.x = x;
    this.samples = delta.shape[0] as number;
    this.shape = shape;
    this.features = sizeOf(shape);
    this.factors = { kind: "expanded", delta, x };
  }

  get device() {
    return this.delta.device;
  }

  get dtype() {
    return this.delta.dtype;
  }

  /** T, Q, P */
  get #extents(): readonly [number, number, number] {
    return [this.delta.shape[1] as number, this.delta.shape[2] as number, this.x.shape[2] as number];
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    if (f !== undefined) return meanOf(this, f, perFeature);
    return this.#sum(this.delta, this.x).mul(1 / this.samples);
  }

  /** Σₙ Σₜ δₙₜ ⊗ xₙₜ → [D] */
  #sum(delta: Tensor, x: Tensor): Tensor {
    const [steps, q, p] = this.#extents;
    const flat = [this.samples * steps, -1] as const;
    const rows = steps * this.samples === 0 ? ([0, q] as const) : flat;
    const columns = steps * this.samples === 0 ? ([0, p] as const) : flat;
    return delta.reshape(rows).transpose().matmul(x.reshape(columns)).reshape([this.features]);
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    return runColumns(this, this.factors, program, perFeature);
  }

  combine(weights: Tensor): Tensor {
    const w = weightsFor("combine", this, weights, [this.samples]).reshape([this.samples, 1, 1]);
    // Both factors are masked: 0 · ∞ in the other one would still be NaN.
    return withoutTemporaries(this.device, () =>
      this.#sum(mapExpression("combine", weighted, [w, this.delta]), mapExpression("combine", included, [w, this.x])),
    );
  }

  gram(): Tensor {
    const [steps, q, p] = this.#extents;
    if (steps === 1) return rankOneGram(this.#first(this.delta), this.#first(this.x));
    if (steps * steps * (p + q) >= p * q) return streamedGram(this);
    const pairs = (factor: Tensor) => {
      const flat = factor.reshape([this.samples * steps, factor.shape[2] as number]);
      return flat.matmul(flat.transpose()).reshape([this.samples, steps, this.samples, steps]);
    };
    return reduceFormula("sum", product, [pairs(this.delta), pairs(this.x)], { axis: [1, 3] });
  }

  squaredDistances(): Tensor {
    if (this.#extents[0] !== 1) return streamedDistances(this);
    return rankOneDistances(this.#first(this.delta), this.#first(this.x));
  }

  squaredNorms(): Tensor {
    const [steps, q, p] = this.#extents;
    if (steps === 1) return rankOneNorms(this.#first(this.delta), this.#first(this.x));
    if (steps * (p + q) >= p * q) return streamedNorms(this);
    const pairs = (factor: Tensor) => factor.matmul(factor.transpose());
    return reduceFormula("sum", product, [pairs(this.delta), pairs(this.x)], { axis: [1, 2] });
  }

  #first(factor: Tensor): Tensor {
    return factor.reshape([this.samples, factor.shape[2] as number]);
  }

  dot(v: Tensor): Tensor {
    checkVector("dot", this, v, [this.features]);
    const [, q, p] = this.#extents;
    const projected = this.x.matmul(v.reshape([q, p]).transpose());
    return reduceFormula("sum", product, [this.delta, projected], { axis: [1, 2] });
  }

  scale(c: number | Tensor): ExpandedSamples {
    if (typeof c === "number") return new ExpandedSamples(this.delta.mul(c), this.x, this.shape);
    checkVector("scale", this, c, [this.samples]);
    return new ExpandedSamples(this.delta.mul(c.reshape([this.samples, 1, 1])), this.x, this.shape);
  }

  mix(weights: Tensor): SampleMatrix {
    return mixedSamples(this, weights);
  }

  take(indices: Tensor): SampleMatrix {
    return new ExpandedSamples(this.delta.gather(indices), this.x.gather(indices), this.shape);
  }

  rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    return this.sumsOf([0, this.samples], this.samples, range);
  }

  /** Sums of the rows of `count` equal blocks of the samples start … stop − 1, in columns of a range. */
  sumsOf(
    samples: readonly [start: number, stop: number],
    count: number,
    [start, stop]: readonly [start: number, stop: number],
  ): Tensor {
    const [steps, q, p] = this.#extents;
    if (start === stop) return this.device.zeros([count, 0], { dtype: this.dtype });
    // Whole blocks of P columns are one batched product; the range is cut out of them.
    const first = Math.floor(start / p);
    const last = Math.ceil(stop / p);
    const uses = count === 0 ? 0 : ((samples[1] - samples[0]) / count) * steps;
    const grouped = (factor: Tensor, width: number) => factor.slice(samples).reshape([count, uses, width]);
    const sums = grouped(this.delta, q)
      .slice(null, null, [first, last])
      .transpose()
      .matmul(grouped(this.x, p))
      .reshape([count, (last - first) * p]);
    return sums.slice(null, [start - first * p, stop - first * p]);
  }

  /** This and others of the same layout as one: their uses follow each other. */
  static join(parts: readonly ExpandedSamples[]): SampleMatrix {
    const [first] = parts as readonly [ExpandedSamples];
    return new ExpandedSamples(
      concat(
        parts.map((part) => part.delta),
        { axis: 1 },
      ),
      concat(
        parts.map((part) => part.x),
        { axis: 1 },
      ),
      first.shape,
    );
  }

  /** True when `other` has factors of the same extents, T aside. */
  joins(other: SampleMatrix): other is ExpandedSamples {
    return (
      other instanceof ExpandedSamples &&
      sameShape(other.shape, this.shape) &&
      other.delta.shape[2] === this.delta.shape[2] &&
      other.x.shape[2] === this.x.shape[2]
    );
  }

  [ownedTensors](): readonly Tensor[] {
    return [this.delta, this.x];
  }
}

function checkFactors(subject: string, delta: Tensor, x: Tensor, rank: number): void {
  checkTensors(subject, [delta, x]);
  const lead = rank - 1;
  const agree =
    delta.shape.length === rank &&
    x.shape.length === rank &&
    sameShape(delta.shape.slice(0, lead), x.shape.slice(0, lead));
  if (!agree) {
    const wanted = rank === 2 ? "delta [N, Q] and x [N, P]" : "delta [N, T, Q] and x [N, T, P]";
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected ${wanted}, found ${formatShape(delta.shape)} and ${formatShape(x.shape)}`,
    );
  }
}

function rowShape(subject: string, delta: Tensor, x: Tensor, shape: readonly number[] | undefined): readonly number[] {
  const natural = [delta.shape.at(-1) as number, x.shape.at(-1) as number];
  if (shape === undefined) return natural;
  if (sizeOf(shape) !== sizeOf(natural)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected a row shape of ${sizeOf(natural)} elements, found ${formatShape(shape)}`,
    );
  }
  return shape;
}

/**
 * The sample matrix of a layer y = x Wᵀ: row n is δₙ ⊗ xₙ. N × (P + Q) memory.
 *
 * @param delta    [N, Q], the gradient at the layer's output.
 * @param x        [N, P], the layer's input.
 * @param options  `shape` of one row, [Q, P] unless given.
 * @returns        N × PQ in factors.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH.
 * @see            I. Goodfellow (2015), Efficient per-example gradient computations.
 * @example        outer(device.ones([4, 3]), device.ones([4, 2])).squaredNorms()
 */
export function outer(delta: Tensor, x: Tensor, { shape }: { readonly shape?: readonly number[] } = {}): SampleMatrix {
  checkFactors("outer", delta, x, 2);
  const [n, q] = delta.shape as [number, number];
  const p = x.shape[1] as number;
  return new ExpandedSamples(delta.reshape([n, 1, q]), x.reshape([n, 1, p]), rowShape("outer", delta, x, shape));
}

/**
 * The sample matrix of a layer used T times per sample: row n is Σₜ δₙₜ ⊗ xₙₜ. N × T × (P + Q) memory.
 *
 * @param delta    [N, T, Q], the gradients at the layer's outputs.
 * @param x        [N, T, P], the layer's inputs.
 * @param options  `shape` of one row, [Q, P] unless given.
 * @returns        N × PQ in factors.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH.
 * @example        expanded(device.ones([4, 5, 3]), device.ones([4, 5, 2])).mean()
 */
export function expanded(
  delta: Tensor,
  x: Tensor,
  { shape }: { readonly shape?: readonly number[] } = {},
): SampleMatrix {
  checkFactors("expanded", delta, x, 3);
  return new ExpandedSamples(delta, x, rowShape("expanded", delta, x, shape));
}
