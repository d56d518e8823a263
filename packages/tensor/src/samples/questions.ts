import { codedError } from "../errors.js";
import { traceColumn, type ColumnProgram } from "../kernel/column.js";
import { factorsShape, type Factors } from "../kernel/kernel.js";
import { empty } from "../ops/creation.js";
import { operandsOf, sameDType } from "../ops/elementwise.js";
import { concat } from "../ops/manipulation.js";
import { reduceFormula } from "../ops/reduction.js";
import { apply, constant, input } from "../scalar/expression.js";
import type { ScalarFunction } from "../scalar/scalar.js";
import { tidy } from "../scope.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { SampleMatrix } from "./sample-matrix.js";

// Answers that several forms of sample matrix share, and the checks of what they are asked.

/** Elements of a streamed tile: 1 MiB in float64, whatever N and D are. */
const tileElements = 2 ** 17;

const difference = apply("sub", input(0), input(1));
export const squaredDifference = apply("square", difference);
export const product = apply("mul", input(0), input(1));
export const square = apply("square", input(0));

/** w · g, and 0 where the weight is 0 whatever g is. */
export const weighted = apply("where", apply("notEqual", input(0), constant(0)), product, constant(0));
/** g, and 0 where the weight is 0 whatever g is. */
export const included = apply("where", apply("notEqual", input(0), constant(0)), input(1), constant(0));

export function checkFloating(subject: string, x: Tensor): void {
  if (x.dtype !== "float32" && x.dtype !== "float64") {
    throw codedError(
      "DTYPE_MISMATCH",
      `${subject}: expected floating samples, found ${x.dtype} ${formatShape(x.shape)}`,
    );
  }
}

