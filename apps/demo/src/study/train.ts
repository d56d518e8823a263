import { noGrad, sampleGradients } from "@robgrad/autograd";
import { toDevice } from "@robgrad/datasets";
import { accuracy, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, codedError, hasCode, read, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { curveIterations } from "./curve-iterations.js";
import { initialWeights, network, type LayerWeights, type Network } from "./network.js";
import { stepSize } from "./protocol.js";
import type { StudySettings } from "./settings.js";
import type { TrainingResult, TrialResult } from "./study-result.js";
import { trialData } from "./trial-data.js";
import { trialGenerators } from "./trial-generators.js";
import type { Variant } from "./variants.js";

/** Samples on a device: x [N, 2] and their classes [N]. */
export interface Samples {
  readonly x: Tensor;
  readonly labels: Tensor;
}

/**
 * Runs one trial of a study: every variant from the same data and initial weights.
 *
 * The result follows from settings and trial number alone, but for the measured times.
 *
 * @param device    Where to train.
 * @param settings  Of the study.
 * @param variants  Those taking part.
 * @param trial     Counted from 0.
 * @throws          What a rule throws; BAD_DATA when a gradient is no longer finite.
 * @example         const result = await runTrial(device, settings, variantsOf(settings, null), 0);
 */
export async function runTrial(
  device: Device,
  settings: StudySettings,
  variants: readonly Variant[],
  trial: number,
): Promise<TrialResult> {
  const data = trialData(settings, trial);
  const weights = initialWeights(trialGenerators(settings.seed, trial).weights);
  const samples = toDevice({ train: data.train, test: data.test }, device, { dtype: settings.dtype });
  const results: Record<string, TrainingResult> = {};
  try {
    for (const variant of variants) {
      try {
        results[variant.name] = await train(device, settings, samples, weights, variant);
      } catch (error) {
        throw located(error, `${variant.label}, trial ${trial}`);
      }
    }
  } finally {
    for (const { x, labels } of Object.values(samples)) [x, labels].forEach((tensor) => tensor.dispose());
  }
  return { trial, displaced: [...data.displaced], variants: results };
}

/**
 * Trains one network with one variant: full-batch gradient descent with a fixed step size.
 *
 *   w ← w − 0.5 ĝ(w),   ĝ the variant's estimate from the N gradients at w
 *
 * Nothing is read but at the iterations of the curve; the clock stops while curves are evaluated.
 *
 * @param device    Where the samples are.
 * @param settings  `iterations` and `dtype`.
 * @param samples   Rows to train on, displaced ones included, and clean rows to test on.
 * @param weights   Initial weights of every layer.
 * @param variant   How gradients are combined.
 * @returns         Curves at `curveIterations(iterations)` and the time a step took.
 * @see             Tutorial, equation (1) and §5.
 * @example         const { testError } = await train(device, settings, samples, weights, variant);
 */
export async function train(
  device: Device,
  { iterations, dtype }: Pick<StudySettings, "iterations" | "dtype">,
  samples: { readonly train: Samples; readonly test: Samples },
  weights: readonly LayerWeights[],
  variant: Variant,
): Promise<TrainingResult> {
  const net = network(device, weights, dtype);
  const optimizer = sgd({ stepSize });
  const combine = variant.on(net);
  const { x, labels } = samples.train;
  const update = (inputs: Tensor, classes: Tensor) => {
    const losses = softmaxCrossEntropy(net.model.forward(inputs), classes);
    optimizer.update(combine(sampleGradients(losses, net.model.parameters())));
  };
  const replay = variant.replayable ? capture(update) : null;
  const step = replay ?? ((inputs: Tensor, classes: Tensor) => tidy(() => update(inputs, classes)));

  const curves = {
    trainLoss: [] as number[],
    trainError: [] as number[],
    testLoss: [] as number[],
    testError: [] as number[],
  };
  let done = 0;
  let milliseconds = 0;
  try {
    for (const iteration of curveIterations(iterations)) {
      const start = performance.now();
      for (; done < iteration; done++) step(x, labels);
      await finished(net);
      milliseconds += performance.now() - start;
      const found = await evaluate(net, samples);
      curves.trainLoss.push(found.trainLoss);
      curves.trainError.push(found.trainError);
      curves.testLoss.push(found.testLoss);
      curves.testError.push(found.testError);
    }
  } finally {
    replay?.dispose();
    optimizer.dispose();
    net.model.dispose();
  }
  return { ...curves, microsecondsPerStep: iterations === 0 ? 0 : (1000 * milliseconds) / iterations };
}

/** The error with what was being trained; one without a code is a defect and stays as it is. */
function located(error: unknown, place: string): unknown {
  return hasCode(error) ? codedError(error.code, `${place}: ${error.message}`, { cause: error }) : error;
}

/** Resolves when all queued steps have run. */
async function finished({ layers }: Network): Promise<void> {
  const bias = layers.at(-1)!.b!.value;
  await bias.data();
  bias.dispose();
}

/** Loss and share misclassified on both sets, read together. */
async function evaluate({ model }: Network, { train, test }: { readonly train: Samples; readonly test: Samples }) {
  const on = ({ x, labels }: Samples) => {
    const logits = model.forward(x);
    return [softmaxCrossEntropy(logits, labels).value.mean(), accuracy(logits, labels)] as const;
  };
  const figures = tidy(() =>
    noGrad(() => {
      const [trainLoss, trainAccuracy] = on(train);
      const [testLoss, testAccuracy] = on(test);
      return { trainLoss, trainAccuracy, testLoss, testAccuracy };
    }),
  );
  const found = (await read(figures)) as Record<keyof typeof figures, number>;
  Object.values(figures).forEach((tensor) => tensor.dispose());
  return {
    trainLoss: found.trainLoss,
    trainError: share(1 - found.trainAccuracy, train),
    testLoss: found.testLoss,
    testError: share(1 - found.testAccuracy, test),
  };
}

/** A share of N samples without the rounding of float32: the nearest multiple of 1/N. */
function share(value: number, { x }: Samples): number {
  const count = x.shape[0]!;
  return Math.round(value * count) / count;
}
