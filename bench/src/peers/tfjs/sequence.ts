import * as tf from "@tensorflow/tfjs-core";
import type { SequenceWork } from "../../work.js";
import type { Job } from "../peer.js";

/** The library's core has no recurrent layer with gradients; its package of layers runs these operations. */
export function tfjsSequence(work: SequenceWork): Job {
  const { steps, batch, inputs, hidden } = work;
  const data = work.data(work);
  const x = tf.tensor3d(Float32Array.from(data.x), [batch, steps, inputs]);
  const U = tf.tensor2d(Float32Array.from(data.U), [inputs, 4 * hidden]);
  const W = tf.tensor2d(Float32Array.from(data.W), [hidden, 4 * hidden]);
  const b = tf.tensor1d(Float32Array.from(data.b));

  const meanSquare = (x: tf.Tensor, U: tf.Tensor, W: tf.Tensor, b: tf.Tensor): tf.Scalar => {
    const sums = tf.add(tf.matMul(tf.reshape(x, [-1, inputs]), U as tf.Tensor2D), b);
    const own = tf.unstack(tf.reshape(sums, [batch, steps, 4 * hidden]), 1);
    const outputs: tf.Tensor[] = [];
    let [h, c]: tf.Tensor[] = [tf.zeros([batch, hidden]), tf.zeros([batch, hidden])];
    for (const part of own) {
      const gates = tf.split(tf.add(part, tf.matMul(h as tf.Tensor2D, W as tf.Tensor2D)), 4, 1);
      const [i, f, g, o] = gates as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      c = tf.add(tf.mul(tf.sigmoid(f), c as tf.Tensor), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      outputs.push(h);
    }
    return tf.mean(tf.square(tf.stack(outputs, 1)));
  };
  const pass = tf.valueAndGrads(meanSquare as (...all: tf.Tensor[]) => tf.Scalar);
  let found: tf.Tensor[] = [];
  return {
    reset() {},
    run(calls) {
      for (let call = 0; call < calls; call++) {
        tf.dispose(found);
        const { value, grads } = pass([x, U, W, b]);
        found = [value, ...grads];
      }
      found[0]?.dataSync();
    },
    values: () => found.map((tensor) => tensor.dataSync() as Float32Array),
  };
}
