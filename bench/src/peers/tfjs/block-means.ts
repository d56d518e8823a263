import * as tf from "@tensorflow/tfjs-core";

/** A layer's per-sample gradients: row n is xₙ ⊗ δₙ. */
export interface Factors {
  /** [N, Q] */
  readonly delta: tf.Tensor2D;
  /** [N, P] */
  readonly x: tf.Tensor2D;
}

export interface BlockMeans {
  /** [K, P·Q] */
  readonly W: tf.Tensor2D;
  /** [K, Q] */
  readonly b: tf.Tensor2D;
  readonly shape: readonly [inputs: number, outputs: number];
  /** W and b of every block on the host, for distances. */
  readonly rows: readonly Float32Array[];
}

/** The mean gradient of every block: a product for each, no N × D. */
export function blockMeans({ delta, x }: Factors, starts: readonly number[]): BlockMeans {
  const shape = [x.shape[1], delta.shape[1]] as const;
  const blocks = starts.slice(1).map((stop, k) => {
    const start = starts[k] as number;
    const own = tf.slice(delta, [start, 0], [stop - start, -1]);
    const W = tf.matMul(tf.slice(x, [start, 0], [stop - start, -1]), own, true);
    return { W: tf.div(tf.reshape(W, [-1]), stop - start), b: tf.mean(own, 0) };
  });
  const W = tf.stack(blocks.map((block) => block.W)) as tf.Tensor2D;
  const b = tf.stack(blocks.map((block) => block.b)) as tf.Tensor2D;
  const joined = tf.concat([W, b], 1);
  const values = joined.dataSync() as Float32Array;
  const [, length] = joined.shape;
  return { W, b, shape, rows: blocks.map((_, k) => values.subarray(k * length, (k + 1) * length)) };
}

/** Σₖ wₖ of the block means. */
export function combined({ W, b, shape }: BlockMeans, weights: Float64Array): { W: tf.Tensor2D; b: tf.Tensor1D } {
  const w = tf.tensor2d(Float32Array.from(weights), [1, weights.length]);
  return { W: tf.reshape(tf.matMul(w, W), [...shape]), b: tf.reshape(tf.matMul(w, b), [shape[1]]) };
}
