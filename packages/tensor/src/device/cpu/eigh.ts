import { largestEigenpairs } from "./largest-eigenpairs.js";

/** Turns for one eigenvalue; two are usual. */
const mostTurns = 60;

/** Eigenvalues and, as columns of `vectors` (row-major), their unit vectors. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Matrices up to this size are done whole. */
const small = 16;

/**
 * Eigenvalues and vectors of a symmetric matrix in float64: all of them, or the largest alone.
 *
 * @param a          [n, n] row-major; only its symmetric part counts. Overwritten.
 * @param count      How many of the largest, 0 … n.
 * @param tolerance  Of the residuals of a few, as a share of the matrix's size.
 * @returns  Ascending eigenvalues and their unit vectors with the largest component positive; null after 60 turns
 *           without convergence, and for elements that are not finite.
 */
export function symmetricEigen(a: Float64Array, n: number, count: number, tolerance: number): Eigen | null {
  let largest = 0;
  for (let i = 0; i < n * n; i++) largest = Math.max(largest, Math.abs(a[i] as number));
  if (!(largest < Infinity)) return null;
  // Brought near 1 by a power of two, which is exact: no product below overflows or vanishes.
  const scale = largest > 0 ? 2 ** Math.max(-1021, Math.floor(Math.log2(largest))) : 1;
  const factor = 0.5 / scale;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const half = (a[i * n + j] as number) * factor + (a[j * n + i] as number) * factor;
      a[i * n + j] = half;
      a[j * n + i] = half;
    }
  }
  const few = n > small && 8 * count <= n;
  const eigen = (few ? largestEigenpairs(a, n, count, tolerance) : null) ?? allEigenpairs(a, n, count);
  if (eigen === null) return null;
  const { values, vectors } = eigen;
  for (let at = 0; at < count; at++) {
    let most = 0;
    for (let k = 0; k < n; k++) {
      const component = vectors[k * count + at] as number;
      if (Math.abs(component) > Math.abs(most) + 1e-12) most = component;
    }
    if (most < 0) for (let k = 0; k < n; k++) vectors[k * count + at] = -(vectors[k * count + at] as number);
  }
  return { values: values.map((value) => scale * value), vectors };
}

/**
 * Reflections make the matrix tridiagonal, then the implicit QL method with Wilkinson's shifts.
 *
 * @returns  The `count` largest, ascending; null where it does not converge.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §8.3.
 */
function allEigenpairs(a: Float64Array, n: number, count: number): Eigen | null {
  const { diagonal, beside, rows } = tridiagonal(a, n);
  if (!diagonalize(diagonal, beside, rows, n)) return null;
  const order = Array.from({ length: n }, (_, i) => i)
    .sort((i, j) => (diagonal[i] as number) - (diagonal[j] as number))
    .slice(n - count);
  const vectors = new Float64Array(n * count);
  order.forEach((from, to) => {
    for (let k = 0; k < n; k++) vectors[k * count + to] = rows[from * n + k] as number;
  });
  return { values: Float64Array.from(order, (i) => diagonal[i] as number), vectors };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** beside[k] stands at (k, k + 1) and (k + 1, k); the last is 0. */
  readonly beside: Float64Array;
  /** Qᵀ with A = Q T Qᵀ. */
  readonly rows: Float64Array;
}

/** A = Q T Qᵀ by reflections I − β v vᵀ; `a` is overwritten. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const factors = new Float64Array(n);
  const image = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k] as number;
    if (k === n - 1) break;
    // Row k right of the diagonal becomes v.
    const v = a.subarray(k * n, (k + 1) * n);
    let rest = 0;
    for (let j = k + 2; j < n; j++) rest += (v[j] as number) ** 2;
    const first = v[k + 1] as number;
    beside[k] = first;
    // Beside a largest element near 1 such numbers are 0, and so their squares are normal.
    if (rest < 1e-200) continue;
    const length = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest);
    beside[k] = length;
    v[k + 1] = first - length;
    const beta = 2 / ((first - length) ** 2 + rest);
    factors[k] = beta;
    let overlap = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += (a[i * n + j] as number) * (v[j] as number);
      image[i] = beta * sum;
      overlap += beta * sum * (v[i] as number);
    }
    const half = (beta * overlap) / 2;
    for (let i = k + 1; i < n; i++) image[i] = (image[i] as number) - half * (v[i] as number);
    for (let i = k + 1; i < n; i++) {
      const [vi, wi] = [v[i] as number, image[i] as number];
      for (let j = k + 1; j < n; j++)
        a[i * n + j] = (a[i * n + j] as number) - (vi * (image[j] as number) + wi * (v[j] as number));
    }
  }
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    const beta = factors[k] as number;
    if (beta === 0) continue;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += (rows[i * n + j] as number) * (a[k * n + j] as number);
      for (let j = k + 1; j < n; j++)
        rows[i * n + j] = (rows[i * n + j] as number) - beta * sum * (a[k * n + j] as number);
    }
  }
  return { diagonal, beside, rows };
}

/** Turns a tridiagonal matrix into its eigenvalues, and `rows` into their vectors; false if that does not end. */
function diagonalize(diagonal: Float64Array, beside: Float64Array, rows: Float64Array, n: number): boolean {
  let size = 0;
  for (let k = 0; k < n; k++) size = Math.max(size, Math.abs(diagonal[k] as number) + Math.abs(beside[k] as number));
  const negligible = (k: number) => Math.abs(beside[k] as number) <= (Number.EPSILON / 2) * size;
  for (let first = 0; first < n; first++) {
    for (let turn = 0; ; turn++) {
      let last = first;
      while (last < n - 1 && !negligible(last)) last++;
      if (last === first) break;
      if (turn === mostTurns) return false;
      turnOnce(diagonal, beside, rows, n, first, last);
    }
  }
  return true;
}

/** One QL step on the block first … last, rotations chasing from its end to its beginning. */
function turnOnce(
  diagonal: Float64Array,
  beside: Float64Array,
  rows: Float64Array,
  n: number,
  first: number,
  last: number,
): void {
  const start = diagonal[first] as number;
  const edge = beside[first] as number;
  const ratio = ((diagonal[first + 1] as number) - start) / (2 * edge);
  const root = Math.sqrt(1 + ratio * ratio);
  let g = (diagonal[last] as number) - start + edge / (ratio + (ratio < 0 ? -root : root));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * (beside[i] as number);
    const b = cosine * (beside[i] as number);
    const length = Math.sqrt(f * f + g * g);
    beside[i + 1] = length;
    if (length === 0) {
      // The block has come apart; what is left of it gets a turn of its own.
      diagonal[i + 1] = (diagonal[i + 1] as number) - moved;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    g = (diagonal[i + 1] as number) - moved;
    const r = ((diagonal[i] as number) - g) * sine + 2 * cosine * b;
    moved = sine * r;
    diagonal[i + 1] = g + moved;
    g = cosine * r - b;
    const upper = i * n;
    const lower = upper + n;
    for (let k = 0; k < n; k++) {
      const x = rows[upper + k] as number;
      const y = rows[lower + k] as number;
      rows[lower + k] = sine * x + cosine * y;
      rows[upper + k] = cosine * x - sine * y;
    }
  }
  diagonal[first] = (diagonal[first] as number) - moved;
  beside[first] = g;
  beside[last] = 0;
}
