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
import { accuracy, Linear, momentum, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, openDevice, type Device, type DeviceRandom, type Tensor } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let device: Device;

const samples = 30;

/** A model, data and one training step, all from seeds. */
function training(rule: (rng: DeviceRandom) => Aggregator, { layer = false, moving = false } = {}) {
  const rng = device.rng(1);
  const model = new Sequential(new Linear(3, 8, { rng }), relu, new Linear(8, 3, { rng }));
  const x = rng.normal([samples, 3]);
  const labels = device.tensor(
    Array.from({ length: samples }, (_, n) => n % 3),
    { dtype: "int32" },
  );
  const optimizer = moving ? momentum({ stepSize: 0.05 }) : sgd({ stepSize: 0.2 });
  const own = rule(device.rng(9));
  const step = (input: Tensor, targets: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(input), targets);
    const group = layer ? byLayer(model) : all;
    optimizer.update(aggregate(sampleGradients(losses, model.parameters()), own, { group }));
    return { loss: losses.mean(), losses };
  };
  return { model, x, labels, step };
}

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
  });
  afterEach(() => device.dispose());

  describe("a captured training step", () => {
    interface Case {
      readonly name: string;
      readonly rule: (rng: DeviceRandom) => Aggregator;
      readonly options?: { readonly layer?: boolean; readonly moving?: boolean };
    }
    const rules: readonly Case[] = [
      { name: "mean", rule: () => mean() },
      {
        name: "mean with momentum, whose velocity is made in the first step",
        rule: () => mean(),
        options: { moving: true },
      },
      { name: "soft truncation", rule: () => softTruncation() },
      { name: "trimmed mean", rule: () => trimmedMean({ fraction: 0.1 }) },
      { name: "median of means by layer", rule: () => medianOfMeans({ blocks: 5 }), options: { layer: true } },
      { name: "median of means of blocks dealt at random", rule: (rng) => medianOfMeans({ blocks: 5, rng }) },
    ];

    it.each(rules)("takes the eager path for 100 steps: $name", async ({ rule, options }) => {
      const eager = training(rule, options);
      const replayed = training(rule, options);
      const step = capture(replayed.step);
      for (let t = 0; t < 100; t++) {
        const [expected, found] = [eager.step(eager.x, eager.labels), step(replayed.x, replayed.labels)];
        expect(await found.loss.item()).toBe(await expected.loss.item());
      }
      for (const [name, parameter] of replayed.model.namedParameters()) {
        const twin = new Map(eager.model.namedParameters()).get(name);
        expect(await parameter.toArray(), name).toEqual(await twin!.toArray());
      }
    });

    it("lets evaluation between replays see the present weights", async () => {
      const { model, x, labels, step } = training(() => mean());
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
      const { x, labels, step } = training(() => mean());
      const captured = capture(step);
      const results: Variable[] = [];
      for (let t = 0; t < 4; t++) results.push(captured(x, labels).losses);
      expect(results.every((losses) => losses.creator === null && losses.shape[0] === samples)).toBe(true);
    });
  });
});
