import * as tf from "@tensorflow/tfjs-core";
import type { Job } from "../peer.js";

/** A layer's variables and what they start from. */
interface Layer {
  readonly W: tf.Variable;
  readonly b: tf.Variable;
  readonly initialW: tf.Tensor;
  readonly initialB: tf.Tensor;
}

/**
 * A job of whole steps.
 *
 * @param axesOf  The order of W's axes, by layer, in which a work has them.
 */
export function trainingJob(layers: readonly Layer[], axesOf: (layer: number) => number[], step: () => tf.Scalar): Job {
  let loss: tf.Scalar | null = null;
  return {
    reset() {
      for (const { W, b, initialW, initialB } of layers) {
        W.assign(initialW);
        b.assign(initialB);
      }
    },
    run(calls) {
      for (let call = 0; call < calls; call++) {
        loss?.dispose();
        loss = step();
      }
      loss?.dataSync();
    },
    values: () => [
      loss?.dataSync() as Float32Array,
      ...layers.flatMap(({ W, b }, k) => [
        tf.tidy(() => tf.transpose(W, axesOf(k)).dataSync() as Float32Array),
        b.dataSync() as Float32Array,
      ]),
    ],
  };
}
