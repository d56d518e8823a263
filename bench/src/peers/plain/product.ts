import { factors } from "../../inputs.js";
import type { ProductWork } from "../../work.js";
import type { Job, Numbers } from "../peer.js";
import type { ArrayOf } from "./plain.js";

/** Loops in the order in which the innermost runs along rows in memory. */
export function plainProduct(work: ProductWork, Values: ArrayOf): Job {
  const { rows: M, inner: K, columns: N, transposeA, transposeB } = work;
  const [a, b] = factors(work).map((values) => {
    const copy = new Values(values.length);
    copy.set(values);
    return copy;
  }) as [Numbers, Numbers];
  const out = new Values(M * N);
  const once = () => {
    if (transposeB) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          let sum = 0;
          for (let k = 0; k < K; k++) sum += (a[m * K + k] as number) * (b[n * K + k] as number);
          out[m * N + n] = sum;
        }
      }
      return;
    }
    out.fill(0);
    for (let m = 0; m < M; m++) {
      for (let k = 0; k < K; k++) {
        const factor = (transposeA ? a[k * M + m] : a[m * K + k]) as number;
        for (let n = 0; n < N; n++) out[m * N + n] = (out[m * N + n] as number) + factor * (b[k * N + n] as number);
      }
    }
  };
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) once();
    },
    values: () => [out],
  };
}
