import { noGrad } from "@robgrad/autograd";
import { toDevice } from "@robgrad/datasets";
import { accuracy } from "@robgrad/nn";
import { capture, hasCode, type Captured, type Device, type Tensor } from "@robgrad/tensor";
import { curveIterations } from "../../study/curve-iterations.js";
import { initialWeights, network, setWeights, type LayerWeights, type Network } from "../../study/network.js";
import { protocols } from "../../study/protocol.js";
import { pointsOf, spreadOf } from "../../study/spread.js";
import type { TrainingResult } from "../../study/study-result.js";
import { Training, type TrialSamples } from "../../study/training.js";
import { trialData, type TrialData } from "../../study/trial-data.js";
import { trialGenerators } from "../../study/trial-generators.js";
import type { Variant } from "../../study/variants.js";
import { gridPoints, gridSide, type Regions } from "../regions.js";
import type { RunSettings } from "../run-settings.js";

const dtype = "float32";

/** What went wrong with one competitor; the others go on. */
export interface CompetitorFailure {
  readonly code: string;
  readonly message: string;
}

/** A row of the training data as the page shows it. */
export interface SceneRow {
  /** In the plane, after any displacement. */
  readonly x: number;
  readonly y: number;
  /** Where it was before. */
  readonly from: readonly [number, number];
  readonly label: number;
  readonly displaced: boolean;
}

/** The rows of a run. */
export interface Scene {
  readonly train: readonly SceneRow[];
  readonly test: readonly SceneRow[];
  /** Iterations at which curves hold a value. */
  readonly iterations: readonly number[];
  /** Of the training rows before displacement, in the plane. */
  readonly mean: readonly [number, number];
  /** σ: standard deviation of the distances from that mean. */
  readonly deviation: number;
}

/** One competitor at one iteration. */
export interface CompetitorFrame {
  readonly name: string;
  /** Null when training failed. */
  readonly regions: Regions | null;
  /** Misclassified shares at this iteration. */
  readonly trainError: number;
  readonly testError: number;
  /** Up to the last iteration that has been trained, which may be beyond this one. */
  readonly curves: TrainingResult;
  readonly failure: CompetitorFailure | null;
}

const noCurves: TrainingResult = {
  trainLoss: [],
  trainError: [],
  testLoss: [],
  testError: [],
  microsecondsPerStep: 0,
};

/** A competitor in training, with its weights at the iterations it has been shown at. */
class Competitor {
  readonly #device: Device;
  readonly #settings: RunSettings;
  readonly #samples: TrialSamples;
  readonly #initial: readonly LayerWeights[];
  readonly #seen = new Map<number, readonly LayerWeights[]>();
  #training: Training | null = null;
  /** Kept while an earlier iteration is trained to once more. */
  #curves: TrainingResult = noCurves;
  #failure: CompetitorFailure | null = null;

  constructor(
    readonly variant: Variant,
    device: Device,
    settings: RunSettings,
    samples: TrialSamples,
    initial: readonly LayerWeights[],
  ) {
    this.#device = device;
    this.#settings = settings;
    this.#samples = samples;
    this.#initial = initial;
  }

  get failure(): CompetitorFailure | null {
    return this.#failure;
  }

  get curves(): TrainingResult {
    return this.#curves;
  }

