import { aggregate, all, byLayer, byParameter } from "@robgrad/aggregators";
import { noGrad, sampleGradients } from "@robgrad/autograd";
import { toDevice } from "@robgrad/datasets";
import { accuracy, sgd, softmaxCrossEntropy, squaredError, type Optimizer } from "@robgrad/nn";
import {
  capture,
  generator,
  hasCode,
  tidy,
  type Device,
  type DeviceRandom,
  type Generator,
  type Tensor,
} from "@robgrad/tensor";
import { initialWeights, network, setWeights, type LayerWeights, type Network } from "../study/network.js";
import { attackedGradients } from "./attacked-gradients.js";
import type { Cell } from "./cell.js";
import type { RowContamination } from "./contamination.js";
import { contaminations } from "./contaminations.js";
import type { Entrant } from "./entrants.js";
import type { HostSamples, Task } from "./task.js";
import { tasks } from "./tasks.js";

const dtype = "float32";

/** On a device. `order` says where rows of the batch as it came stand in `x`, whose last rows are the hostile ones. */
type Samples = Readonly<Record<"x" | "target" | "order", Tensor>>;

/** What one trial trains and is tested on, and the generators of its weights and of the rows that an attacker draws. */
export interface ContestData {
  readonly train: HostSamples;
  readonly test: HostSamples;
  /** Whether the test holds what an attacker wants. */
  readonly attacked: boolean;
  /** For each batch the rows whose gradients an attacker sends, the same number in all. */
  readonly hostile: readonly (readonly number[])[];
  readonly weights: Generator;
  readonly noise: Generator;
}

/**
 * The data of one cell and seed, which follow from these alone: all cells of a seed share the clean samples and weights.
 *
 * @example  const { train } = contestData({ task: "iris", kind: "flips", fraction: 0.1, strength: 1 }, 0);
 */
