import { grad, jit, nn, numpy as np, tree, valueAndGrad, vmap } from "@jax-js/jax";
import { ruleOf, type Rule, type TrainingWork } from "../../work.js";
import { Unable, type Job } from "../peer.js";
import { geometricMedianWeights, squaredDistances } from "../weiszfeld.js";
import { traceable, untraceable } from "./column-rules.js";
import type { SampleForm } from "./jax.js";
import { trainingJob } from "./training-job.js";

/** W [P, Q] and b [Q]; or, with an axis before them, one of each for every sample or block. */
type Layer = { W: np.Array; b: np.Array };
type Model = Layer[];
type Step = (model: Model, x: np.Array, targets: np.Array) => [loss: np.Array, next: Model];

export function jaxTraining(work: TrainingWork, form: SampleForm): Job {
  const { samples, widths } = work;
  const data = work.data();
  const x = np.array(Float32Array.from(data.x)).reshape([samples, widths[0] as number]);
  const targets = nn.oneHot(np.array(data.labels), widths.at(-1) as number);
  const initial = data.layers.map(({ W, b }, k): Layer => {
    const stored = np.array(Float32Array.from(W)).reshape([widths[k + 1] as number, widths[k] as number]);
    return {
      W: np
        .array(stored.transpose().dataSync() as Float32Array)
        .reshape([widths[k] as number, widths[k + 1] as number]),
      b: np.array(Float32Array.from(b)),
    };
  });
  const step = stepOf(work, form);

  return trainingJob(
    initial,
    (model) => step(model, x.ref, targets.ref),
    (W) => np.array(W.transpose()),
  );
}

/** Mean cross-entropy of softmax. */
function meanLoss(model: Model, x: np.Array, targets: np.Array): np.Array {
  const logits = model.reduce((h, { W, b }, k) => {
    const z = np.matmul(h, W).add(b);
    return k < model.length - 1 ? nn.relu(z) : z;
  }, x);
  return np.mean(np.sum(nn.logSoftmax(logits, -1).mul(targets), -1)).mul(-1);
}

const descend = (model: Model, gradients: Model, stepSize: number): Model =>
  model.map(({ W, b }, k) => {
    const gradient = gradients[k] as Layer;
    return { W: W.sub(gradient.W.mul(stepSize)), b: b.sub(gradient.b.mul(stepSize)) };
  });

/** The loss and, for every layer, gradients [N, …]. */
type Rows = (model: Model, x: np.Array, targets: np.Array) => [loss: np.Array, rows: Model];

const rowsByVmap: Rows = (model, x, targets) => {
  const ofSample = (model: Model, x: np.Array, target: np.Array) =>
    meanLoss(model, np.expandDims(x, 0), np.expandDims(target, 0));
  const rows = vmap(grad(ofSample), [null, 0, 0])(tree.ref(model), x.ref, targets.ref) as Model;
  return [meanLoss(model, x, targets), rows];
};

/** Back-propagation written out: a layer's row n is xₙ ⊗ δₙ. */
function factorsOf(model: Model, x: np.Array, targets: np.Array): { loss: np.Array; x: np.Array[]; delta: np.Array[] } {
  const inputs = [x];
  for (const { W, b } of model.slice(0, -1)) {
    inputs.push(nn.relu(np.matmul((inputs.at(-1) as np.Array).ref, W.ref).add(b.ref)));
  }
  const last = model.at(-1) as Layer;
  const logits = np.matmul((inputs.at(-1) as np.Array).ref, last.W.ref).add(last.b.ref);
  const logProbabilities = nn.logSoftmax(logits, -1);
  const loss = np.mean(np.sum(logProbabilities.ref.mul(targets.ref), -1)).mul(-1);
  const deltas = [np.exp(logProbabilities).sub(targets)];
  for (let k = model.length - 1; k > 0; k--) {
    const through = np.where((inputs[k] as np.Array).ref.greater(0), 1, 0);
    const { W } = model[k] as Layer;
    deltas.unshift(np.matmul((deltas[0] as np.Array).ref, W.ref.transpose()).mul(through));
  }
  tree.dispose(model);
  return { loss, x: inputs, delta: deltas };
}

const rowsByFactors: Rows = (model, x, targets) => {
  const factors = factorsOf(model, x, targets);
  const rows = factors.delta.map((delta, k) => ({
    W: np.expandDims(factors.x[k] as np.Array, 2).mul(np.expandDims(delta.ref, 1)),
    b: delta,
  }));
  return [factors.loss, rows];
};

