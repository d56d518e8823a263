import { aggregate, medianOfMeans, softTruncation, type Aggregator } from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { Conv2d, Linear, MaxPool2d, relu, Sequential } from "@robgrad/nn";
import { capture, openDevice, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { meanGradients, train as trainInMemory, type GradientsOf } from "./train-in-memory.js";

const samples = 64;

/** The network, and a batch of images. */
async function train(device: Device, gradientsOf: GradientsOf) {
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
  return trainInMemory(model, rng.normal([samples, 1, 28, 28]), 10, gradientsOf);
}

describe("robust steps of a convolutional network", () => {
  let limit: number;
  beforeAll(async () => {
    const device = await openDevice("wasm");
    const { peak } = await train(device, meanGradients);
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

describe("a convolution of images whose windows take much memory", () => {
  const [N, C, Q, side, kernel] = [16, 8, 8, 32, 5];
  const bytesOfWindows = 4 * N * C * kernel ** 2 * (side - kernel + 1) ** 2;

  it.each(["eager", "captured"])("never holds most of them: %s", async (mode) => {
    const device = await openDevice("wasm");
    const rng = device.rng(0);
    const layers = [new Conv2d(C, C, 1, { rng }), new Conv2d(C, Q, kernel, { rng })];
    const model = new Sequential(...layers);
    const x = rng.normal([N, C, side, side]);
    const work = (input: Tensor) => {
      const losses = model
        .forward(input)
        .square()
        .sum({ axis: [1, 2, 3] });
      const robust = aggregate(sampleGradients(losses, model.parameters()), softTruncation());
      return [losses.mean().value, ...robust.values()].map((y) => y.sum()).reduce((a, b) => a.add(b));
    };
    const step = mode === "captured" ? capture(work) : (input: Tensor) => tidy(() => work(input));
    device.resetPeak();
    for (let call = 0; call < 4; call++) expect(Number.isFinite(await step(x).item())).toBe(true);
    expect(device.memory().peak).toBeLessThan(bytesOfWindows / 2);
    device.dispose();
  });
});
