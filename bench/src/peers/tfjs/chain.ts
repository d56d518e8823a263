import * as tf from "@tensorflow/tfjs-core";
import { chainInput } from "../../inputs.js";
import type { ChainWork } from "../../work.js";
import type { Job } from "../peer.js";

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

export function tfjsChain({ length }: ChainWork): Job {
  const x = tf.tensor1d(chainInput(length));
  const gelu = () => {
    const cubic = tf.mul(tf.mul(tf.mul(x, x), x), 0.044715);
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(tf.add(x, cubic), rootTwoOverPi)), 1));
  };
  let y: tf.Tensor | null = null;
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) {
        y?.dispose();
        y = tf.tidy(gelu);
      }
    },
    values: () => [y?.dataSync() as Float32Array],
  };
}
