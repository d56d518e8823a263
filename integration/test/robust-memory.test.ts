import {
  aggregate,
  all,
  byLayer,
  median,
  medianOfMeans,
  mEstimator,
  softTruncation,
  type Aggregator,
} from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { Linear, relu, Sequential, type Parameter } from "@robgrad/nn";
import { openDevice, type Device } from "@robgrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { meanGradients, train as trainInMemory, type GradientsOf } from "./train-in-memory.js";

const samples = 256;
const widths = [784, 256, 128, 10] as const;

/** A network for images of 28 × 28, and a batch of them. */
async function train(device: Device, gradientsOf: GradientsOf) {
  const rng = device.rng(1);
  const [p, q, r, classes] = widths;
  const model = new Sequential(
    new Linear(p, q, { rng }),
    relu,
    new Linear(q, r, { rng }),
    relu,
    new Linear(r, classes, { rng }),
  );
  return trainInMemory(model, rng.normal([samples, p]), classes, gradientsOf);
}

describe("robust steps on layers of an image's size", () => {
  let limit: number;
  beforeAll(async () => {
    const device = await openDevice("wasm");
    const { peak } = await train(device, meanGradients);
    limit = 1.3 * peak;
    device.dispose();
  });

  const rules: readonly (readonly [name: string, rule: () => Aggregator])[] = [
    ["soft truncation", () => softTruncation()],
    ["the median", () => median()],
    ["Huber's estimator", () => mEstimator({ influence: "huber" })],
    ["the geometric median of means", () => medianOfMeans({ blocks: 8, tolerance: 1e-6 })],
    ["the geometric median of means of blocks that differ", () => medianOfMeans({ blocks: 10, tolerance: 1e-6 })],
  ];
  const groupings = [
    ["by layer", (model: Sequential) => byLayer<Parameter>(model)],
    ["jointly", () => all],
  ] as const;
  const cases = rules.flatMap(([name, rule]) => groupings.map(([how, group]) => [name, how, rule, group] as const));

  it.each(cases)("run in 1.3 times the memory of the plain step: %s, %s", async (_, __, make, group) => {
    const device = await openDevice("wasm", { memoryLimit: limit });
    const rule = make();
    const { losses } = await train(device, (losses, model) =>
      aggregate(sampleGradients(losses, model.parameters()), rule, { group: group(model) }),
    );
    expect(losses[2]).toBeLessThan(losses[0] as number);
    device.dispose();
  });
});