/** Checks a tensor argument's shape and that it lives with the matrix. */
export function checkVector(subject: string, matrix: SampleMatrix, x: Tensor, shape: readonly number[]): void {
  const matches =
    x.shape.length === shape.length && shape.every((extent, axis) => extent < 0 || x.shape[axis] === extent);
  if (!matches) {
    const wanted = `[${shape.map((extent) => (extent < 0 ? "M" : extent)).join(", ")}]`;
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected shape ${wanted}, found ${formatShape(x.live(subject).shape)}`,
    );
  }
  if (x.device !== matrix.device)
    throw codedError("DEVICE_MISMATCH", `${subject}: expected a tensor on the device of the samples`);
  if (x.dtype !== matrix.dtype)
    throw codedError("DTYPE_MISMATCH", `${subject}: expected ${matrix.dtype} as the samples are, found ${x.dtype}`);
}

/** Weights in the dtype of the samples: a one-hot row or a mask made elsewhere serves as well. */
export function weightsFor(subject: string, matrix: SampleMatrix, weights: Tensor, shape: readonly number[]): Tensor {
  const cast = weights.live(subject).dtype === matrix.dtype ? weights : weights.cast(matrix.dtype);
  checkVector(subject, matrix, cast, shape);
  return cast;
}

export function checkRange(matrix: SampleMatrix, [start, stop]: readonly [number, number]): void {
  const valid =
    Number.isInteger(start) && Number.isInteger(stop) && 0 <= start && start <= stop && stop <= matrix.features;
  if (!valid) {
    throw codedError(
      "BAD_ARGUMENT",
      `rows: expected columns 0 ≤ start ≤ stop ≤ ${matrix.features}, found ${start} and ${stop}`,
    );
  }
}

/** Runs a column program over a factor source. */
export function runColumns(
  matrix: SampleMatrix,
  factors: Factors,
  program: ColumnProgram,
  perFeature: readonly Tensor[],
): Tensor {
  perFeature.forEach((x) => checkVector("columns", matrix, x, [matrix.features]));
  const { samples, features } = factorsShape(factors);
  const out = empty(matrix.device, matrix.dtype, [features]);
  out.device.run({
    form: "column",
    out,
    program: traceColumn(program, samples, perFeature.length),
    factors,
    operands: perFeature,
  });
  return out;
}

/** mean(f) as a column program. */
export function meanOf(matrix: SampleMatrix, f: ScalarFunction, perFeature: readonly Tensor[]): Tensor {
  return matrix.columns((c, ...scalars) => c.mean(f, ...scalars), ...perFeature);
}

/** What a tile takes: its column as many elements as there are rows in memory, and columns in units that go together. */
interface TileSize {
  readonly rows: number;
  readonly unit: number;
}

/** Ranges of columns, at least one. */
export function tilesOf(features: number, { rows, unit }: TileSize): (readonly [start: number, stop: number])[] {
  const most = Math.max(1, Math.floor(tileElements / Math.max(1, rows)));
  const width = most < unit ? most : most - (most % unit);
  const count = Math.max(1, Math.ceil(features / width));
  return Array.from({ length: count }, (_, k) => [k * width, Math.min(features, (k + 1) * width)]);
}

/** Σ over tiles of columns of what `answer` makes of a tile [N, width]; memory stays that of one tile. */
export function streamed(
  matrix: SampleMatrix,
  answer: (tile: Tensor, range: readonly [start: number, stop: number]) => Tensor,
  size: TileSize = { rows: matrix.samples, unit: 1 },
): Tensor {
  const [first, ...others] = tilesOf(matrix.features, size) as [readonly [number, number]];
  const part = (range: readonly [number, number]) => answer(matrix.rows(range), range);
  return others.reduce(
    (total: Tensor, range) => {
      const sum = tidy(() => total.add(part(range)));
      total.dispose();
      return sum;
    },
    tidy(() => part(first)),
  );
}

export function distancesOfRows(rows: Tensor): Tensor {
  const [n, d] = rows.shape as [number, number];
  return reduceFormula("sum", squaredDifference, [rows.reshape([n, 1, d]), rows.reshape([1, n, d])], { axis: 2 });
}

export function gramOfRows(rows: Tensor): Tensor {
  return rows.matmul(rows.transpose());
}

export function normsOfRows(rows: Tensor): Tensor {
  return reduceFormula("sum", square, [rows], { axis: 1 });
}

/** A column program tile by tile over rows that are formed for it: bounded memory where no kernel reads the values. */
export function streamedColumns(
  matrix: SampleMatrix,
  program: ColumnProgram,
  perFeature: readonly Tensor[],
  size: TileSize = { rows: matrix.samples, unit: 1 },
): Tensor {
  perFeature.forEach((x) => checkVector("columns", matrix, x, [matrix.features]));
  const answers = tilesOf(matrix.features, size).map((range) =>
    tidy(() =>
      columnsOf(
        matrix.rows(range),
        program,
        perFeature.map((x) => x.slice(range)),
      ),
    ),
  );
  if (answers.length === 1) return answers[0] as Tensor;
  const joined = concat(answers);
  for (const answer of answers) answer.dispose();
  return joined;
}

/** A column program over rows [N, D] that are at hand. */
export function columnsOf(rows: Tensor, program: ColumnProgram, perFeature: readonly Tensor[]): Tensor {
  const out = empty(rows.device, rows.dtype, rows.shape.slice(1));
  const [samples] = rows.shape as [number];
  out.device.run({
    form: "column",
    out,
    program: traceColumn(program, samples, perFeature.length),
    factors: { kind: "dense", rows },
    operands: perFeature,
  });
  return out;
}

export function streamedDistances(matrix: SampleMatrix): Tensor {
  return streamed(matrix, distancesOfRows);
}

export function streamedGram(matrix: SampleMatrix): Tensor {
  return streamed(matrix, gramOfRows);
}

export function streamedNorms(matrix: SampleMatrix): Tensor {
  return streamed(matrix, normsOfRows);
}

/** Σₙ w[m, n] · x[n, d], weight 0 excluding even a non-finite value. */
export function mixRows(weights: Tensor, rows: Tensor): Tensor {
  const [m, n] = weights.shape as [number, number];
  return reduceFormula("sum", weighted, [weights.reshape([m, n, 1]), rows.reshape([1, n, rows.shape[1] as number])], {
    axis: 1,
  });
}

/** Checks that matrices can be added or set side by side. */
export function checkTogether(
  subject: string,
  matrices: readonly SampleMatrix[],
): readonly [SampleMatrix, ...SampleMatrix[]] {
  const [first, ...others] = matrices;
  if (first === undefined)
    throw codedError("BAD_ARGUMENT", `${subject}: expected at least one sample matrix, found none`);
  for (const other of others) {
    if (other.samples !== first.samples) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected equal numbers of samples, found ${first.samples} ≠ ${other.samples}`,
      );
    }
    if (other.device !== first.device)
      throw codedError("DEVICE_MISMATCH", `${subject}: expected samples on one device`);
    if (other.dtype !== first.dtype) {
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected samples of one dtype, found ${first.dtype} ≠ ${other.dtype}`,
      );
    }
  }
  return [first, ...others];
}

export function checkTensors(subject: string, tensors: readonly Tensor[]): void {
  operandsOf(subject, tensors);
  sameDType(subject, tensors);
  for (const x of tensors) checkFloating(subject, x);
}
