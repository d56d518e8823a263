import { codedError } from "../errors.js";
import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, tensorsIn } from "../scope.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { ConcatenatedSamples } from "./concatenated.js";
import { ExpandedSamples } from "./expanded.js";
import { mixedSamples } from "./mixed.js";
import {
  checkRange,
  checkTogether,
  meanOf,
  runColumns,
  streamedColumns,
  streamedDistances,
  streamedGram,
  streamedNorms,
} from "./questions.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** Row n is the sum of the parts' rows n: a parameter that is used in several places. */
class SummedSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors: Factors | null;
  readonly #parts: readonly SampleMatrix[];

  constructor(parts: readonly [SampleMatrix, ...SampleMatrix[]]) {
    const [first] = parts;
    this.samples = first.samples;
    this.features = first.features;
    this.shape = first.shape;
    this.#parts = parts;
    const factors = parts.map((part) => part.factors).filter((source) => source !== null);
    this.factors = factors.length === parts.length ? { kind: "summed", parts: factors } : null;
  }

  get device() {
    return (this.#parts[0] as SampleMatrix).device;
  }

  get dtype() {
    return (this.#parts[0] as SampleMatrix).dtype;
  }

  #total(answer: (part: SampleMatrix) => Tensor): Tensor {
    return this.#parts.map(answer).reduce((a, b) => a.add(b));
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    return f === undefined ? this.#total((part) => part.mean()) : meanOf(this, f, perFeature);
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    if (this.factors === null) {
      const size = { rows: this.samples, unit: sizeOf(this.shape.slice(1)) };
      return streamedColumns(this, program, perFeature, size);
    }
    return runColumns(this, this.factors, program, perFeature);
  }

  combine(weights: Tensor): Tensor {
    return this.#total((part) => part.combine(weights));
  }

  gram(): Tensor {
    return streamedGram(this);
  }

  squaredDistances(): Tensor {
    return streamedDistances(this);
  }

  squaredNorms(): Tensor {
    return streamedNorms(this);
  }

  dot(v: Tensor): Tensor {
    return this.#total((part) => part.dot(v));
  }

  scale(c: number | Tensor): SampleMatrix {
    return summed(this.#parts.map((part) => part.scale(c)));
  }

  mix(weights: Tensor): SampleMatrix {
    return mixedSamples(this, weights);
  }

  take(indices: Tensor): SampleMatrix {
    return summed(this.#parts.map((part) => part.take(indices)));
  }

  rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    return this.#total((part) => part.rows(range));
  }

  [ownedTensors](): Iterable<Tensor> {
    return tensorsIn([...this.#parts]);
  }
}

/**
 * The sum of sample matrices of one parameter, such as one tied between layers: added before any aggregation.
 *
 * Parts in factors of one layout are joined, so that nothing is lost; other parts are added column by column.
 *
 * @param parts  At least one; equal N and row shape, one dtype and device, none of them concatenated.
 * @returns      N × D.
 * @throws       SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, BAD_ARGUMENT for none.
 * @example      summed([denseSamples(device.ones([4, 2])), denseSamples(device.ones([4, 2]))]).mean()
 */
export function summed(parts: readonly SampleMatrix[]): SampleMatrix {
  const checked = checkTogether("summed", parts);
  const [first] = checked;
  for (const part of checked) {
    if (!sameShape(part.shape, first.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `summed: expected rows of one shape, found ${formatShape(first.shape)} ≠ ${formatShape(part.shape)}`,
      );
    }
    if (part instanceof ConcatenatedSamples)
      throw codedError("BAD_ARGUMENT", "summed: expected parts of one parameter each, found a concatenated one");
  }
  if (checked.length === 1) return first;
  if (first instanceof ExpandedSamples && checked.every((part) => first.joins(part))) {
    return ExpandedSamples.join(checked as readonly SampleMatrix[] as readonly ExpandedSamples[]);
  }
  return new SummedSamples(checked);
}
