import type { SpaceOf } from "./eigh.js";
import type { KrylovSpace } from "./largest-eigenpairs.js";

/** Products by plain loops. */
export const plainSpace: SpaceOf<Float64Array> = ({ shape }, _, scaled) => {
  const whole = scaled();
  return whole && { matrix: spaceOf(whole.matrix, shape[1] as number), scale: whole.scale };
};

function spaceOf(a: Float64Array, n: number): KrylovSpace<Float64Array> {
  return {
    n,
    vector: (values) => Float64Array.from(values),
    image: (x) => product(a, x, n),
    inner,
    add(x, share, y) {
      for (let i = 0; i < n; i++) x[i] = (x[i] as number) + share * (y[i] as number);
    },
    scale(x, factor) {
      for (let i = 0; i < n; i++) x[i] = (x[i] as number) * factor;
    },
    values: (x) => x,
    free: () => {},
  };
}

function inner(x: Float64Array, y: Float64Array): number {
  const n = x.length;
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
function product(a: Float64Array, x: Float64Array, n: number): Float64Array {
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
  for (let i = whole; i < n; i++) result[i] = inner(a.subarray(i * n, (i + 1) * n), x);
  return result;
}
