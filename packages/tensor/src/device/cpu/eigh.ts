import type { View } from "../../kernel/kernel.js";
import { largestEigenpairs, type KrylovSpace } from "./largest-eigenpairs.js";
import { elements, type Routine } from "./routine.js";

/** Turns for one eigenvalue; two are usual. */
const mostTurns = 60;

/** Eigenvalues and, as columns of `vectors` (row-major), their unit vectors. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** A matrix brought near 1 by a power of two, which is exact: no product of its elements overflows or vanishes. */
export interface Scaled<M> {
  readonly matrix: M;
  /** What its eigenvalues are to be multiplied by. */
  readonly scale: number;
}

/** The power of two near the largest magnitude of a matrix. */
export function scaleOf(largest: number): number {
  return largest > 0 ? 2 ** Math.max(-1021, Math.floor(Math.log2(largest))) : 1;
}

/**
 * Where products of a matrix with vectors are made, or null where that can't be.
 *
 * @param a        [B, n, n]
 * @param k        Which of the B.
 * @param scaled   The matrix in JavaScript; null for elements that are not finite.
 */
export type SpaceOf<V> = (
  a: View,
  k: number,
  scaled: () => Scaled<Float64Array> | null,
) => Scaled<KrylovSpace<V>> | null;

/** Matrices up to this size are done whole. */
const small = 16;

/**
 * a [B, n, n] symmetric → the k largest eigenvalues [B, k], ascending, and unit vectors as columns [B, n, k], the largest
 * component of each positive. Computed in float64; NaN after 60 turns without convergence, and for elements that are not finite.
 */
export function eighRoutine<V>(spaceOf: SpaceOf<V>): Routine {
  return ({ inputs, outputs, attributes }, elementsOf) => {
    const [a] = inputs as [View];
    const [values, vectors] = outputs as [View, View];
    const [batch, n] = a.shape as [number, number];
    const count = values.shape[1] as number;
    let matrices: Float64Array | null = null;
    /** Made once, as it is made in its place. */
    const scaledOf = (k: number) => {
      let made: Scaled<Float64Array> | null | undefined;
      return () => {
        matrices ??= elements(a, elementsOf(a));
        return (made ??= symmetric(matrices.subarray(k * n * n, (k + 1) * n * n), n));
      };
    };
    // The matrix itself is not known any better.
    const tolerance = Math.max(attributes["tolerance"] as number, a.dtype === "float32" ? 2 ** -24 : 2 ** -53);
    const few = n > small && 8 * count <= n;
    for (let k = 0; k < batch; k++) {
      const scaled = scaledOf(k);
      const place = few ? spaceOf(a, k, scaled) : null;
      const found = place && largestEigenpairs(place.matrix, count, tolerance);
      const whole = found === null ? scaled() : null;
      const eigen = found ?? (whole && allEigenpairs(whole.matrix, n, count));
      const write = (view: View, length: number, numbers: Float64Array | undefined) => {
        const from = view.offset + k * length;
        if (numbers === undefined) elementsOf(view).fill(NaN, from, from + length);
        else elementsOf(view).set(numbers, from);
      };
      const scale = (whole ?? place)?.scale ?? 1;
      if (eigen !== null) orient(eigen.vectors, n, count);
      write(
        values,
        count,
        eigen?.values.map((value) => scale * value),
      );
      write(vectors, n * count, eigen?.vectors);
    }
  };
}

/** Signs of columns such that the largest component of each is positive. */
function orient(vectors: Float64Array, n: number, count: number): void {
  for (let at = 0; at < count; at++) {
    let most = 0;
    for (let k = 0; k < n; k++) {
      const component = vectors[k * count + at] as number;
      if (Math.abs(component) > Math.abs(most) + 1e-12) most = component;
    }
    if (most < 0) for (let k = 0; k < n; k++) vectors[k * count + at] = -(vectors[k * count + at] as number);
  }
}

/** The symmetric part of a matrix, in its place; null for elements that are not finite. */
function symmetric(a: Float64Array, n: number): Scaled<Float64Array> | null {
  let largest = 0;
  for (let i = 0; i < n * n; i++) largest = Math.max(largest, Math.abs(a[i] as number));
  if (!(largest < Infinity)) return null;
  const scale = scaleOf(largest);
  const factor = 0.5 / scale;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const half = (a[i * n + j] as number) * factor + (a[j * n + i] as number) * factor;
      a[i * n + j] = half;
      a[j * n + i] = half;
    }
  }
  return { matrix: a, scale };
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
