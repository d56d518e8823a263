import {
  aggregate,
  byLayer,
  mean,
  median,
  medianOfMeans,
  mEstimator,
  softTruncation,
  type Aggregator,
} from "@robgrad/aggregators";
import { sampleGradients } from "@robgrad/autograd";
import { Linear, relu, Sequential, sgd, softmaxCrossEntropy } from "@robgrad/nn";
import { capture, openDevice, type Device, type Tensor } from "@robgrad/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Weights after some captured steps on layers that are large enough for their kernels to be shared. */
async function trained(device: Device, rule: Aggregator): Promise<Record<string, readonly number[]>> {
  const rng = device.rng(4);
  const model = new Sequential(new Linear(196, 64, { rng }), relu, new Linear(64, 10, { rng }));
  const x = rng.normal([64, 196]);
  const labels = device.tensor(
    Array.from({ length: 64 }, (_, n) => n % 10),
    { dtype: "int32" },
  );
  const optimizer = sgd({ stepSize: 0.1 });
  const step = capture((input: Tensor, targets: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(input), targets);
    optimizer.update(aggregate(sampleGradients(losses, model.parameters()), rule, { group: byLayer(model) }));
    return losses.mean();
  });
  const losses: number[] = [];
  for (let t = 0; t < 5; t++) losses.push(await step(x, labels).item());
  const parameters = [...model.namedParameters()].map(async ([name, { value }]) => {
    const bits = new Int32Array((await value.data()).buffer);
    return [name, [...bits]] as const;
  });
  const result = Object.fromEntries(await Promise.all(parameters));
  step.dispose();
  return { ...result, losses };
}

describe("training on several threads", () => {
  const devices: Device[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(await openDevice("wasm", { threads }));
  });
  afterAll(() => {
    for (const device of devices) device.dispose();
  });

  const rules: Record<string, () => Aggregator> = {
    mean: () => mean(),
    "soft truncation": () => softTruncation({ delta: 0.005 }),
    median: () => median(),
    "Huber's M-estimator": () => mEstimator(),
    "median of means": () => medianOfMeans({ blocks: 10 }),
  };
  it.each(Object.keys(rules))("leaves the same bits as on one: %s", async (name) => {
    const [one, two, three] = await Promise.all(
      devices.map((device) => trained(device, (rules[name] as () => Aggregator)())),
    );
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });
});
