import * as tf from "@tensorflow/tfjs-core";
import { sidesOf, type ConvolutionWork } from "../../work.js";
import { Unable, type Job } from "../peer.js";
import { trainingJob } from "./training-job.js";

/** Images lie as [N, side, side, C] here, kernels as [kernel, kernel, C, Q]: the backend knows no other order. */
export function tfjsConvolution(work: ConvolutionWork): Job {
  const { samples, side, channels, kernel, classes, stepSize, rule } = work;
  const data = work.data();
  if (channels[0] !== 1) throw new Unable("written for images of one channel");
  const x = tf.tensor4d(Float32Array.from(data.x), [samples, side, side, 1]);
  const targets = tf.tidy(
    () => tf.cast(tf.oneHot(tf.tensor1d(data.labels, "int32"), classes), "float32") as tf.Tensor2D,
  );
  const shapes = [
    [channels[1], channels[0], kernel, kernel],
    [channels[2], channels[1], kernel, kernel],
    [classes, channels[2] * sidesOf(work)[2] ** 2],
  ];
  const layers = data.layers.map(({ W, b }, k) => {
    const stored = tf.tensor(Float32Array.from(W), shapes[k] as number[]);
    const initialW = tf.transpose(stored, k < 2 ? [2, 3, 1, 0] : [1, 0]);
    const initialB = tf.tensor1d(Float32Array.from(b));
    return { W: tf.variable(initialW), b: tf.variable(initialB), initialW, initialB };
  });
  const meanLoss = () => {
    const [first, second, dense] = layers as [(typeof layers)[0], (typeof layers)[0], (typeof layers)[0]];
    const pooled = [first, second].reduce<tf.Tensor4D>((h, { W, b }) => {
      const y = tf.relu(tf.add(tf.conv2d(h, W as tf.Tensor4D, 1, "valid"), b)) as tf.Tensor4D;
      return tf.maxPool(y, 2, 2, "valid");
    }, x);
    const flat = tf.reshape(tf.transpose(pooled, [0, 3, 1, 2]), [samples, -1]) as tf.Tensor2D;
    return tf.losses.softmaxCrossEntropy(
      targets,
      tf.add(tf.matMul(flat, dense.W as tf.Tensor2D), dense.b),
    ) as tf.Scalar;
  };
  if (rule.kind !== "mean") throw new Unable("cannot train it: see the step");
  const optimizer = tf.train.sgd(stepSize);
  const step = () => {
    try {
      return optimizer.minimize(meanLoss, true) as tf.Scalar;
    } catch (error) {
      throw new Unable(`cannot train it: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return trainingJob(layers, (k) => (k < 2 ? [3, 2, 0, 1] : [1, 0]), step);
}
