import * as tf from "@tensorflow/tfjs-core";
import { ruleOf, type Rule, type TrainingWork } from "../../work.js";
import type { Job } from "../peer.js";
import { blockMeans, combined, type Factors } from "./block-means.js";
import { columnRule } from "./column-rules.js";
import { blockStarts, geometricMedianWeights, squaredDistances } from "../weiszfeld.js";
import { trainingJob } from "./training-job.js";

/** W [P, Q], as the library's own layers keep it. */
interface Layer {
  readonly W: tf.Variable<tf.Rank.R2>;
  readonly b: tf.Variable<tf.Rank.R1>;
  readonly initialW: tf.Tensor2D;
  readonly initialB: tf.Tensor1D;
}

export function tfjsTraining(work: TrainingWork): Job {
  const { samples, widths, stepSize, rule } = work;
  const data = work.data();
  const classes = widths.at(-1) as number;
  const x = tf.tensor2d(Float32Array.from(data.x), [samples, widths[0] as number]);
  const targets = tf.tidy(
    () => tf.cast(tf.oneHot(tf.tensor1d(data.labels, "int32"), classes), "float32") as tf.Tensor2D,
  );
  const layers = data.layers.map(({ W, b }, k): Layer => {
    const stored = tf.tensor2d(Float32Array.from(W), [widths[k + 1] as number, widths[k] as number]);
    const initialW = tf.transpose(stored);
    const initialB = tf.tensor1d(Float32Array.from(b));
    return { W: tf.variable(initialW), b: tf.variable(initialB), initialW, initialB };
  });

  const logits = () =>
    layers.reduce<tf.Tensor2D>((h, { W, b }, k) => {
      const z = tf.add(tf.matMul(h, W), b) as tf.Tensor2D;
      return k < layers.length - 1 ? tf.relu(z) : z;
    }, x);
  const meanLoss = () => tf.losses.softmaxCrossEntropy(targets, logits()) as tf.Scalar;
  const optimizer = tf.train.sgd(stepSize);
  const step =
    rule.kind === "mean" ? () => optimizer.minimize(meanLoss, true) as tf.Scalar : robustStep(work, layers, x, targets);

  return trainingJob(layers, () => [1, 0], step);
}

/**
 * A step whose gradients are kept apart by sample.
 *
 * Back-propagation is written out, since the library's gradients are summed over samples: row n of a layer is δₙ ⊗ xₙ.
 */
function robustStep(work: TrainingWork, layers: readonly Layer[], x: tf.Tensor2D, targets: tf.Tensor2D) {
  const { samples, rule, stepSize } = work;
  const starts = rule.kind === "gmom" ? blockStarts(samples, rule.blocks) : [];
  const descend = ({ W, b }: Layer, gradientW: tf.Tensor2D, gradientB: tf.Tensor1D) => {
    W.assign(tf.sub(W, tf.mul(gradientW, stepSize)));
    b.assign(tf.sub(b, tf.mul(gradientB, stepSize)));
  };

  return () =>
    tf.tidy(() => {
      const inputs: tf.Tensor2D[] = [x];
      for (const { W, b } of layers.slice(0, -1)) {
        inputs.push(tf.relu(tf.add(tf.matMul(inputs.at(-1) as tf.Tensor2D, W), b) as tf.Tensor2D));
      }
      const last = layers.at(-1) as Layer;
      const scores = tf.add(tf.matMul(inputs.at(-1) as tf.Tensor2D, last.W), last.b) as tf.Tensor2D;
      const loss = tf.losses.softmaxCrossEntropy(targets, scores) as tf.Scalar;
      const factors: Factors[] = [];
      let delta = tf.sub(tf.softmax(scores), targets) as tf.Tensor2D;
      for (let k = layers.length - 1; k >= 0; k--) {
        const input = inputs[k] as tf.Tensor2D;
        factors.unshift({ delta, x: input });
        if (k > 0) delta = tf.mul(tf.matMul(delta, (layers[k] as Layer).W, false, true), tf.step(input));
      }

      if (rule.kind !== "gmom") {
        factors.forEach((own, k) => {
          tf.tidy(() => {
            const { W, b } = gradientsBy(ruleOf(work, k), own);
            descend(layers[k] as Layer, W, b);
          });
        });
        return loss;
      }
      const groups = rule.grouping === "all" ? [layers.map((_, k) => k)] : layers.map((_, k) => [k]);
      for (const group of groups) {
        const means = group.map((k) => blockMeans(factors[k] as Factors, starts));
        const rows = Array.from({ length: rule.blocks }, (_, block) => joined(means.map(({ rows }) => rows[block])));
        const weights = geometricMedianWeights(squaredDistances(rows), rule.blocks, rule.tolerance);
        group.forEach((k, place) => {
          const { W, b } = combined(means[place] as ReturnType<typeof blockMeans>, weights);
          descend(layers[k] as Layer, W, b);
        });
      }
      return loss;
    });
}

function joined(parts: readonly (Float32Array | undefined)[]): Float32Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return Float32Array.from(parts.flatMap((part) => Array.from(part ?? [])));
}

/** The rule on all N × P × Q per-sample gradients of a layer. */
function gradientsBy(rule: Rule, { delta, x }: Factors): { W: tf.Tensor2D; b: tf.Tensor1D } {
  const [samples, outputs] = delta.shape;
  const column = columnRule(rule);
  if (column === null) {
    return { W: tf.mul(tf.matMul(x, delta, true), 1 / samples), b: tf.mean(delta, 0) };
  }
  const rows = tf.mul(tf.expandDims(x, 2), tf.expandDims(delta, 1));
  return {
    W: tf.reshape(column(tf.reshape(rows, [samples, -1])), [x.shape[1], outputs]),
    b: column(delta),
  };
}
