import * as tf from "@tensorflow/tfjs-core";
import type { Rule } from "../../work.js";

/** [N, D] → [D] */
type ColumnRule = (rows: tf.Tensor2D) => tf.Tensor1D;

/** The rule coordinate by coordinate, or null for one that is not. */
export function columnRule(rule: Rule): ColumnRule | null {
  switch (rule.kind) {
    case "soft":
      return (rows) => softTruncated(rows, rule.delta);
    case "median":
      return median;
    case "huber":
      return (rows) => huber(rows, rule.tolerance, rule.maximum);
    default:
      return null;
  }
}

/** Mean over samples as a product, which the backend does better than a sum over the first axis. */
function mean(rows: tf.Tensor2D): tf.Tensor1D {
  const [samples, features] = rows.shape;
  return tf.tidy(() => tf.reshape(tf.matMul(tf.fill([1, samples], 1 / samples), rows), [features]));
}

function softTruncated(rows: tf.Tensor2D, delta: number): tf.Tensor1D {
  const [samples] = rows.shape;
  return tf.tidy(() => {
    const center = mean(rows);
    const centered = tf.sub(rows, center) as tf.Tensor2D;
    const variance = tf.tidy(() => tf.mul(mean(tf.square(centered)), samples / (samples - 1)));
    const width = tf.mul(tf.sqrt(variance), Math.sqrt(samples / (2 * Math.log(1 / delta))));
    const u = tf.mul(centered, tf.divNoNan(1, width));
    centered.dispose();
    const c = tf.clipByValue(u, -Math.SQRT2, Math.SQRT2) as tf.Tensor2D;
    u.dispose();
    const cubes = tf.tidy(() => mean(tf.mul(tf.square(c), c)));
    return tf.add(center, tf.mul(width, tf.sub(mean(c), tf.mul(cubes, 1 / 6)))) as tf.Tensor1D;
  });
}

/** The library sorts by its topk alone: the half + 1 largest hold the two in the middle. */
function median(rows: tf.Tensor2D): tf.Tensor1D {
  const [samples, features] = rows.shape;
  return tf.tidy(() => {
    const half = Math.floor(samples / 2);
    const { values } = tf.topk(tf.transpose(rows), half + 1);
    const lower = tf.slice(values, [0, half], [features, 1]);
    const upper = samples % 2 === 1 ? lower : tf.slice(values, [0, half - 1], [features, 1]);
    return tf.reshape(tf.mul(tf.add(lower, upper), 0.5), [features]);
  });
}

/** The library has no loops: the host asks after every turn whether a coordinate still moves. */
function huber(rows: tf.Tensor2D, tolerance: number, maximum: number): tf.Tensor1D {
  const k = 1.345;
  let theta = median(rows);
  const s = tf.mul(
    tf.tidy(() => median(tf.abs(tf.sub(rows, theta) as tf.Tensor2D))),
    1.4826,
  );
  const perScale = tf.divNoNan(1, s);
  let active = tf.onesLike(theta);
  for (let turn = 0; turn < maximum; turn++) {
    const next = tf.tidy(() => {
      const u = tf.tidy(() => tf.mul(tf.sub(rows, theta), perScale));
      const share = tf.mul(active, mean(tf.clipByValue(u, -k, k) as tf.Tensor2D));
      const moving = tf.cast(tf.greater(tf.abs(share), tolerance), "float32");
      return {
        theta: tf.add(theta, tf.mul(s, share)) as tf.Tensor1D,
        active: tf.mul(active, moving) as tf.Tensor1D,
        any: tf.max(moving),
      };
    });
    theta.dispose();
    active.dispose();
    ({ theta, active } = next);
    const [any] = next.any.dataSync();
    if (any === 0) break;
  }
  return theta;
}
