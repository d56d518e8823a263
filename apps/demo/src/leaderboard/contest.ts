import { aggregate, all, byLayer } from "@robgrad/aggregators";
import { noGrad, sampleGradients } from "@robgrad/autograd";
import { toDevice } from "@robgrad/datasets";
import { accuracy, sgd, softmaxCrossEntropy, squaredError, type Optimizer } from "@robgrad/nn";
import { capture, generator, hasCode, tidy, type Device, type Generator, type Tensor } from "@robgrad/tensor";
import { initialWeights, network, setWeights, type LayerWeights, type Network } from "../study/network.js";
import type { Cell } from "./cell.js";
import { contaminations, type Contamination } from "./contaminations.js";
import type { Entrant } from "./entrants.js";
import type { HostSamples, Task } from "./task.js";
import { tasks } from "./tasks.js";

const dtype = "float32";

type Samples = Readonly<Record<"x" | "target", Tensor>>;

/** What one trial trains and is tested on, and the generator of its weights. */
export interface ContestData {
  readonly train: HostSamples;
  readonly test: HostSamples;
  /** Whether the test holds what an attacker wants. */
  readonly attacked: boolean;
  readonly weights: Generator;
}

/**
 * The data of one cell and seed, which follow from these alone: all cells of a seed share the clean samples and weights.
 *
 * @example  const { train } = contestData({ task: "iris", kind: "flips", fraction: 0.1, strength: 1 }, 0);
 */
export function contestData({ task, kind, fraction, strength }: Cell, seed: number): ContestData {
  const { data, classes }: Task = tasks[task];
  const own = generator(seed);
  const clean = data(own.split());
  const weights = own.split();
  if (kind === null) return { ...clean, attacked: false, weights };
  const dose = { strength, generator: own.split(), classes };
  const { apply, wanted }: Contamination = contaminations[kind];
  const train = apply(clean.train, { ...dose, fraction });
  return { train, test: wanted?.(clean.test, dose) ?? clean.test, attacked: wanted !== undefined, weights };
}

/**
 * Trains one rule on one task, from new data and weights every time.
 *
 * Data, weights and spoilt rows follow from the seed alone, so that all rules and all cells of a seed are paired. The
 * step is recorded once.
 *
 * @example  await new Contest(device, "iris", entrant("norm-clip")).run({ task: "iris", kind: null, fraction: 0, strength: 0 }, 0);
 */
export class Contest {
  readonly #device: Device;
  readonly #task: Task;
  readonly #entrant: Entrant;
  #trainer: Trainer | null = null;

  /**
   * @param device   Where to train.
   * @param task     That of the cells to come.
   * @param entrant  The rule.
   */
  constructor(device: Device, task: Task, entrant: Entrant) {
    this.#device = device;
    this.#task = task;
    this.#entrant = entrant;
  }

  /**
   * @returns  The share of test rows misclassified, or of those that do what an attacker wants; in regression the share of
   *           the targets' variance that the predictions leave, 1 at most. 1 when training met a gradient that is not finite.
   */
  async run(cell: Cell, seed: number): Promise<number> {
    if (this.#entrant.remembers) this.dispose();
    const { train, test, attacked, weights } = contestData(cell, seed);
    const { sizes, reach } = this.#task;
    const trainer = (this.#trainer ??= new Trainer(this.#device, this.#task, this.#entrant));
    try {
      const error = await trainer.run(train, test, initialWeights(weights, sizes, reach));
      return attacked ? 1 - error : error;
    } catch (error) {
      if (!hasCode(error) || error.code !== "BAD_DATA") throw error;
      this.dispose();
      return 1;
    }
  }

  dispose(): void {
    this.#trainer?.dispose();
    this.#trainer = null;
  }
}

class Trainer {
  readonly #device: Device;
  readonly #task: Task;
  readonly #network: Network;
  readonly #optimizer: Optimizer;
  readonly #step: ((x: Tensor, target: Tensor) => void) & { dispose(): void };
  #recorded = false;

  constructor(device: Device, task: Task, { group, stepScale, make }: Entrant) {
    this.#device = device;
    this.#task = task;
    this.#network = network(device, dtype, task.sizes);
    this.#optimizer = sgd({ stepSize: task.stepSize * stepScale });
    const { model } = this.#network;
    const rule = make();
    const key = { parameter: undefined, layer: byLayer(model), all }[group];
    const options = key === undefined ? {} : { group: key };
    const losses = task.classes === null ? squaredError : softmaxCrossEntropy;
    this.#step = capture((x: Tensor, target: Tensor) => {
      const gradients = sampleGradients(losses(model.forward(x), target), model.parameters());
      this.#optimizer.update(aggregate(gradients, rule, options));
    });
  }

  async run(train: HostSamples, test: HostSamples, initial: readonly LayerWeights[]): Promise<number> {
    const { steps } = this.#task;
    const batches = this.#batchesOf(train);
    const tested = toDevice({ ...test }, this.#device, { dtype }) as unknown as Samples;
    try {
      setWeights(this.#network, initial);
      if (!this.#recorded) {
        for (let k = 0; k < 2; k++) this.#step(batches[0]!.x, batches[0]!.target);
        setWeights(this.#network, initial);
        this.#recorded = true;
      }
      for (let k = 0; k < steps; k++) {
        const { x, target } = batches[k % batches.length]!;
        this.#step(x, target);
      }
      return await this.#error(tested, test);
    } finally {
      for (const { x, target } of [...batches, tested]) [x, target].forEach((tensor) => tensor.dispose());
    }
  }

  async #error({ x, target }: Samples, test: HostSamples): Promise<number> {
    const { classes } = this.#task;
    const found = tidy(() =>
      noGrad(() => {
        const output = this.#network.model.forward(x);
        return classes === null ? squaredError(output, target).value.mean() : accuracy(output, target);
      }),
    );
    const [value = NaN] = await found.data();
    found.dispose();
    const rows = test.x.shape[0]!;
    if (classes !== null) return Math.round((1 - value) * rows) / rows;
    const share = value / variance(test.target.values);
    return share < 1 ? share : 1;
  }

  #batchesOf({ x, target }: HostSamples): Samples[] {
    const { batch } = this.#task;
    const count = x.shape[0]! / batch;
    return Array.from({ length: count }, (_, k) => {
      const rows = <A extends HostSamples["x" | "target"]>({ values, shape }: A) => ({
        values: values.slice((k * values.length) / count, ((k + 1) * values.length) / count),
        shape: [batch, ...shape.slice(1)],
      });
      return toDevice({ x: rows(x), target: rows(target) }, this.#device, { dtype }) as unknown as Samples;
    });
  }

  dispose(): void {
    this.#step.dispose();
    this.#optimizer.dispose();
    this.#network.model.dispose();
  }
}

function variance(values: ArrayLike<number>): number {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
}
