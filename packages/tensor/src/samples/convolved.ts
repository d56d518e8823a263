import type { ColumnProgram } from "../kernel/column.js";
import type { Factors } from "../kernel/kernel.js";
import { convolutionWeightGradients, convolve, type Convolution } from "../ops/convolution.js";
import { assignInto, empty } from "../ops/creation.js";
import { mapExpression } from "../ops/elementwise.js";
import { reduceFormula } from "../ops/reduction.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { ownedTensors, tidy, withoutTemporaries } from "../scope.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { mixedSamples } from "./mixed.js";
import {
  checkRange,
  checkVector,
  columnsOf,
  distancesOfRows,
  gramOfRows,
  included,
  meanOf,
  normsOfRows,
  product,
  weighted,
  weightsFor,
} from "./questions.js";
import { sampleMatrixBrand, type SampleMatrix } from "./sample-matrix.js";

/** Elements of the rows that are formed at a time: 1 MiB in float32; more only where N windows of one channel need more. */
const rowElements = 2 ** 18;

/** Weights [q range, c range, …kernel] of the groups in a range; q and c count within a group. */
interface Tile {
  readonly groups: readonly [start: number, stop: number];
  readonly outputs: readonly [start: number, stop: number];
  readonly channels: readonly [start: number, stop: number];
}

/** Row n is Σₜ δₙₜ ⊗ windowₙₜ over the windows of sample n's images: a convolution's weights. */
class ConvolvedSamples implements SampleMatrix {
  readonly [sampleMatrixBrand] = true;
  readonly samples: number;
  readonly features: number;
  readonly shape: readonly number[];
  readonly factors = null;
  readonly #delta: Tensor;
  readonly #x: Tensor;
  readonly #windows: Convolution;

  constructor(delta: Tensor, x: Tensor, windows: Convolution) {
    this.#delta = delta;
    this.#x = x;
    this.#windows = windows;
    this.samples = delta.shape[0] as number;
    this.shape = [delta.shape[2] as number, (x.shape[2] as number) / windows.groups, ...windows.kernel];
    this.features = sizeOf(this.shape);
  }

