import type { Eigen } from "./eigh.js";

/**
 * The eigenvalues of a symmetric matrix that are largest, one after another by Lanczos' method with complete
 * reorthogonalisation: each is looked for in the complement of those that are found, so that repeated ones are all met.
 *
 * The span of q, Aq, A²q … is a small fraction of all n dimensions when its best eigenvector is one of A as far as its
 * digits go: ‖A v − λ v‖ ≤ tolerance · ‖A‖. A step costs n² multiplications.
 *
 * @param a          [n, n] row-major, symmetric, its largest element near 1.
 * @param count      1 … n.
 * @param tolerance  Of residuals, as a share of the matrix's size.
 * @returns          Ascending values, and unit vectors as columns; null where half of all dimensions are not enough:
 *                   then all eigenvalues cost no more.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §10.1–10.3.
 */
export function largestEigenpairs(a: Float64Array, n: number, count: number, tolerance: number): Eigen | null {
  const found: Pair[] = [];
  while (found.length < count) {
    const pair = largestBeside(found, a, n, tolerance);
    if (pair === null) return null;
    found.push(pair);
  }
  // Equal ones come in the order of their rounding errors.
  found.sort((x, y) => x.value - y.value);
  const vectors = new Float64Array(n * count);
  found.forEach(({ vector }, place) => {
    for (let i = 0; i < n; i++) vectors[i * count + place] = vector[i] as number;
  });
  return { values: Float64Array.from(found, ({ value }) => value), vectors };
}

interface Pair {
  readonly value: number;
  readonly vector: Float64Array;
}

/** The largest eigenvalue of what A does to the complement of some of its eigenvectors. */
function largestBeside(others: readonly Pair[], a: Float64Array, n: number, tolerance: number): Pair | null {
  const found = others.map(({ vector }) => vector);
  const diagonal: number[] = [];
  const beside: number[] = [];
  const basis: Float64Array[] = [];
  const most = Math.max(1, Math.floor(n / 2));
  let direction = orthonormal(anyVector(n, found.length), found, basis, n);
  // No norm of a matrix is less than its largest element.
  let size = 1;
  // Products of length n are not known any better.
  const least = Math.max(tolerance, (n * Number.EPSILON) / 2);
  for (;;) {
    basis.push(direction.vector);
    const image = times(a, direction.vector, n);
    const along = inner(image, direction.vector, n);
    diagonal.push(along);
    direction = orthonormal(image, found, basis, n);
    size = Math.max(size, Math.abs(along) + direction.length + (beside[beside.length - 1] ?? 0));
    const steps = diagonal.length;
    const exhausted = direction.length <= least * size || steps + found.length === n;
    // Looking costs little beside a step only if it is done now and then.
    if (exhausted || steps % 4 === 0) {
      const { value, components } = largestOfTridiagonal(diagonal, beside);
      const residual = direction.length * Math.abs(components[steps - 1] as number);
      if (exhausted || residual <= least * size) return { value, vector: combined(basis, components, n) };
    }
    if (steps >= most) return null;
    beside.push(direction.length);
  }
}

/**
 * Numbers without a pattern, the same every time: no eigenvector is at right angles to them, unless it is made to be.
 * What one vector has of an eigenspace is used up with the eigenvector that it led to, so that the next needs another.
 */
function anyVector(n: number, seed: number): Float64Array {
  let state = 0x2545f491 + seed;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

function inner(x: Float64Array, y: Float64Array, n: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < n; i += 4) {
    s0 += (x[i] as number) * (y[i] as number);
    s1 += (x[i + 1] as number) * (y[i + 1] as number);
    s2 += (x[i + 2] as number) * (y[i + 2] as number);
    s3 += (x[i + 3] as number) * (y[i + 3] as number);
  }
  for (; i < n; i++) s0 += (x[i] as number) * (y[i] as number);
  return s0 + s1 + (s2 + s3);
}