export function contestData(cell: Cell, seed: number, task: Task = tasks[cell.task]): ContestData {
  const { kind, fraction, strength } = cell;
  const { data, classes, batch } = task;
  const own = generator(seed);
  const clean = data(own.split());
  const weights = own.split();
  const spoiling = own.split();
  const count = clean.train.x.shape[0]! / batch;
  const rest = {
    ...clean,
    attacked: false,
    hostile: Array.from({ length: count }, () => []),
    weights,
    noise: own.split(),
  };
  if (kind === null) return rest;
  const contamination = contaminations[kind];
  if ("attack" in contamination) {
    const size = Math.ceil(fraction * batch - 1e-9);
    const hostile = rest.hostile.map((_, k) =>
      Array.from(spoiling.permutation(batch).slice(0, size).sort(), (row) => k * batch + row),
    );
    const train = contamination.prepare?.(clean.train, hostile.flat(), classes) ?? clean.train;
    return { ...rest, train, hostile };
  }
  const { apply, wanted } = contamination;
  const dose = { strength, generator: spoiling, classes };
  const train = apply(clean.train, { ...dose, fraction });
  return { ...rest, train, test: wanted?.(clean.test, dose) ?? clean.test, attacked: wanted !== undefined };
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
  #attackedBy = "";

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
    const data = contestData(cell, seed, this.#task);
    const raid = this.#raidOn(cell, data);
    const attackedBy = raid === null ? "" : `${cell.kind} ${cell.strength} ${raid.count}`;
    if (this.#entrant.remembers || raid?.contamination.random || attackedBy !== this.#attackedBy) this.dispose();
    this.#attackedBy = attackedBy;
    const { sizes, reach } = this.#task;
    const trainer = (this.#trainer ??= new Trainer(this.#device, this.#task, this.#entrant, raid));
    try {
      const error = await trainer.run(data, initialWeights(data.weights, sizes, reach));
      return data.attacked ? 1 - error : error;
    } catch (error) {
      if (!hasCode(error) || error.code !== "BAD_DATA") throw error;
      this.dispose();
      return 1;
    }
  }

  #raidOn({ kind, strength }: Cell, { hostile, noise }: ContestData): Raid | null {
    const count = hostile[0]!.length;
    const contamination = kind === null || count === 0 ? null : contaminations[kind];
    if (contamination === null || !("attack" in contamination)) return null;
    return { contamination, strength, count, seed: noise.bits(1)[0]! };
  }

  dispose(): void {
    this.#trainer?.dispose();
    this.#trainer = null;
  }
}

/** Hostile rows in every step. */
interface Raid {
  readonly contamination: RowContamination;
  readonly strength: number;
  /** Of the rows of a step. */
  readonly count: number;
  readonly seed: number;
}

class Trainer {
  readonly #device: Device;
  readonly #task: Task;
  readonly #network: Network;
  readonly #optimizer: Optimizer;
  readonly #rng: DeviceRandom;
  readonly #step: (x: Tensor, target: Tensor, order: Tensor) => void;
  readonly #captured: { dispose(): void } | null;
  #recorded: boolean;

  constructor(device: Device, task: Task, { group, stepScale, remembers, make }: Entrant, raid: Raid | null) {
    this.#device = device;
    this.#task = task;
    this.#network = network(device, dtype, task.sizes);
    this.#optimizer = sgd({ stepSize: task.stepSize * stepScale });
    this.#rng = device.rng(raid?.seed ?? 0);
    const { model } = this.#network;
    const rule = make();
    const options = {
      group: { parameter: byParameter, layer: byLayer(model), all }[group],
      nonFinite: raid?.contamination.nonFinite ?? ("reject" as const),
    };
    const losses = task.classes === null ? squaredError : softmaxCrossEntropy;
    const step = (x: Tensor, target: Tensor, order: Tensor) => {
      const own = sampleGradients(losses(model.forward(x), target), model.parameters());
      const attack = (rows: Tensor, { contamination, strength }: Raid) =>
        contamination.attack({ strength, rule, own: rows, rng: this.#rng });
      const gradients =
        raid === null ? own : attackedGradients(own, options.group, order, raid.count, (rows) => attack(rows, raid));
      this.#optimizer.update(aggregate(gradients, rule, options));
    };
    // Whoever asks a rule with memory outside of `aggregate` makes cells in every step, which cannot be replayed.
    const replayable = !(remembers && raid?.contamination.asks);
    const captured = replayable ? capture(step) : null;
    this.#step = captured ?? ((...samples) => tidy(() => step(...samples)));
    this.#captured = captured;
    this.#recorded = !replayable;
  }

  async run({ train, test, hostile }: ContestData, initial: readonly LayerWeights[]): Promise<number> {
    const { steps } = this.#task;
    const batches = hostile.map((rows, k) => this.#batchOf(train, k, rows));
    const tested = toDevice({ ...test }, this.#device, { dtype }) as unknown as Samples;
    const step = ({ x, target, order }: Samples) => this.#step(x, target, order);
    try {
      setWeights(this.#network, initial);
      if (!this.#recorded) {
        for (let k = 0; k < 2; k++) step(batches[0]!);
        setWeights(this.#network, initial);
        this.#recorded = true;
      }
      for (let k = 0; k < steps; k++) step(batches[k % batches.length]!);
      return await this.#error(tested, test);
    } finally {
      for (const tensors of [...batches, tested]) Object.values(tensors).forEach((tensor) => tensor.dispose());
    }
  }

  async #error({ x, target }: Pick<Samples, "x" | "target">, test: HostSamples): Promise<number> {
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

  /** Batch k, hostile rows last. */
  #batchOf({ x, target }: HostSamples, k: number, hostile: readonly number[]): Samples {
    const { batch } = this.#task;
    const all = Array.from({ length: batch }, (_, row) => k * batch + row);
    const chosen = [...all.filter((row) => !hostile.includes(row)), ...hostile];
    const order = Int32Array.from(all, (row) => chosen.indexOf(row));
    const data = { x: taken(x, chosen), target: taken(target, chosen), order: { values: order, shape: [batch] } };
    return toDevice(data, this.#device, { dtype }) as unknown as Samples;
  }

  dispose(): void {
    this.#captured?.dispose();
    this.#rng.dispose();
    this.#optimizer.dispose();
    this.#network.model.dispose();
  }
}

function taken<A extends HostSamples["x" | "target"]>(
  { values, shape: [count = 0, ...shape] }: A,
  rows: readonly number[],
) {
  const width = values.length / count;
  const found = values.slice(0, rows.length * width);
  rows.forEach((row, k) => found.set(values.subarray(row * width, (row + 1) * width), k * width));
  return { values: found, shape: [rows.length, ...shape] };
}

function variance(values: ArrayLike<number>): number {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
}
