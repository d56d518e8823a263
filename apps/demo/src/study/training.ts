import { noGrad, sampleGradients } from "@robgrad/autograd";
import { accuracy, sgd, softmaxCrossEntropy, type Optimizer } from "@robgrad/nn";
import { capture, tidy, type Captured, type Device, type History, type Tensor } from "@robgrad/tensor";
import { curveIterations } from "./curve-iterations.js";
import { network, setWeights, type LayerWeights, type Network } from "./network.js";
import { stepSize } from "./protocol.js";
import type { StudySettings } from "./settings.js";
import type { TrainingResult } from "./study-result.js";
import type { Variant } from "./variants.js";

/** Samples on a device: x [N, 2] and their classes [N]. */
export interface Samples {
  readonly x: Tensor;
  readonly labels: Tensor;
}

/** Rows to train on, displaced ones included, and clean rows to test on. */
export interface TrialSamples {
  readonly train: Samples;
  readonly test: Samples;
}

type Curves = Readonly<Record<"trainLoss" | "trainAccuracy" | "testLoss" | "testAccuracy", History>>;
type Step = (x: Tensor, labels: Tensor) => void;
type Evaluation = (x: Tensor, labels: Tensor, testX: Tensor, testLabels: Tensor) => void;

/**
 * A network that one variant trains from new weights for every trial: full-batch gradient descent with a fixed step size.
 *
 *   w ← w − 0.5 ĝ(w),   ĝ the variant's estimate from the N gradients at w
 *
 * Step and evaluation of a variant that can be replayed are recorded once, from steps that do not count, so that a trial
 * gives the same numbers whichever were run before it. Curves are kept on the device: nothing waits before the last step.
 *
 * @see      Tutorial, equation (1) and §5.
 * @example  const { testError } = await new Training(device, settings, variant).run(samples, weights);
 */
export class Training {
  readonly #network: Network;
  readonly #optimizer: Optimizer = sgd({ stepSize });
  readonly #iterations: readonly number[];
  readonly #curves: Curves;
  readonly #step: Step;
  readonly #evaluate: Evaluation;
  readonly #captured: readonly { dispose(): void }[];
  #recorded: boolean;

  /**
   * @param device    Where the samples will be.
   * @param settings  `iterations` and `dtype`.
   * @param variant   How gradients are combined.
   */
  constructor(
    device: Device,
    { iterations, dtype }: Pick<StudySettings, "iterations" | "dtype">,
    { on, replayable }: Variant,
  ) {
    this.#network = network(device, dtype);
    this.#iterations = curveIterations(iterations);
    // Recording the evaluation takes two calls, which write two values.
    const curve = () => device.history(Math.max(2, this.#iterations.length), { dtype });
    this.#curves = { trainLoss: curve(), trainAccuracy: curve(), testLoss: curve(), testAccuracy: curve() };

    const { model } = this.#network;
    const combine = on(this.#network);
    const step: Step = (x, labels) => {
      const losses = softmaxCrossEntropy(model.forward(x), labels);
      this.#optimizer.update(combine(sampleGradients(losses, model.parameters())));
    };
    const { trainLoss, trainAccuracy, testLoss, testAccuracy } = this.#curves;
    const record = (x: Tensor, labels: Tensor, loss: History, share: History) => {
      const logits = model.forward(x);
      loss.record(softmaxCrossEntropy(logits, labels).mean());
      share.record(accuracy(logits, labels));
    };
    const evaluate: Evaluation = (x, labels, testX, testLabels) =>
      noGrad(() => {
        record(x, labels, trainLoss, trainAccuracy);
        record(testX, testLabels, testLoss, testAccuracy);
      });
    this.#recorded = !replayable;
    if (replayable) {
      const captured = [capture(step), capture(evaluate)] as const;
      [this.#step, this.#evaluate] = captured;
      this.#captured = captured satisfies readonly Captured<never, void>[];
    } else {
      this.#step = (...samples) => tidy(() => step(...samples));
      this.#evaluate = (...samples) => tidy(() => evaluate(...samples));
      this.#captured = [];
    }
  }

  /**
   * Trains from given weights.
   *
   * @returns  Curves at `curveIterations(iterations)` and the time a step took.
   * @throws   Rejects with BAD_DATA when a gradient is no longer finite, and with what the variant's rule throws.
   */
  async run({ train, test }: TrialSamples, weights: readonly LayerWeights[]): Promise<TrainingResult> {
    const step = () => this.#step(train.x, train.labels);
    const evaluate = () => this.#evaluate(train.x, train.labels, test.x, test.labels);
    if (!this.#recorded) {
      setWeights(this.#network, weights);
      for (const call of [step, step, evaluate, evaluate]) call();
      this.#recorded = true;
    }
    setWeights(this.#network, weights);
    const { trainLoss, trainAccuracy, testLoss, testAccuracy } = this.#curves;
    for (const curve of Object.values(this.#curves)) curve.clear();

    let done = 0;
    let milliseconds = 0;
    for (const iteration of this.#iterations) {
      const start = performance.now();
      for (; done < iteration; done++) step();
      milliseconds += performance.now() - start;
      evaluate();
    }
    const start = performance.now();
    const curves = [trainLoss, trainAccuracy, testLoss, testAccuracy].map((curve) => curve.toArray());
    const found = (await Promise.all(curves)) as [number[], number[], number[], number[]];
    milliseconds += performance.now() - start;
    return {
      trainLoss: found[0],
      trainError: found[1].map((share) => errors(share, train)),
      testLoss: found[2],
      testError: found[3].map((share) => errors(share, test)),
      microsecondsPerStep: done === 0 ? 0 : (1000 * milliseconds) / done,
    };
  }

  dispose(): void {
    for (const captured of this.#captured) captured.dispose();
    for (const curve of Object.values(this.#curves)) curve.dispose();
    this.#optimizer.dispose();
    this.#network.model.dispose();
  }
}

/** The share misclassified of N samples, without the rounding of float32: the nearest multiple of 1/N. */
function errors(accuracy: number, { x }: Samples): number {
  const count = x.shape[0]!;
  return Math.round((1 - accuracy) * count) / count;
}
