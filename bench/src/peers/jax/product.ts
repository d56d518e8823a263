import { jit, numpy as np } from "@jax-js/jax";
import { factors } from "../../inputs.js";
import type { ProductWork } from "../../work.js";
import type { Job } from "../peer.js";
import { waitFor } from "./wait.js";

export function jaxProduct(work: ProductWork): Job {
  const { rows, inner, columns, transposeA, transposeB } = work;
  const [left, right] = factors(work);
  const a = np.array(left).reshape(transposeA ? [inner, rows] : [rows, inner]);
  const b = np.array(right).reshape(transposeB ? [columns, inner] : [inner, columns]);
  const product = jit((a: np.Array, b: np.Array) =>
    np.matmul(transposeA ? a.transpose() : a, transposeB ? b.transpose() : b),
  );
  let out: np.Array | null = null;
  return {
    reset() {},
    async run(calls) {
      for (let call = 0; call < calls; call++) {
        out?.dispose();
        out = product(a.ref, b.ref);
        await waitFor(out);
      }
    },
    values: async () => [(await out?.ref.data()) as Float32Array],
  };
}
