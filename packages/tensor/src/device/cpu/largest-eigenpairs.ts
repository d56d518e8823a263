import type { Eigen } from "./eigh.js";

/** A symmetric n × n matrix and vectors of length n, wherever they are. */
export interface KrylovSpace<V> {
  readonly n: number;
  /** A new vector. */
  vector(values: ArrayLike<number>): V;
  /** A x, as a new vector. */
  image(x: V): V;
  inner(x: V, y: V): number;
  /** x ← x + share · y */
  add(x: V, share: number, y: V): void;
  scale(x: V, factor: number): void;
  values(x: V): Float64Array;
  /** The vector is not needed any more. */
  free(x: V): void;
}

/**
 * The eigenvalues of a symmetric matrix that are largest, one after another by Lanczos' method with complete
 * reorthogonalisation: each is looked for in the complement of those that are found, so that repeated ones are all met.
 *
 * The span of q, Aq, A²q … is a small fraction of all n dimensions when its best eigenvector is one of A as far as its
 * digits go: ‖A v − λ v‖ ≤ tolerance · ‖A‖. A step costs n² multiplications.
 *
 * @param space      The matrix, its largest element near 1.
 * @param count      1 … n.
 * @param tolerance  Of residuals, as a share of the matrix's size.
 * @returns          Ascending values, and unit vectors as columns; null where half of all dimensions are not enough:
 *                   then all eigenvalues cost no more.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §10.1–10.3.
 */
export function largestEigenpairs<V>(space: KrylovSpace<V>, count: number, tolerance: number): Eigen | null {
  const found: Pair<V>[] = [];
  while (found.length < count) {
    const pair = largestBeside(found, space, tolerance);
    if (pair === null) return null;
    found.push(pair);
  }
  // Equal ones come in the order of their rounding errors.
  found.sort((x, y) => x.value - y.value);
  const vectors = new Float64Array(space.n * count);
  found.forEach(({ vector }, place) => {
    space.values(vector).forEach((component, i) => (vectors[i * count + place] = component));
  });
  return { values: Float64Array.from(found, ({ value }) => value), vectors };
}

interface Pair<V> {
  readonly value: number;
  readonly vector: V;
}

/** The largest eigenvalue of what A does to the complement of some of its eigenvectors. */
function largestBeside<V>(others: readonly Pair<V>[], space: KrylovSpace<V>, tolerance: number): Pair<V> | null {
  const { n } = space;
  const found = others.map(({ vector }) => vector);
  const diagonal: number[] = [];
  const beside: number[] = [];
  const basis: V[] = [];
  const most = Math.max(1, Math.floor(n / 2));
  // No norm of a matrix is less than its largest element.
  let size = 1;
  // Products of length n are not known any better.
  const least = Math.max(tolerance, (n * Number.EPSILON) / 2);
  let next = space.vector(anyValues(n, found.length));
  let length = orthogonalized(next, found, basis, space);
  for (;;) {
    space.scale(next, 1 / length);
    basis.push(next);
    const image = space.image(next);
    const along = space.inner(image, next);
    diagonal.push(along);
    next = image;
    length = orthogonalized(next, found, basis, space);
    size = Math.max(size, Math.abs(along) + length + (beside[beside.length - 1] ?? 0));
    const steps = diagonal.length;
    const exhausted = length <= least * size || steps + found.length === n;
    // Looking costs little beside a step only if it is done now and then.
    if (exhausted || steps % 4 === 0) {
      const { value, components } = largestOfTridiagonal(diagonal, beside);
      const residual = length * Math.abs(components[steps - 1] as number);
      if (exhausted || residual <= least * size) {
        const vector = space.vector(new Float64Array(n));
        basis.forEach((each, k) => space.add(vector, components[k] as number, each));
        space.scale(vector, 1 / Math.sqrt(space.inner(vector, vector)));
        for (const each of [...basis, next]) space.free(each);
        return { value, vector };
      }
    }
    if (steps >= most) return null;
    beside.push(length);
  }
}

/**
 * Numbers without a pattern, the same every time: no eigenvector is at right angles to them, unless it is made to be.
 * What one vector has of an eigenspace is used up with the eigenvector that it led to, so that the next needs another.
 */
function anyValues(n: number, seed: number): Float64Array {
  let state = 0x2545f491 + seed;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** Takes off x its parts along vectors of length 1, twice, as once leaves rounding errors; the length of what is left. */
function orthogonalized<V>(x: V, found: readonly V[], basis: readonly V[], space: KrylovSpace<V>): number {
  for (let turn = 0; turn < 2; turn++) {
    for (const others of [found, basis]) for (const other of others) space.add(x, -space.inner(x, other), other);
  }
  return Math.sqrt(space.inner(x, x));
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
  const squares = beside.map((value) => value * value);
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
    for (let k = 1; k < n && pivot < 0; k++) pivot = d(k) - middle - (squares[k - 1] as number) / pivot;
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
  const length = Math.sqrt(components.reduce((sum, v) => sum + v * v, 0));
  return { value: high, components: components.map((v) => v / length) };
}