  /** Weights at an iteration; null when training failed on the way. */
  async at(iteration: number): Promise<readonly LayerWeights[] | null> {
    const seen = this.#seen.get(iteration);
    if (seen !== undefined || this.#failure !== null) return seen ?? null;
    try {
      const training = this.#trainingBefore(iteration);
      training.advance(iteration);
      const weights = await training.weights();
      this.#seen.set(iteration, weights);
      const curves = await training.result();
      if (curves.testError.length >= this.#curves.testError.length) this.#curves = curves;
      return weights;
    } catch (error) {
      if (!hasCode(error) || error.code === "DEVICE_LOST") throw error;
      this.#failure = { code: error.code, message: error.message };
      return null;
    }
  }

  /** The training, at this iteration or before: what lies further back is trained to once more, from the start. */
  #trainingBefore(iteration: number): Training {
    if (this.#training !== null && this.#training.iteration > iteration && !this.variant.replayable) {
      // Its rule may remember.
      this.#training.dispose();
      this.#training = null;
    }
    const begun = this.#training !== null && this.#training.iteration <= iteration;
    this.#training ??= new Training(this.#device, { iterations: this.#settings.iterations, dtype }, this.variant);
    if (!begun) this.#training.start(this.#samples, this.#initial);
    return this.#training;
  }

  /** Microseconds of a step of training from the start, by a clock that may be coarse. */
  async timed(): Promise<number> {
    const training = new Training(this.#device, { iterations: 1, dtype }, this.variant);
    try {
      training.start(this.#samples, this.#initial);
      return await training.timed(this.#settings.iterations);
    } finally {
      training.dispose();
    }
  }

  dispose(): void {
    this.#training?.dispose();
  }
}

/**
 * A trial of the study that is watched: competitors trained as far as somebody looks, from the same rows and weights.
 *
 * The numbers are those of the study's `Trials` for the same seed, trial and settings.
 */
export class LiveRun {
  readonly scene: Scene;
  readonly #samples: TrialSamples;
  readonly #grid: Tensor;
  readonly #competitors: readonly Competitor[];
  readonly #shown: Network;
  readonly #logits: Captured<[Tensor], Tensor>;
  readonly #shares: Captured<[Tensor, Tensor], Tensor>;

  constructor(
    readonly device: Device,
    readonly settings: RunSettings,
    variants: readonly Variant[],
  ) {
    const data = movedData(settings);
    this.scene = sceneOf(data, settings);
    this.#samples = toDevice({ train: data.train, test: data.test }, device, { dtype });
    this.#grid = device.tensor(gridPoints(), { shape: [gridSide ** 2, 2], dtype });
    const initial = initialWeights(trialGenerators(settings.seed, settings.trial).weights);
    this.#competitors = variants.map((variant) => new Competitor(variant, device, settings, this.#samples, initial));
    this.#shown = network(device, dtype);
    const { model } = this.#shown;
    this.#logits = capture((x: Tensor) => noGrad(() => model.forward(x).value));
    this.#shares = capture((x: Tensor, labels: Tensor) => noGrad(() => accuracy(model.forward(x), labels)));
  }

  /** The rows on the device. */
  get samples(): TrialSamples {
    return this.#samples;
  }

  /** Weights of a competitor at an iteration; null when its training failed, or when there is none of the name. */
  async weights(name: string, iteration: number): Promise<readonly LayerWeights[] | null> {
    const found = this.#competitors.find(({ variant }) => variant.name === name);
    return (await found?.at(iteration)) ?? null;
  }

  /** Microseconds of a step of a competitor; null when its training fails, or when there is none of the name. */
  async timing(name: string): Promise<number | null> {
    const found = this.#competitors.find(({ variant }) => variant.name === name);
    return found === undefined || found.failure !== null ? null : found.timed();
  }

  /**
   * A competitor at an iteration, trained so far if it was not.
   *
   * @throws  Rejects with DEVICE_LOST.
   */
  async frame(name: string, iteration: number): Promise<CompetitorFrame> {
    const competitor = this.#competitors.find(({ variant }) => variant.name === name);
    if (competitor === undefined) throw new Error(`frame: expected a competitor of the run, found ${name}`);
    const weights = await competitor.at(iteration);
    const { curves, failure } = competitor;
    if (weights === null) {
      return { name, regions: null, trainError: NaN, testError: NaN, curves, failure };
    }
    setWeights(this.#shown, weights);
    const { train, test } = this.#samples;
    const [trainError, testError, regions] = await Promise.all([
      this.#error(train.x, train.labels),
      this.#error(test.x, test.labels),
      this.#regions(),
    ]);
    return { name, regions, trainError, testError, curves, failure };
  }

  async #error(x: Tensor, labels: Tensor): Promise<number> {
    const share = this.#shares(x, labels);
    try {
      const rows = x.shape[0]!;
      return Math.round((1 - (await share.item())) * rows) / rows;
    } finally {
      share.dispose();
    }
  }

  async #regions(): Promise<Regions> {
    const logits = this.#logits(this.#grid);
    try {
      const values = (await logits.data()) as Float32Array;
      const classes = values.length / gridSide ** 2;
      const regions: Regions = { label: new Uint8Array(gridSide ** 2), certainty: new Float32Array(gridSide ** 2) };
      for (let point = 0; point < gridSide ** 2; point++) {
        const own = values.subarray(point * classes, (point + 1) * classes);
        const best = own.indexOf(Math.max(...own));
        const total = own.reduce((sum, value) => sum + Math.exp(value - own[best]!), 0);
        regions.label[point] = best;
        regions.certainty[point] = 1 / total;
      }
      return regions;
    } finally {
      logits.dispose();
    }
  }

  dispose(): void {
    for (const competitor of this.#competitors) competitor.dispose();
    this.#logits.dispose();
    this.#shares.dispose();
    this.#shown.model.dispose();
    this.#grid.dispose();
    const { train, test } = this.#samples;
    for (const tensor of [train.x, train.labels, test.x, test.labels]) tensor.dispose();
  }
}

/** The data of the trial, with the rows that were moved by hand where they are now. */
function movedData(settings: RunSettings): TrialData {
  const data = trialData(settings, settings.trial);
  const { values } = data.train.x;
  const moved = values.slice();
  for (const { row, x, y } of settings.moved) moved.set([x, y], 2 * row);
  return { ...data, train: { ...data.train, x: { ...data.train.x, values: moved } } };
}

function sceneOf({ train, test, plane, displaced }: TrialData, { iterations, moved, protocol }: RunSettings): Scene {
  const spoilt = new Set([...displaced, ...moved.map(({ row }) => row)]);
  const home = pointsOf(plane);
  const { centre, deviation } = spreadOf(home, protocols[protocol].correction);
  const label = ({ labels }: TrialData["test"], row: number) => labels.values[row]!;
  return {
    train: pointsOf(train.x).map(([x, y], row) => ({
      x,
      y,
      from: home[row]!,
      label: label(train, row),
      displaced: spoilt.has(row),
    })),
    test: pointsOf(test.x).map(([x, y], row) => ({ x, y, from: [x, y], label: label(test, row), displaced: false })),
    iterations: curveIterations(iterations),
    mean: centre,
    deviation,
  };
}
