import type { ColumnProgram } from "../kernel/column.js";
import { concat } from "../ops/manipulation.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, tensorsIn, withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { checkRange, checkTogether, checkVector } from "./questions.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** Row n is the parts' rows n one after another: several parameters as one vector. */
export class ConcatenatedSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors = null;
  readonly parts: readonly SampleMatrix[];

  constructor(parts: readonly [SampleMatrix, ...SampleMatrix[]]) {
    this.parts = parts;
    this.samples = parts[0].samples;
    this.features = parts.reduce((total, part) => total + part.features, 0);
    this.shape = [this.features];
  }

  get device() {
    return (this.parts[0] as SampleMatrix).device;
  }

  get dtype() {
    return (this.parts[0] as SampleMatrix).dtype;
  }

  /** Answers per coordinate, set side by side; per-feature tensors are cut to match. */
  #beside(perFeature: readonly Tensor[], answer: (part: SampleMatrix, own: readonly Tensor[]) => Tensor): Tensor {
    perFeature.forEach((x) => checkVector("columns", this, x, [this.features]));
    let start = 0;
    return withoutTemporaries(this.device, () =>
      concat(
        this.parts.map((part) => {
          const range = [start, (start += part.features)] as const;
          return answer(
            part,
            perFeature.map((x) => x.slice(range)),
          );
        }),
      ),
    );
  }

  /** Answers per sample or pair, added up. */
  #total(answer: (part: SampleMatrix) => Tensor): Tensor {
    return this.parts.map(answer).reduce((a, b) => a.add(b));
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    return this.#beside(perFeature, (part, own) => part.mean(f, ...own));
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    return this.#beside(perFeature, (part, own) => part.columns(program, ...own));
  }

  combine(weights: Tensor): Tensor {
    return this.#beside([], (part) => part.combine(weights));
  }

  gram(): Tensor {
    return this.#total((part) => part.gram());
  }

  squaredDistances(): Tensor {
    return this.#total((part) => part.squaredDistances());
  }

  squaredNorms(): Tensor {
    return this.#total((part) => part.squaredNorms());
  }

  dot(v: Tensor): Tensor {
    checkVector("dot", this, v, [this.features]);
    let start = 0;
    return this.#total((part) => part.dot(v.slice([start, (start += part.features)])));
  }

  scale(c: number | Tensor): SampleMatrix {
    return concatenated(this.parts.map((part) => part.scale(c)));
  }

  mix(weights: Tensor): SampleMatrix {
    return concatenated(this.parts.map((part) => part.mix(weights)));
  }

  take(indices: Tensor): SampleMatrix {
    return concatenated(this.parts.map((part) => part.take(indices)));
  }

  rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    const [first, last] = range;
    const pieces: Tensor[] = [];
    let start = 0;
    for (const part of this.parts) {
      const from = Math.max(first, start) - start;
      const to = Math.min(last, start + part.features) - start;
      if (from < to) pieces.push(part.rows([from, to]));
      start += part.features;
    }
    return pieces.length === 0
      ? this.device.zeros([this.samples, 0], { dtype: this.dtype })
      : concat(pieces, { axis: 1 });
  }

  [ownedTensors](): Iterable<Tensor> {
    return tensorsIn([...this.parts]);
  }
}

/**
 * Several sample matrices as one: row n holds the parts' rows n one after another. Rules that look at whole vectors
 * (norms, distances) then see a group of parameters as one.
 *
 * @param parts  At least one; equal N, one dtype and device.
 * @returns      N × ΣD.
 * @throws       SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, BAD_ARGUMENT for none.
 * @example      concatenated([denseSamples(device.ones([4, 2])), denseSamples(device.ones([4, 3]))]).features
 */
export function concatenated(parts: readonly SampleMatrix[]): SampleMatrix {
  return new ConcatenatedSamples(checkTogether("concatenated", parts));
}
