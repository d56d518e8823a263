/**
 * Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations, in float64.
 *
 * @param a  [n, n] row-major; only its symmetric part counts. Overwritten.
 * @returns  Ascending eigenvalues and, as columns of `vectors` (row-major), their unit vectors with the largest
 *           component positive. `converged` is false after 60 sweeps without, and for elements that are not finite.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §8.5.
 */
export function symmetricEigen(
  a: Float64Array,
  n: number,
): { readonly values: Float64Array; readonly vectors: Float64Array; readonly converged: boolean } {
  let largest = 0;
  for (let i = 0; i < n * n; i++) largest = Math.max(largest, Math.abs(a[i] as number));
  // Brought near 1 by a power of two, which is exact: no product below overflows or vanishes.
  const scale = largest > 0 && largest < Infinity ? 2 ** Math.floor(Math.log2(largest)) : 1;
  for (let i = 0; i < n * n; i++) a[i] = (a[i] as number) / scale;
  const finite = largest < Infinity;
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const half = ((a[i * n + j] as number) + (a[j * n + i] as number)) / 2;
      a[i * n + j] = half;
      a[j * n + i] = half;
    }
  }
  let converged = finite && n < 2;
  for (let sweep = 0; finite && sweep < 60 && !converged; sweep++) {
    let rotated = false;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q] as number;
        const app = a[p * n + p] as number;
        const aqq = a[q * n + q] as number;
        if (Math.abs(apq) <= Number.EPSILON * 0.5 * Math.sqrt(Math.abs(app * aqq)) || apq === 0) continue;
        rotated = true;
        const theta = (aqq - app) / (2 * apq);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(1 + theta * theta));
        const c = 1 / Math.sqrt(1 + t * t);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const akp = a[k * n + p] as number;
          const akq = a[k * n + q] as number;
          a[k * n + p] = c * akp - s * akq;
          a[k * n + q] = s * akp + c * akq;
        }
        for (let k = 0; k < n; k++) {
          const apk = a[p * n + k] as number;
          const aqk = a[q * n + k] as number;
          a[p * n + k] = c * apk - s * aqk;
          a[q * n + k] = s * apk + c * aqk;
          const vkp = v[k * n + p] as number;
          const vkq = v[k * n + q] as number;
          v[k * n + p] = c * vkp - s * vkq;
          v[k * n + q] = s * vkp + c * vkq;
        }
        a[p * n + q] = 0;
        a[q * n + p] = 0;
      }
    }
    converged = !rotated;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (a[i * n + i] as number) - (a[j * n + j] as number),
  );
  const values = Float64Array.from(order, (i) => scale * (a[i * n + i] as number));
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    let largest = 0;
    for (let k = 0; k < n; k++) {
      const component = v[k * n + from] as number;
      if (Math.abs(component) > Math.abs(largest) + 1e-12) largest = component;
    }
    for (let k = 0; k < n; k++) vectors[k * n + to] = (largest < 0 ? -1 : 1) * (v[k * n + from] as number);
  });
  return { values, vectors, converged };
}
