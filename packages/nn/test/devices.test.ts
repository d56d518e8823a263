import { linear, sampleGradients, type Variable } from "@robgrad/autograd";
import { checkOnDevice } from "@robgrad/autograd/testing";
import {
  accuracy,
  Linear,
  momentum,
  relu,
  Sequential,
  sgd,
  softmaxCrossEntropy,
  squaredError,
  type Optimizer,
} from "@robgrad/nn";
import { capture, generator, openDevice, type Device, type Tensor } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";

const samples = 6;
const labels = [0, 2, 1, 1, 0, 2];

type Input = readonly number[] | "labels";

/** Losses [N] of parameters and, after them, data; shapes of both. */
const losses: Record<
  string,
  readonly [f: (...xs: Variable[]) => Variable, parameters: readonly Input[], data: readonly Input[]]
> = {
  "softmaxCrossEntropy of logits": [(y, t) => softmaxCrossEntropy(y, t.value), [[samples, 3]], ["labels"]],
  "softmaxCrossEntropy of a layer": [
    (W, b, x, t) => softmaxCrossEntropy(linear(x, W, b), t.value),
    [[3, 4], [3]],
    [[samples, 4], "labels"],
  ],
  "softmaxCrossEntropy of two layers": [
    (W, b, V, c, x, t) => softmaxCrossEntropy(linear(relu(linear(x, W, b)), V, c), t.value),
    [[5, 4], [5], [3, 5], [3]],
    [[samples, 4], "labels"],
  ],
  "squaredError of a layer": [
    (W, b, x, t) => squaredError(linear(x, W, b), t.value),
    [[3, 4], [3]],
    [
      [samples, 4],
      [samples, 3],
    ],
  ],
};

/** Weights of a network after five steps, its losses on the way, and its accuracy. */
async function train(device: Device, dtype: "float32" | "float64", make: () => Optimizer, captured: boolean) {
  const rng = device.rng(1);
  const model = new Sequential(new Linear(4, 5, { rng, dtype }), relu, new Linear(5, 3, { rng, dtype }));
  rng.dispose();
  for (const [k, parameter] of [...model.parameters()].entries()) {
    const start = draw(device, parameter.shape, k, dtype);
    parameter.assign(start);
  }
  const [x, t] = [draw(device, [samples, 4], 9, dtype), device.tensor(labels, { dtype: "int32" })];
  const optimizer = make();
  const called = (x: Tensor, t: Tensor) => {
    const losses = softmaxCrossEntropy(model.forward(x), t);
    const rows = sampleGradients(losses, model.parameters());
    optimizer.update(new Map([...rows].map(([parameter, g]) => [parameter, g.mean().reshape(parameter.shape)])));
    return losses.value.mean();
  };
  const recorded = capture(called);
  const step = captured ? recorded : called;
  const found: number[] = [];
  for (let turn = 0; turn < 5; turn++) found.push(await step(x, t).item());
  for (const parameter of model.parameters()) found.push(...(await parameter.data()));
  found.push(await accuracy(model.forward(x), t).item());
  recorded.dispose();
  optimizer.dispose();
  model.dispose();
  return found;
}

const draw = (device: Device, shape: readonly number[], seed: number, dtype: "float32" | "float64") =>
  device.tensor(Float32Array.from(generator(seed).normal(shape).values), { shape, dtype });

forEachDevice(
  ({ device }) => {
    const tensor = (input: Input, k: number) =>
      input === "labels" ? device.tensor(labels, { dtype: "int32" }) : draw(device, input, k, "float32");

    describe("losses and layers", () => {
      it.each(Object.entries(losses))("%s are those of cpu in float64", async (_, [f, parameters, data]) => {
        const constants = data.map((input, k) => tensor(input, k + 20));
        await checkOnDevice(device, f, parameters.map(tensor), { constants, samples: true });
      });

      it.each([-1, 3])("report a label of %d at the next read", async (label) => {
        const bad = device.tensor([0, label], { dtype: "int32" });
        await expect(softmaxCrossEntropy(device.zeros([2, 3]), bad).data()).rejects.toMatchObject({
          code: "BAD_DATA",
          message: expect.stringMatching(/softmaxCrossEntropy.*labels.*element 1/),
        });
      });
    });

    describe("optimizers", () => {
      const optimizers: Record<string, () => Optimizer> = {
        sgd: () => sgd({ stepSize: 0.2 }),
        momentum: () => momentum({ stepSize: 0.2 }),
      };

      it.each(Object.entries(optimizers))("%s trains as on cpu in float64, called and replayed", async (_, make) => {
        const cpu = await openDevice("cpu");
        const expected = await train(cpu, "float64", make, false);
        cpu.dispose();
        for (const captured of [false, true]) {
          const found = await train(device, "float32", make, captured);
          expect(found).toHaveLength(expected.length);
          found.forEach((value, k) => expect(Math.abs(value - expected[k]!), `number ${k}`).toBeLessThan(1e-5));
        }
      });
    });
  },
  { dtypes: ["float32"] },
);
