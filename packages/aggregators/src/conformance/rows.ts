import { generator } from "@robgrad/tensor";

/** Gradients on the host: N rows of D numbers. */
export type Rows = readonly (readonly number[])[];

export function normalRows(count: number, width: number, seed: number): number[][] {
  const { values } = generator(seed).normal([count, width]);
  return Array.from({ length: count }, (_, n) => Array.from(values.subarray(n * width, (n + 1) * width)));
}

/** Normal rows about a point away from 0, the last of every five ten times as far out as the others. */
export function someRows(count: number, width: number, seed: number): Rows {
  return normalRows(count, width, seed).map((row, n) => row.map((value) => (n % 5 === 4 ? 10 * value : value) + 0.7));
}

export const mapRows = (rows: Rows, f: (value: number, row: number, column: number) => number): Rows =>
  rows.map((row, n) => row.map((value, d) => f(value, n, d)));

/** Rows times a matrix. */
export const multiply = (rows: Rows, matrix: Rows): Rows =>
  rows.map((row) =>
    (matrix[0] as readonly number[]).map((_, d) =>
      row.reduce((total, value, k) => total + value * at(matrix, k, d), 0),
    ),
  );

export const at = (rows: Rows, n: number, d: number): number => (rows[n] as readonly number[])[d] as number;

/** A random orthogonal matrix: Gram–Schmidt on normal rows. */
export function orthogonalMatrix(size: number, seed: number): Rows {
  const basis: number[][] = [];
  for (const row of normalRows(size, size, seed)) {
    let rest = row;
    // Twice, so that rounding leaves nothing of the earlier rows.
    for (const earlier of [...basis, ...basis]) {
      const along = earlier.reduce((total, value, k) => total + value * (rest[k] as number), 0);
      rest = rest.map((value, k) => value - along * (earlier[k] as number));
    }
    const length = Math.hypot(...rest);
    basis.push(rest.map((value) => value / length));
  }
  return basis;
}

/** The mean of the rows' norms: what differences are measured by. */
export const sizeOf = (rows: Rows): number =>
  rows.reduce((total, row) => total + Math.hypot(...row), 0) / Math.max(1, rows.length);