function stepOf(work: TrainingWork, form: SampleForm): Step {
  const { rule, stepSize } = work;
  const rowsBy = form === "vmap" ? rowsByVmap : rowsByFactors;
  if (rule.kind === "mean") {
    return jit((model: Model, x: np.Array, targets: np.Array): [np.Array, Model] => {
      const [loss, gradients] = valueAndGrad(meanLoss)(tree.ref(model), x, targets);
      return [loss, descend(model, gradients as Model, stepSize)];
    }) as Step;
  }
  if (rule.kind === "gmom") return geometricMedianOfMeans(work, rule, form);
  const ofRows = untraceable(rule);
  if (ofRows !== null) {
    const rows = jit(rowsBy);
    const update = jit((model: Model, gradients: Model) => descend(model, gradients, stepSize));
    return (model, x, targets) => {
      const [loss, own] = rows(tree.ref(model), x, targets) as ReturnType<Rows>;
      const gradients = own.map(({ W, b }) => ({ W: ofRows(W), b: ofRows(b) }));
      return [loss, update(model, gradients) as Model];
    };
  }
  return jit((model: Model, x: np.Array, targets: np.Array): [np.Array, Model] => {
    const [loss, own] = rowsBy(tree.ref(model), x, targets);
    const gradients = own.map(({ W, b }, k) => {
      const ruleHere = traceable(ruleOf(work, k)) as (rows: np.Array) => np.Array;
      return { W: ruleHere(W), b: ruleHere(b) };
    });
    return [loss, descend(model, gradients, stepSize)];
  }) as Step;
}

/** Block means on the device, K × K distances and Weiszfeld's iteration on the host, the weighted sum on the device. */
function geometricMedianOfMeans(
  { samples, stepSize }: TrainingWork,
  { blocks, tolerance, grouping }: Extract<Rule, { kind: "gmom" }>,
  form: SampleForm,
): Step {
  if (samples % blocks !== 0) throw new Unable("written for blocks of one size");
  const size = samples / blocks;
  const inBlocks = (rows: np.Array) => rows.reshape([blocks, size, ...rows.shape.slice(1)]);
  const blockMeans = jit((model: Model, x: np.Array, targets: np.Array): [np.Array, Model] => {
    if (form === "vmap") {
      const [loss, rows] = rowsByVmap(model, x, targets);
      return [loss, rows.map(({ W, b }) => ({ W: np.mean(inBlocks(W), 1), b: np.mean(inBlocks(b), 1) }))];
    }
    const factors = factorsOf(model, x, targets);
    const means = factors.delta.map((delta, k) => {
      const input = inBlocks(factors.x[k] as np.Array);
      return {
        W: np.matmul(input.transpose([0, 2, 1]), inBlocks(delta.ref)).div(size),
        b: np.mean(inBlocks(delta), 1),
      };
    });
    return [factors.loss, means];
  });
  const combine = jit((model: Model, means: Model, weights: np.Array[]) => {
    const gradients = means.map(({ W, b }, k) => {
      const w = weights[k] as np.Array;
      return { W: np.tensordot(w.ref, W, 1), b: np.tensordot(w, b, 1) };
    });
    return descend(model, gradients, stepSize);
  });
  return (model, x, targets) => {
    const [loss, means] = blockMeans(tree.ref(model), x, targets) as [np.Array, Model];
    const flat = means.map(({ W, b }) => [W, b].map((array) => array.ref.dataSync() as Float32Array));
    const groups = grouping === "all" ? [flat.flat()] : flat;
    const weights = groups.map((arrays) => {
      const rows = Array.from({ length: blocks }, (_, block) => joined(arrays, block, blocks));
      return Float32Array.from(geometricMedianWeights(squaredDistances(rows), blocks, tolerance));
    });
    const perLayer = means.map((_, k) => np.array((weights[k] ?? weights[0]) as Float32Array));
    return [loss, combine(model, means, perLayer) as Model];
  };
}

/** Row `block` of every array [K, …], one after the other. */
function joined(arrays: readonly Float32Array[], block: number, blocks: number): Float32Array {
  const parts = arrays.map((array) => {
    const length = array.length / blocks;
    return array.subarray(block * length, (block + 1) * length);
  });
  const row = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => (row.set(part, place), place + part.length), 0);
  return row;
}
