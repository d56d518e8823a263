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
import { sampleGradients, type Variable } from "@robgrad/autograd";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { capture, openDevice, type Device, type Tensor } from "@robgrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";

const samples = 256;
const widths = [784, 256, 128, 10] as const;

/** Two recorded steps and a replayed one on images' size; the losses and the most memory they took. */
async function train(
  device: Device,
  gradientsOf: (losses: Variable, model: Sequential) => ReadonlyMap<Parameter, Tensor>,
) {
  const rng = device.rng(1);
  const [p, q, r, classes] = widths;
  const model = new Sequential(
    new Linear(p, q, { rng }),
    relu,
    new Linear(q, r, { rng }),
    relu,
    new Linear(r, classes, { rng }),
  );
  const x = rng.normal([samples, p]);
  const labels = device.tensor(
    Array.from({ length: samples }, (_, n) => n % classes),
    { dtype: "int32" },
  );
  const optimizer = sgd({ stepSize: 0.1 });
  const step = capture((input: Tensor, targets: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(input), targets);
    optimizer.update(gradientsOf(losses, model));
    return losses.mean();
  });
  device.resetPeak();
  const losses: number[] = [];
  for (let t = 0; t < 3; t++) losses.push(await step(x, labels).item());
  return { losses, peak: device.memory().peak };
}

describe("robust steps on layers of an image's size", () => {
  let limit: number;
  beforeAll(async () => {
    const device = await openDevice("wasm");
    const { peak } = await train(device, (losses, model) => {
      const parameters = [...model.parameters()];
      for (const parameter of parameters) parameter.clearGrad();
      losses.mean().backward();
      return new Map(parameters.map((parameter) => [parameter, (parameter.grad as Variable).value]));
    });
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
