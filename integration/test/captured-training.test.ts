import {
  aggregate,
  all,
  byLayer,
  mean,
  medianOfMeans,
  softTruncation,
  trimmedMean,
  type Aggregator,
} from "@robgrad/aggregators";
import { sampleGradients, type Variable } from "@robgrad/autograd";
import {
  accuracy,
  Linear,
  momentum,
  relu,
  Sequential,
  sgd,
  softmaxCrossEntropy,
  type Initializer,
  type Parameter,
} from "@robgrad/nn";
import {
  capture,
  generator,
  openDevice,
  where,
  type Cell,
  type Device,
  type DeviceName,
  type DeviceRandom,
  type Tensor,
} from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const samples = 30;
const steps = 100;

type Floating = "float32" | "float64";
type Update = (gradients: ReadonlyMap<Parameter, Tensor>) => void;

/** Adam with bias correction, written with cells alone. Kingma and Ba (2015), Algorithm 1. */
function adam(device: Device, dtype: Floating): Update {
  const [rate, first, second, epsilon] = [0.01, 0.9, 0.999, 1e-8];
  const t = device.cell(device.zeros([], { dtype }));
  const moments = new Map<Parameter, readonly [Cell, Cell]>();
  return (gradients) => {
    t.assign(t.value.add(1));
    const correction = (decay: number) => t.value.mul(Math.log(decay)).exp().neg().add(1);
    for (const [w, g] of gradients) {
      const zeros = () => device.cell(device.zeros(w.shape, { dtype }));
      const [m, v] = moments.get(w) ?? [zeros(), zeros()];
      moments.set(w, [m, v]);
      m.assign(m.value.mul(first).add(g.mul(1 - first)));
      v.assign(v.value.mul(second).add(g.square().mul(1 - second)));
      const step = m.value.div(correction(first)).div(v.value.div(correction(second)).sqrt().add(epsilon));
      w.assign(w.value.sub(step.mul(rate)));
    }
  };
}

/** Gradient descent whose step size falls at step 30: a function of the step cell. */
function scheduled(device: Device, dtype: Floating): Update {
  const t = device.cell(device.tensor(0, { dtype: "int32" }));
  return (gradients) => {
    const rate = where(t.value.less(30), device.full([], 0.3, { dtype }), device.full([], 0.03, { dtype }));
    for (const [w, g] of gradients) w.assign(w.value.sub(g.mul(rate)));
    t.assign(t.value.add(1));
  };
}

interface Case {
  readonly name: string;
  readonly rule?: (rng: DeviceRandom) => Aggregator;
  readonly byLayers?: boolean;
  readonly update?: (device: Device, dtype: Floating) => Update;
  /** What a step makes of its samples. */
  readonly batch?: (rng: DeviceRandom, x: Tensor, labels: Tensor) => readonly [Tensor, Tensor];
  /** Whether it draws on the device, where a dtype has its own numbers. */
  readonly draws?: boolean;
}

const cases: readonly Case[] = [
  { name: "the mean" },
  {
    name: "momentum, whose velocity is made in the first step",
    update: () => {
      const optimizer = momentum({ stepSize: 0.05 });
      return (gradients) => optimizer.update(gradients);
    },
  },
  { name: "Adam, with moments, a step cell and bias correction", update: adam },
  { name: "a step size that changes at step 30", update: scheduled },
  { name: "soft truncation", rule: () => softTruncation() },
  { name: "the trimmed mean", rule: () => trimmedMean({ fraction: 0.1 }) },
  { name: "the median of means by layer", rule: () => medianOfMeans({ blocks: 5 }), byLayers: true },
  {
    name: "the median of means of blocks dealt at random",
    rule: (rng) => medianOfMeans({ blocks: 5, rng }),
    draws: true,
  },
  {
    name: "noise drawn at every step",
    batch: (rng, x, labels) => [
      x.add(rng.normal(x.shape, { standardDeviation: 0.1, dtype: x.dtype as Floating })),
      labels,
    ],
    draws: true,
  },
  {
    name: "samples permuted at every step, before they are cut into blocks",
    rule: () => medianOfMeans({ blocks: 5 }),
    batch: (rng, x, labels) => {
      const order = rng.permutation(samples);
      return [x.gather(order), labels.gather(order)];
    },
    draws: true,
  },
];

