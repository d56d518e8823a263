import * as tf from "@tensorflow/tfjs-core";
import { factors } from "../../inputs.js";
import type { ProductWork } from "../../work.js";
import type { Job } from "../peer.js";

export function tfjsProduct(work: ProductWork): Job {
  const { rows, inner, columns, transposeA, transposeB } = work;
  const [left, right] = factors(work);
  const a = tf.tensor2d(left, transposeA ? [inner, rows] : [rows, inner]);
  const b = tf.tensor2d(right, transposeB ? [columns, inner] : [inner, columns]);
  let out: tf.Tensor | null = null;
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) {
        out?.dispose();
        out = tf.matMul(a, b, transposeA, transposeB);
      }
    },
    values: () => [out?.dataSync() as Float32Array],
  };
}
