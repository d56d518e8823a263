import { grad, jit, lax, nn, numpy as np, tree, valueAndGrad, vmap } from "@jax-js/jax";
import { sidesOf, type ConvolutionWork } from "../../work.js";
import { Unable, type Job } from "../peer.js";
import { traceable } from "./column-rules.js";
import type { SampleForm } from "./jax.js";
import { trainingJob } from "./training-job.js";

/** W [Q, C, kernel, kernel] or [Q, P], and b [Q]. */
type Layer = { W: np.Array; b: np.Array };
type Model = Layer[];
type Step = (model: Model, x: np.Array, targets: np.Array) => [loss: np.Array, next: Model];

export function jaxConvolution(work: ConvolutionWork, form: SampleForm): Job {
  const { samples, side, channels, kernel, classes, stepSize, rule } = work;
  if (rule.kind !== "mean" && form === "factors") throw new Unable("is written with vmap alone: as jax-js-vmap");
  const data = work.data();
  const sides = sidesOf(work);
  const x = np.array(Float32Array.from(data.x)).reshape([samples, channels[0], side, side]);
  const targets = nn.oneHot(np.array(data.labels), classes);
  const shapes = [
    [channels[1], channels[0], kernel, kernel],
    [channels[2], channels[1], kernel, kernel],
    [classes, channels[2] * sides[2] ** 2],
  ];
  const initial = data.layers.map(({ W, b }, k): Layer => ({
    W: np.array(Float32Array.from(W)).reshape(shapes[k] as number[]),
    b: np.array(Float32Array.from(b)),
  }));

  /** The library's vmap lacks pooling: the largest of 2 × 2 by reshaping. */
  const meanLoss = (model: Model, x: np.Array, targets: np.Array): np.Array => {
    const [first, second, dense] = model as [Layer, Layer, Layer];
    const [N] = x.shape as [number];
    const pooled = [first, second].reduce((h, { W, b }, k) => {
      const Q = channels[k + 1] as number;
      const out = sides[k + 1] as number;
      const y = nn.relu(lax.conv(h, W, [1, 1], "VALID").add(b.reshape([Q, 1, 1])));
      return np.max(np.max(y.reshape([N, Q, out, 2, out, 2]), 5), 3);
    }, x);
    const logits = np.matmul(pooled.reshape([N, channels[2] * sides[2] ** 2]), dense.W.transpose()).add(dense.b);
    return np.mean(np.sum(nn.logSoftmax(logits, -1).mul(targets), -1)).mul(-1);
  };
  const descend = (model: Model, gradients: Model): Model =>
    model.map(({ W, b }, k) => {
      const gradient = gradients[k] as Layer;
      return { W: W.sub(gradient.W.mul(stepSize)), b: b.sub(gradient.b.mul(stepSize)) };
    });
  const plain = (model: Model, x: np.Array, targets: np.Array): [np.Array, Model] => {
    const [loss, gradients] = valueAndGrad(meanLoss)(tree.ref(model), x, targets);
    return [loss, descend(model, gradients as Model)];
  };
  const robust = (model: Model, x: np.Array, targets: np.Array): [np.Array, Model] => {
    const ofSample = (model: Model, x: np.Array, target: np.Array) =>
      meanLoss(model, np.expandDims(x, 0), np.expandDims(target, 0));
    const rows = vmap(grad(ofSample), [null, 0, 0])(tree.ref(model), x.ref, targets.ref) as Model;
    const ofRows = traceable(rule) as (rows: np.Array) => np.Array;
    const loss = meanLoss(tree.ref(model), x, targets);
    return [
      loss,
      descend(
        model,
        rows.map(({ W, b }) => ({ W: ofRows(W), b: ofRows(b) })),
      ),
    ];
  };
  const step = jit(rule.kind === "mean" ? plain : robust) as Step;

  return trainingJob(
    initial,
    (model) => step(model, x.ref, targets.ref),
    (W) => W,
  );
}