/** A model, data and one training step, all from seeds and equal on every device. */
function training(device: Device, { rule = () => mean(), byLayers = false, update, batch }: Case, dtype: Floating) {
  const host = generator(1);
  const upload: Initializer = (_, shape) => {
    const { values } = host.normal([...shape], { standardDeviation: 0.5 });
    return device.tensor(values, { shape, dtype });
  };
  const rng = device.rng(3);
  const layer = (inputs: number, outputs: number) => new Linear(inputs, outputs, { rng, weights: upload, dtype });
  const model = new Sequential(layer(3, 8), relu, layer(8, 3));
  const x = upload(rng, [samples, 3], { dtype, fanIn: 0, fanOut: 0 });
  const labels = device.tensor(
    Array.from({ length: samples }, (_, n) => n % 3),
    { dtype: "int32" },
  );
  const plain = sgd({ stepSize: 0.2 });
  const move = update?.(device, dtype) ?? ((gradients) => plain.update(gradients));
  const own = rule(device.rng(9));
  const losses = device.history(steps, { dtype });
  const step = (input: Tensor, targets: Tensor) => {
    const [rows, classes] = batch?.(rng, input, targets) ?? [input, targets];
    const found = softmaxCrossEntropy(model.forward(rows), classes);
    const gradients = sampleGradients(found, model.parameters());
    move(aggregate(gradients, own, { group: byLayers ? byLayer(model) : all }));
    losses.record(found.mean());
    return { losses: found };
  };
  return { model, x, labels, step, losses };
}

/** Loss of every step and all parameters after the last, from one read. */
async function trajectory(
  { x, labels, losses, model }: ReturnType<typeof training>,
  step: (x: Tensor, y: Tensor) => unknown,
) {
  for (let t = 0; t < steps; t++) step(x, labels);
  const curve = (await losses.toArray()) as number[];
  const parameters = [];
  for (const [, parameter] of model.namedParameters()) parameters.push(...(await parameter.data()));
  return [...curve, ...parameters];
}

const furthest = (found: readonly number[], expected: readonly number[]) =>
  Math.max(...expected.map((value, k) => Math.abs(found[k]! - value)));

const devices: readonly DeviceName[] = ["cpu", "wasm"];

describe.each(devices)("a captured training step on %s", (name) => {
  let device: Device;
  beforeEach(async () => {
    device = await openDevice(name);
  });
  afterEach(() => device.dispose());

  it.each(cases)("takes the eager path for 100 steps: $name", async (setting) => {
    const [eager, replayed] = [training(device, setting, "float32"), training(device, setting, "float32")];
    const expected = await trajectory(eager, eager.step);
    const found = await trajectory(replayed, capture(replayed.step));
    expect(new Set(expected.slice(0, steps)).size).toBeGreaterThan(steps / 2);
    // cpu runs the same kernels; wasm may fuse them, and so round sums of float32 in another order.
    expect(furthest(found, expected)).toBeLessThanOrEqual(name === "cpu" ? 0 : 2e-5);
  });

  it("lets evaluation between replays see the present weights", async () => {
    const { model, x, labels, step } = training(device, cases[0]!, "float32");
    const captured = capture(step);
    const evaluate = capture((input: Tensor, targets: Tensor) => accuracy(model.forward(input), targets));
    const seen = new Set<number>();
    for (let t = 0; t < 60; t++) {
      captured(x, labels);
      const found = await evaluate(x, labels).item();
      expect(found).toBe(await accuracy(model.forward(x), labels).item());
      seen.add(found);
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it("returns Variables detached", () => {
    const { x, labels, step } = training(device, cases[0]!, "float32");
    const captured = capture(step);
    const results: Variable[] = [];
    for (let t = 0; t < 4; t++) results.push(captured(x, labels).losses);
    expect(results.every((losses) => losses.creator === null && losses.shape[0] === samples)).toBe(true);
  });
});

describe("captured steps on wasm beside eager ones in float64 on cpu", () => {
  it.each(cases)("stay together for 100 steps: $name", async (setting) => {
    const [cpu, wasm] = [await openDevice("cpu"), await openDevice("wasm")];
    const eager = training(cpu, setting, "float64");
    const expected = await trajectory(eager, eager.step);
    const tolerances = { float64: 1e-10, ...(setting.draws === true ? {} : { float32: 1e-4 }) };
    for (const [dtype, tolerance] of Object.entries(tolerances)) {
      const replayed = training(wasm, setting, dtype as Floating);
      const found = await trajectory(replayed, capture(replayed.step));
      expect(furthest(found, expected), dtype).toBeLessThanOrEqual(tolerance);
    }
    for (const device of [cpu, wasm]) device.dispose();
  });
});