  get bounds(): Factors {
    return { kind: "expanded", delta: flat(this.#delta), x: flat(this.#x) };
  }

  get device() {
    return this.#delta.device;
  }

  get dtype() {
    return this.#delta.dtype;
  }

  mean(f?: ScalarFunction, ...perFeature: readonly Tensor[]): Tensor {
    if (f !== undefined) return meanOf(this, f, perFeature);
    return withoutTemporaries(this.device, () => this.#sum(this.#delta, this.#x).mul(1 / this.samples));
  }

  /** Σₙ of the rows → [D] */
  #sum(delta: Tensor, x: Tensor): Tensor {
    const together = (factor: Tensor) => {
      const [samples, uses, ...rest] = factor.shape as [number, number, ...number[]];
      return factor.reshape([1, samples * uses, ...rest]);
    };
    return convolutionWeightGradients(together(delta), together(x), this.#windows).reshape([this.features]);
  }

  columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    perFeature.forEach((x) => checkVector("columns", this, x, [this.features]));
    const tiles = this.#tiles();
    if (tiles.length === 1) {
      return withoutTemporaries(this.device, () => columnsOf(this.rows(), program, perFeature));
    }
    const out = empty(this.device, this.dtype, [this.features]);
    for (const tile of tiles) {
      tidy(() => {
        const own = perFeature.map((x) => {
          const place = this.#placeOf(x, tile);
          return place.reshape([place.size]);
        });
        const place = this.#placeOf(out, tile);
        assignInto(place, columnsOf(this.#rowsOf(tile), program, own).reshape(place.shape));
      });
    }
    return out;
  }

  combine(weights: Tensor): Tensor {
    const rank = this.#delta.shape.length;
    const ones = Array.from({ length: rank - 1 }, () => 1);
    const w = weightsFor("combine", this, weights, [this.samples]).reshape([this.samples, ...ones]);
    // Both factors are masked: 0 · ∞ in the other one would still be NaN.
    return withoutTemporaries(this.device, () =>
      this.#sum(mapExpression("combine", weighted, [w, this.#delta]), mapExpression("combine", included, [w, this.#x])),
    );
  }

  gram(): Tensor {
    return this.#streamed(gramOfRows);
  }

  squaredDistances(): Tensor {
    return this.#streamed(distancesOfRows);
  }

  squaredNorms(): Tensor {
    return this.#streamed(normsOfRows);
  }

  dot(v: Tensor): Tensor {
    checkVector("dot", this, v, [this.features]);
    return withoutTemporaries(this.device, () => {
      const [samples, uses, ...rest] = this.#x.shape as [number, number, ...number[]];
      const projected = convolve(this.#x.reshape([samples * uses, ...rest]), v.reshape(this.shape), this.#windows);
      const axis = this.#delta.shape.map((_, k) => k).slice(1);
      return reduceFormula("sum", product, [this.#delta, projected.reshape(this.#delta.shape)], { axis });
    });
  }

  scale(c: number | Tensor): SampleMatrix {
    if (typeof c !== "number") checkVector("scale", this, c, [this.samples]);
    const factor = typeof c === "number" ? c : c.reshape([this.samples, ...this.#delta.shape.slice(1).map(() => 1)]);
    return new ConvolvedSamples(this.#delta.mul(factor), this.#x, this.#windows);
  }

  mix(weights: Tensor): SampleMatrix {
    return mixedSamples(this, weights);
  }

  take(indices: Tensor): SampleMatrix {
    return new ConvolvedSamples(this.#delta.gather(indices), this.#x.gather(indices), this.#windows);
  }

  rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    const [start, stop] = range;
    if (start === stop) return this.device.zeros([this.samples, 0], { dtype: this.dtype });
    const { groups } = this.#windows;
    const [outputs, channels] = this.shape as [number, number];
    const width = this.features / outputs;
    // Whole outputs, of whole groups where there are several; the range is cut out of them.
    const unit = groups === 1 ? 1 : outputs / groups;
    const first = Math.floor(start / (width * unit));
    const last = Math.ceil(stop / (width * unit));
    const from = first * width * unit;
    return withoutTemporaries(this.device, () => {
      const tile: Tile =
        groups === 1
          ? { groups: [0, 1], outputs: [first, last], channels: [0, channels] }
          : { groups: [first, last], outputs: [0, unit], channels: [0, channels] };
      return this.#rowsOf(tile).slice(null, [start - from, stop - from]);
    });
  }

  /** Tiles that keep rows within {@link rowElements}; no window is copied twice unless one channel is too much. */
  #tiles(): Tile[] {
    const { groups, kernel } = this.#windows;
    const [all, channels] = this.shape as [number, number];
    const outputs = all / groups;
    const element = this.samples * sizeOf(kernel);
    const cut = (extent: number, size: number) =>
      Array.from({ length: Math.ceil(extent / size) }, (_, k) => {
        return [k * size, Math.min(extent, (k + 1) * size)] as const;
      });
    const fitting = (size: number) => Math.max(1, Math.floor(rowElements / Math.max(1, size)));
    const groupsAtOnce = fitting(element * outputs * channels);
    return cut(groups, groupsAtOnce).flatMap((range) =>
      range[1] - range[0] > 1
        ? [{ groups: range, outputs: [0, outputs], channels: [0, channels] } satisfies Tile]
        : cut(channels, fitting(element * outputs)).flatMap((own) =>
            cut(outputs, fitting(element * (own[1] - own[0]))).map((q): Tile => ({
              groups: range,
              outputs: q,
              channels: own,
            })),
          ),
    );
  }

  /** The rows of a tile's weights: [N, weights]. */
  #rowsOf({ groups: [first, last], outputs, channels }: Tile): Tensor {
    const { groups } = this.#windows;
    const [q, c] = [(this.shape[0] as number) / groups, this.shape[1] as number];
    const rows = convolutionWeightGradients(
      this.#delta.slice(null, null, [first * q + outputs[0], (last - 1) * q + outputs[1]]),
      this.#x.slice(null, null, [first * c + channels[0], (last - 1) * c + channels[1]]),
      { ...this.#windows, groups: last - first },
    );
    return rows.reshape([this.samples, sizeOf(rows.shape.slice(1))]);
  }

  /** A tile's part of what there is for every feature. */
  #placeOf(perFeature: Tensor, { groups: [first, last], outputs, channels }: Tile): Tensor {
    const q = (this.shape[0] as number) / this.#windows.groups;
    return perFeature.reshape(this.shape).slice([first * q + outputs[0], (last - 1) * q + outputs[1]], channels);
  }

  /** Σ over tiles of what `answer` makes of their rows. */
  #streamed(answer: (rows: Tensor) => Tensor): Tensor {
    return this.#tiles()
      .map((tile) => () => tidy(() => answer(this.#rowsOf(tile))))
      .reduce<Tensor | null>((total, part) => {
        if (total === null) return part();
        const sum = tidy(() => total.add(part()));
        total.dispose();
        return sum;
      }, null) as Tensor;
  }

  [ownedTensors](): readonly Tensor[] {
    return [this.#delta, this.#x];
  }
}

/** [N, …] as [N, 1, elements] */
function flat(factor: Tensor): Tensor {
  return factor.reshape([factor.shape[0] as number, 1, sizeOf(factor.shape.slice(1))]);
}

/**
 * The sample matrix of a convolution's weights: row n is Σₜ δₙₜ ⊗ windowₙₜ. Memory is that of δ and x; windows are copied
 * for as many images at a time as 1 MiB holds.
 *
 * @param delta  [N, U, Q, …counts], the gradients at the outputs of the U images of every sample.
 * @param x      [N, U, C, …space], the images, padding included.
 * @returns      N × Q·C/groups·kernel, rows of shape [Q, C / groups, …kernel].
 */
export function convolved(delta: Tensor, x: Tensor, windows: Convolution): SampleMatrix {
  return new ConvolvedSamples(delta, x, windows);
}
