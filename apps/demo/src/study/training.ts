import { aggregate } from "@robgrad/aggregators";
import { noGrad, sampleGradients } from "@robgrad/autograd";
import { accuracy, sgd, softmaxCrossEntropy, type Optimizer } from "@robgrad/nn";
import { capture, tidy, type Captured, type Device, type History, type Tensor } from "@robgrad/tensor";
import { curveIterations } from "./curve-iterations.js";
import { getWeights, network, setWeights, type LayerWeights, type Network } from "./network.js";
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
  #samples: TrialSamples | null = null;
  #iteration = 0;
  #milliseconds = 0;

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
    const { rule, group } = on(this.#network);
    const step: Step = (x, labels) => {
      const losses = softmaxCrossEntropy(model.forward(x), labels);
      this.#optimizer.update(aggregate(sampleGradients(losses, model.parameters()), rule, { group }));
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
  async run(samples: TrialSamples, weights: readonly LayerWeights[]): Promise<TrainingResult> {
    this.start(samples, weights);
    this.advance(this.#iterations.at(-1)!);
    return this.result();
  }

  /**
   * Begins a training, at iteration 0.
   *
   * @param samples  Kept until the training ends; the caller disposes them.
   * @throws         What the variant's rule throws.
   */
  start(samples: TrialSamples, weights: readonly LayerWeights[]): void {
    this.#samples = samples;
    const { train, test } = samples;
    if (!this.#recorded) {
      setWeights(this.#network, weights);
      for (let twice = 0; twice < 2; twice++) this.#step(train.x, train.labels);
      for (let twice = 0; twice < 2; twice++) this.#evaluate(train.x, train.labels, test.x, test.labels);
      this.#recorded = true;
    }
    setWeights(this.#network, weights);
    for (const curve of Object.values(this.#curves)) curve.clear();
    this.#iteration = 0;
    this.#milliseconds = 0;
    this.#evaluate(train.x, train.labels, test.x, test.labels);
  }

  /** Updates since `start`. */
  get iteration(): number {
    return this.#iteration;
  }

  /**
   * Trains on up to an iteration, and evaluates where the curves want it.
   *
   * @param iteration  From the present one to the last.
   */
  advance(iteration: number): void {
    const { train, test } = this.#samples!;
    while (this.#iteration < iteration) {
      const next = this.#iterations.find((due) => due > this.#iteration) ?? iteration;
      const start = performance.now();
      for (; this.#iteration < Math.min(next, iteration); this.#iteration++) this.#step(train.x, train.labels);
      this.#milliseconds += performance.now() - start;
      if (this.#iteration === next) this.#evaluate(train.x, train.labels, test.x, test.labels);
    }
  }

  /**
   * Curves up to the present iteration, one value for each of `curveIterations(iterations)` that has been reached, and the
   * time a step took.
   *
   * @throws  Rejects with BAD_DATA when a gradient was not finite.
   */
  async result(): Promise<TrainingResult> {
    const { train, test } = this.#samples!;
    const { trainLoss, trainAccuracy, testLoss, testAccuracy } = this.#curves;
    const start = performance.now();
    const curves = [trainLoss, trainAccuracy, testLoss, testAccuracy].map((curve) => curve.toArray());
    const found = (await Promise.all(curves)) as [number[], number[], number[], number[]];
    this.#milliseconds += performance.now() - start;
    return {
      trainLoss: found[0],
      trainError: found[1].map((share) => errors(share, train)),
      testLoss: found[2],
      testError: found[3].map((share) => errors(share, test)),
      microsecondsPerStep: this.#iteration === 0 ? 0 : (1000 * this.#milliseconds) / this.#iteration,
    };
  }

  /**
   * Microseconds of a step, without evaluations: the mean of as many as a twentieth of a second holds, so that the coarse
   * clock of a browser will do. The training is then where these led, and a rule that remembers has them in its memory.
   *
   * @param most  Steps, at most.
   * @throws      Rejects as `result` does.
   */
  async timed(most: number): Promise<number> {
    const { train } = this.#samples!;
    const take = async (steps: number) => {
      for (let step = 0; step < steps; step++) this.#step(train.x, train.labels);
      await this.weights();
    };
    // The first from the recording compiles it.
    await take(2);
    const start = performance.now();
    let [steps, elapsed] = [0, 0];
    while (steps < most && elapsed < 50) {
      const more = Math.min(250, most - steps);
      await take(more);
      steps += more;
      elapsed = performance.now() - start;
    }
    return (1000 * elapsed) / steps;
  }

  /**
   * The present weights, on the host.
   *
   * @throws  Rejects with BAD_DATA when a gradient was not finite.
   */
  async weights(): Promise<LayerWeights[]> {
    return getWeights(this.#network);
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
