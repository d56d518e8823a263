import { aggregate, medianOfMeans, softTruncation, type Aggregator } from "@robgrad/aggregators";
import { sampleGradients, type Variable } from "@robgrad/autograd";
import { Conv2d, Linear, MaxPool2d, relu, Sequential, sgd, softmaxCrossEntropy, type Parameter } from "@robgrad/nn";
import { capture, openDevice, type Device, type Tensor } from "@robgrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";

const samples = 64;

/** Two recorded steps and a replayed one; the losses and the most memory they took. */
async function train(
  device: Device,
  gradientsOf: (losses: Variable, model: Sequential) => ReadonlyMap<Parameter, Tensor>,
) {
  const rng = device.rng(1);
  const model = new Sequential(
    new Conv2d(1, 8, 5, { rng }),
    relu,
    new MaxPool2d(2),
    new Conv2d(8, 16, 5, { rng }),
    relu,
    new MaxPool2d(2),
    (y) => y.reshape([-1, 256]),
    new Linear(256, 10, { rng }),
  );
  const x = rng.normal([samples, 1, 28, 28]);
  const labels = device.tensor(Int32Array.from({ length: samples }, (_, n) => n % 10));
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

describe("robust steps of a convolutional network", () => {
  let limit: number;
  beforeAll(async () => {
    const device = await openDevice("wasm");
    const { peak } = await train(device, (losses, model) => {
      const parameters = [...model.parameters()];
      for (const parameter of parameters) parameter.clearGrad();
      losses.mean().backward();
      return new Map(parameters.map((parameter) => [parameter, (parameter.grad as Variable).value]));
    });
    limit = 1.5 * peak;
    device.dispose();
  }, 60_000);

  it.each<[string, Aggregator]>([
    ["soft truncation", softTruncation({ delta: 0.005 })],
    ["medians of means", medianOfMeans({ blocks: 8 })],
  ])(
    "fit into one and a half times the memory of the plain step: %s",
    async (_, rule) => {
      const device = await openDevice("wasm", { memoryLimit: limit });
      const { losses } = await train(device, (own, model) => aggregate(sampleGradients(own, model.parameters()), rule));
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      device.dispose();
    },
    60_000,
  );
});