/** A x, four rows at a time. */
function times(a: Float64Array, x: Float64Array, n: number): Float64Array {
  const result = new Float64Array(n);
  const whole = n - (n % 4);
  for (let i = 0; i < whole; i += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = 0, at = i * n; j < n; j++, at++) {
      const factor = x[j] as number;
      s0 += (a[at] as number) * factor;
      s1 += (a[at + n] as number) * factor;
      s2 += (a[at + 2 * n] as number) * factor;
      s3 += (a[at + 3 * n] as number) * factor;
    }
    result[i] = s0;
    result[i + 1] = s1;
    result[i + 2] = s2;
    result[i + 3] = s3;
  }
  for (let i = whole; i < n; i++) result[i] = inner(a.subarray(i * n, (i + 1) * n), x, n);
  return result;
}

/** x less its parts along vectors of length 1, taken off twice, as once leaves rounding errors; its length, and it at length 1. */
function orthonormal(
  x: Float64Array,
  found: readonly Float64Array[],
  basis: readonly Float64Array[],
  n: number,
): { readonly vector: Float64Array; readonly length: number } {
  for (let turn = 0; turn < 2; turn++) {
    for (const others of [found, basis]) {
      for (const other of others) {
        const share = inner(x, other, n);
        for (let i = 0; i < n; i++) x[i] = (x[i] as number) - share * (other[i] as number);
      }
    }
  }
  const length = Math.sqrt(inner(x, x, n));
  return { vector: length > 0 ? x.map((v) => v / length) : x, length };
}

function combined(basis: readonly Float64Array[], components: Float64Array, n: number): Float64Array {
  const result = new Float64Array(n);
  basis.forEach((vector, k) => {
    const share = components[k] as number;
    for (let i = 0; i < n; i++) result[i] = (result[i] as number) + share * (vector[i] as number);
  });
  const length = Math.sqrt(inner(result, result, n));
  return result.map((v) => v / length);
}

/**
 * The largest eigenvalue of a symmetric tridiagonal matrix T by bisection, and its unit vector from the pivots of
 * T − λ I from the top and from the bottom, which meet where the vector is large.
 *
 * @see  I. Dhillon, B. Parlett (2004), Multiple representations to compute orthogonal eigenvectors of symmetric
 *       tridiagonal matrices, §3.
 */
function largestOfTridiagonal(
  diagonal: readonly number[],
  beside: readonly number[],
): { readonly value: number; readonly components: Float64Array } {
  const n = diagonal.length;
  const d = (k: number) => diagonal[k] as number;
  const e = (k: number) => beside[k] ?? 0;
  let [low, high] = [-Infinity, -Infinity];
  for (let k = 0; k < n; k++) {
    low = Math.max(low, d(k));
    high = Math.max(high, d(k) + Math.abs(e(k)) + Math.abs(e(k - 1)));
  }
  for (;;) {
    const middle = low / 2 + high / 2;
    if (middle <= low || middle >= high) break;
    // All pivots of T − middle are negative if and only if every eigenvalue is less.
    let pivot = d(0) - middle;
    for (let k = 1; k < n && pivot < 0; k++) pivot = d(k) - middle - e(k - 1) ** 2 / pivot;
    if (pivot < 0) high = middle;
    else low = middle;
  }
  const tiny = Number.MIN_VALUE;
  const down = new Float64Array(n);
  const up = new Float64Array(n);
  for (let k = 0; k < n; k++) down[k] = d(k) - high - (k > 0 ? e(k - 1) ** 2 / (down[k - 1] as number) : 0) || -tiny;
  for (let k = n - 1; k >= 0; k--) up[k] = d(k) - high - (k < n - 1 ? e(k) ** 2 / (up[k + 1] as number) : 0) || -tiny;
  let meeting = 0;
  let least = Infinity;
  for (let k = 0; k < n; k++) {
    const rest = Math.abs((down[k] as number) + (up[k] as number) - (d(k) - high));
    if (rest < least) [meeting, least] = [k, rest];
  }
  const components = new Float64Array(n);
  components[meeting] = 1;
  for (let k = meeting; k > 0; k--)
    components[k - 1] = (-e(k - 1) * (components[k] as number)) / (down[k - 1] as number);
  for (let k = meeting; k < n - 1; k++) components[k + 1] = (-e(k) * (components[k] as number)) / (up[k + 1] as number);
  const length = Math.sqrt(inner(components, components, n));
  return { value: high, components: components.map((v) => v / length) };
}
