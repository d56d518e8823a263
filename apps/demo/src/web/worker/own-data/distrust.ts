import { aggregate, all, mean, medianOfMeans, normClip, type Aggregator } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { batches, toDevice, type HostArray } from "@robgrad/datasets";
import { sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, concatenated, generator, type Device, type Tensor } from "@robgrad/tensor";
import { initialWeights, network, setWeights } from "../../../study/network.js";

const dtype = "float32";

/** Rows of a step, steps, and their size. */
const [batch, fewestSteps, stepSize] = [64, 400, 0.3];

/** Rules that train a model each; the mean is there to compare. */
export const distrustRules = {
  mean: { label: "the mean", make: () => mean() },
  quantile: { label: "norm clip at the 80 % quantile", make: () => normClip({ quantile: 0.8 }) },
  clip: { label: "norm clip at 1", make: () => normClip({ maxNorm: 1 }) },
  medianOfMeans: { label: "median of means, 10 blocks", make: () => medianOfMeans({ blocks: 10 }) },
} as const satisfies Readonly<Record<string, { readonly label: string; readonly make: () => Aggregator }>>;

export type DistrustRule = keyof typeof distrustRules;
export const robustRules = ["quantile", "clip", "medianOfMeans"] as const satisfies readonly DistrustRule[];

/** What a model says of every row. */
export interface ModelView {
  /** −ln p, p the probability of the row's own label. */
  readonly losses: Float64Array;
  /** The class that is most probable. */
  readonly says: Int32Array;
  /** Of the gradient of the loss, over all parameters. */
  readonly norms: Float64Array;
}

export interface DistrustOptions {
  /** Units of a hidden layer; 0 for a linear model. */
  readonly hidden: number;
  readonly classes: number;
  /** Told of the share that is done. */
  readonly progress: (share: number) => void;
}

/**
 * Trains the same model with several rules, in mini-batches from the same weights, and asks each about every row.
 *
 * @throws  Rejects with BAD_DATA when a gradient is no longer finite.
 */
export async function distrust(
  device: Device,
  x: HostArray,
  labels: HostArray<Int32Array>,
  { hidden, classes, progress }: DistrustOptions,
): Promise<Readonly<Record<DistrustRule, ModelView>>> {
  const names = Object.keys(distrustRules) as DistrustRule[];
  const views: Partial<Record<DistrustRule, ModelView>> = {};
  const sizes = [x.shape[1]!, ...(hidden > 0 ? [hidden] : []), classes];
  for (const [k, name] of names.entries()) {
    const trained = (share: number) => progress((k + share) / names.length);
    views[name] = await train(device, { x, labels }, sizes, distrustRules[name].make(), trained);
  }
  return views as Readonly<Record<DistrustRule, ModelView>>;
}

interface Rows {
  readonly x: HostArray;
  readonly labels: HostArray<Int32Array>;
}

async function train(
  device: Device,
  rows: Rows,
  sizes: readonly number[],
  rule: Aggregator,
  progress: (share: number) => void,
): Promise<ModelView> {
  const count = rows.x.shape[0]!;
  const size = Math.min(batch, count);
  const steps = Math.max(fewestSteps, Math.ceil((2 * count) / size));
  const draws = generator(0);
  const net = network(device, dtype, sizes);
  setWeights(net, initialWeights(draws.split(), sizes, 0.3 / Math.sqrt(sizes[0]!)));
  const { model } = net;
  const optimizer = sgd({ stepSize });
  const step = capture((x: Tensor, labels: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(x), labels);
    optimizer.update(aggregate(sampleGradients(losses, model.parameters()), rule, { group: all }));
  });
  const look = capture((x: Tensor, labels: Tensor) => {
    const logits = model.forward(x);
    const losses = softmaxCrossEntropy(logits, labels);
    const gradients = concatenated([...sampleGradients(losses, model.parameters()).values()]);
    return { losses: losses.value, says: logits.value.argmax({ axis: 1 }), norms: gradients.squaredNorms().sqrt() };
  });
  const on = async <T>(part: Rows, use: (x: Tensor, labels: Tensor) => T | Promise<T>): Promise<T> => {
    const { x, labels } = toDevice({ ...part }, device, { dtype });
    try {
      return await use(x, labels);
    } finally {
      x.dispose();
      labels.dispose();
    }
  };
  try {
    for (let done = 0; done < steps;) {
      for (const part of batches({ ...rows }, { size, generator: draws, dropLast: true })) {
        await on(part, step);
        if (++done === steps) break;
        if (done % 50 === 0) progress((0.9 * done) / steps);
      }
    }
    const view = { losses: new Float64Array(count), says: new Int32Array(count), norms: new Float64Array(count) };
    let start = 0;
    for (const part of batches({ ...rows }, { size: 500 })) {
      await on(part, async (x, labels) => {
        const found = look(x, labels);
        const [losses, says, norms] = await Promise.all([found.losses.data(), found.says.data(), found.norms.data()]);
        view.losses.set(losses, start);
        view.says.set(says, start);
        view.norms.set(norms, start);
        start += losses.length;
      });
    }
    progress(1);
    return view;
  } finally {
    step.dispose();
    look.dispose();
    optimizer.dispose();
    model.dispose();
  }
}
