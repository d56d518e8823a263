import { codedError } from "../errors.js";
import type { ColumnProgram } from "../kernel/column.js";
import { concat } from "../ops/manipulation.js";
import { ownedTensors, tensorsIn } from "../scope.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { concatenated, ConcatenatedSamples } from "./concatenated.js";
import { ExpandedSamples } from "./expanded.js";
import { MixedSamples } from "./mixed.js";
import { checkRange, distancesOfRows, gramOfRows, normsOfRows, streamed, streamedColumns } from "./questions.js";
import type { SampleMatrix } from "./sample-matrix.js";

/** Blocks of one length that follow each other. */
interface Run {
  readonly first: number;
  readonly count: number;
  readonly length: number;
}

/** The means of contiguous blocks of rows: a tile of them is one batched product, or two where lengths differ. */
class BlockMeans extends MixedSamples {
  readonly #runs: readonly Run[];
  /** The base in factors, every row divided by the length of its block. */
  readonly #shares: ExpandedSamples | null;

  constructor(base: SampleMatrix, averages: Tensor) {
    super(base, averages);
    const blocks = this.samples;
    const length = Math.floor(base.samples / blocks);
    const longer = base.samples % blocks;
    this.#runs = [
      { first: 0, count: longer, length: length + 1 },
      { first: longer * (length + 1), count: blocks - longer, length },
    ].filter(({ count }) => count > 0);
    this.#shares = base instanceof ExpandedSamples ? this.#divided(base) : null;
  }

  override columns(program: ColumnProgram, ...perFeature: readonly Tensor[]): Tensor {
    return streamedColumns(this, program, perFeature, this.#tile);
  }

  override gram(): Tensor {
    return streamed(this, gramOfRows, this.#tile);
  }

  override squaredDistances(): Tensor {
    return streamed(this, distancesOfRows, this.#tile);
  }

  override squaredNorms(): Tensor {
    return streamed(this, normsOfRows, this.#tile);
  }

  override rows(range: readonly [start: number, stop: number] = [0, this.features]): Tensor {
    checkRange(this, range);
    const parts = this.#runs.map((run) => this.#means(run, range));
    return parts.length === 1 ? (parts[0] as Tensor) : concat(parts);
  }

  #divided(base: ExpandedSamples): ExpandedSamples {
    if (this.#runs.length === 1) return base.scale(this.samples / base.samples);
    const shares = this.#runs.flatMap(({ count, length }) => new Array<number>(count * length).fill(1 / length));
    return base.scale(base.device.tensor(shares, { dtype: base.dtype }));
  }

  /** How many rows a tile of means takes the room of, and the columns that it had better hold all of. */
  get #tile(): { readonly rows: number; readonly unit: number } {
    const shares = this.#shares;
    return shares === null
      ? { rows: this.base.samples, unit: this.base.factors === null ? sizeOf(this.shape.slice(1)) : 1 }
      : { rows: this.samples, unit: shares.x.shape[2] as number };
  }

  #means({ first, count, length }: Run, range: readonly [number, number]): Tensor {
    const samples = [first, first + count * length] as const;
    if (this.#shares !== null) return this.#shares.sumsOf(samples, count, range);
    const rows = this.base.rows(range).slice(samples);
    return rows.reshape([count, length, range[1] - range[0]]).mean({ axis: 1 });
  }

  override [ownedTensors](): Iterable<Tensor> {
    return [...super[ownedTensors](), ...(this.#shares === null ? [] : tensorsIn(this.#shares))];
  }
}

/**
 * [K, N]: row k averages block k. Blocks are contiguous, the first N mod K one sample longer.
 *
 * @throws  BAD_ARGUMENT for more blocks than samples.
 */
export function blockAverages(matrix: SampleMatrix, blocks: number): Tensor {
  const { samples, device, dtype } = matrix;
  if (blocks > samples) {
    throw codedError(
      "BAD_ARGUMENT",
      `expected blocks in 1 … N = ${samples}, found ${blocks}; use fewer blocks or a larger batch`,
    );
  }
  const averages = new Float64Array(blocks * samples);
  const size = Math.floor(samples / blocks);
  const longer = samples % blocks;
  for (let block = 0, start = 0; block < blocks; block++) {
    const length = size + (block < longer ? 1 : 0);
    averages.fill(1 / length, block * samples + start, block * samples + start + length);
    start += length;
  }
  return device.tensor(averages, { shape: [blocks, samples], dtype });
}

/**
 * `matrix.mix(averages)` for {@link blockAverages}, without a walk over the zeros in them.
 *
 * @returns  K × D.
 */
export function blockMeans(matrix: SampleMatrix, averages: Tensor): SampleMatrix {
  if (matrix instanceof ConcatenatedSamples)
    return concatenated(matrix.parts.map((part) => blockMeans(part, averages)));
  return new BlockMeans(matrix, averages);
}
