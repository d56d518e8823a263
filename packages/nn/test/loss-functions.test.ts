import { linear, Variable } from "@robgrad/autograd";
import { checkSampleGradients } from "@robgrad/autograd/testing";
import {
  absoluteError,
  binaryCrossEntropy,
  huberLoss,
  quantileLoss,
  softmaxCrossEntropy,
  squaredError,
} from "@robgrad/nn";
import { capture, type Device, type DType, type Nested, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice, type DeviceUnderTest } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { expectCase, expectDerivatives, type FixtureCase } from "./fixture-case.js";
import fixtures from "./fixtures/losses.json" with { type: "json" };

type Constant = (name: "labels" | "targets" | "weights") => Tensor;
type Loss = (constant: Constant, y: Variable, t: Variable) => Variable;

/** The loss of every case of losses.json. */
const losses: Record<keyof typeof fixtures, Loss> = {
  softmaxCrossEntropy: (constant, y) => softmaxCrossEntropy(y, constant("labels")),
  "softmaxCrossEntropy, smoothed by 0.1": (constant, y) =>
    softmaxCrossEntropy(y, constant("labels"), { labelSmoothing: 0.1 }),
  "softmaxCrossEntropy, weighted": (constant, y) =>
    softmaxCrossEntropy(y, constant("labels"), { classWeights: constant("weights") }),
  "softmaxCrossEntropy, smoothed by 0.2 and weighted": (constant, y) =>
    softmaxCrossEntropy(y, constant("labels"), { labelSmoothing: 0.2, classWeights: constant("weights") }),
  "binaryCrossEntropy, one label": (constant, y) => binaryCrossEntropy(y, constant("targets")),
  "binaryCrossEntropy, several labels": (constant, y) =>
    binaryCrossEntropy(y, constant("targets").cast("int32").cast("bool")),
  "binaryCrossEntropy, probabilities": (constant, y) => binaryCrossEntropy(y, constant("targets")),
  "binaryCrossEntropy, smoothed by 0.1": (constant, y) =>
    binaryCrossEntropy(y, constant("targets").cast("int32"), { labelSmoothing: 0.1 }),
  "binaryCrossEntropy, positives count 3": (constant, y) =>
    binaryCrossEntropy(y, constant("targets"), { positiveWeight: 3 }),
  "binaryCrossEntropy, positives weighted": (constant, y) =>
    binaryCrossEntropy(y, constant("targets"), { positiveWeight: constant("weights") }),
  squaredError: (_, y, t) => squaredError(y, t),
  absoluteError: (_, y, t) => absoluteError(y, t),
  "huberLoss, k 1": (_, y, t) => huberLoss(y, t),
  "huberLoss, k 0.4": (_, y, t) => huberLoss(y, t, { k: 0.4 }),
  "quantileLoss, 0.9": (_, y, t) => quantileLoss(y, t, { quantile: 0.9 }),
};

const names = Object.keys(losses) as (keyof typeof fixtures)[];

/** Makes the constants of a case. */
const constantsOf =
  (device: Device, dtype: DType, name: keyof typeof fixtures): Constant =>
  (constant) => {
    const { constants } = fixtures[name] as { constants?: Record<string, Nested> };
    return device.tensor(constants![constant] as Nested, { dtype: constant === "labels" ? "int32" : dtype });
  };

/** One random number per element: enough for data that no expectation depends on. */
const drawn = ({ device, dtype }: DeviceUnderTest, shape: readonly number[], seed: number) => {
  const rng = device.rng(seed);
  const x = rng.normal(shape, { dtype });
  rng.dispose();
  return x;
};

forEachDevice((on) => {
  const { device, dtype } = on;

  describe.each(names)("%s", (name) => {
    const example = fixtures[name] as FixtureCase;

    it("has the values and gradients of PyTorch", () => {
      const constant = constantsOf(device, dtype, name);
      return expectCase(on, example, (y, t) => losses[name](constant, y!, t!));
    });

    it("has the rows of each loss alone", async () => {
      const constant = constantsOf(device, dtype, name);
      const [y = []] = Object.values(example.inputs) as number[][][];
      const samples = y.length;
      const outputs = y[0]!.length ?? 1;
      const x = drawn(on, [samples, 2], 1);
      const t = new Variable(drawn(on, [samples, outputs], 2), { requiresGrad: false });
      const model = (W: Variable, b: Variable) => {
        const product = linear(x, W, b);
        return typeof y[0] === "number" ? product.reshape([samples]) : product;
      };
      await checkSampleGradients(
        (W, b) => losses[name](constant, model(W!, b!), t),
        [drawn(on, [outputs, 2], 3), drawn(on, [outputs], 4)],
        { relative: dtype === "float64" ? 1e-10 : 1e-4 },
      );
    });

    if (dtype !== "float64" || !on.quick) return;

    it("has first and second derivatives as central differences", () => {
      const constant = constantsOf(device, dtype, name);
      return expectDerivatives(device, example, (y, t) => losses[name](constant, y!, t!));
    });
  });

  describe("a captured loss", () => {
    it("replays smoothing and weights on other labels", async () => {
      const y = device.tensor(
        [
          [1, 2, -1],
          [0, 1, 3],
        ],
        { dtype },
      );
      const classWeights = device.tensor([1, 2, 3], { dtype });
      const loss = (labels: Tensor) => softmaxCrossEntropy(y, labels, { labelSmoothing: 0.1, classWeights });
      const step = capture(loss);
      for (const labels of [
        [0, 1],
        [1, 1],
        [2, 0],
        [0, 2],
      ]) {
        const given = device.tensor(labels, { dtype: "int32" });
        const eager = (await loss(given).toArray()) as number[];
        await expectClose(step(given).value, eager, { relative: 100 * on.epsilon });
      }
      step.dispose();
    });
  });

  it("absoluteError has derivative 0, and quantileLoss ½ − τ, where the prediction is right", async () => {
    const y = new Variable(device.tensor([2], { dtype }));
    const t = device.tensor([2], { dtype });
    absoluteError(y, t).sum().backward();
    await expectClose(y.grad!.value, [0]);
    y.clearGrad();
    quantileLoss(y, t, { quantile: 0.75 }).sum().backward();
    await expectClose(y.grad!.value, [-0.25]);
  });

  describe("softmaxCrossEntropy", () => {
    it("refuses smoothing out of range and weights that are not one per class", () => {
      const y = device.zeros([2, 3], { dtype });
      const labels = device.tensor([0, 1], { dtype: "int32" });
      for (const labelSmoothing of [-0.1, 1, NaN])
        expect(() => softmaxCrossEntropy(y, labels, { labelSmoothing })).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
      for (const classWeights of [device.ones([2], { dtype }), device.ones([3, 1], { dtype })])
        expect(() => softmaxCrossEntropy(y, labels, { classWeights })).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringMatching(/classWeights .* \[3\]/) }),
        );
    });
  });

  describe("binaryCrossEntropy", () => {
    it("keeps the digits of small losses and does not overflow", async () => {
      const found = binaryCrossEntropy(
        device.tensor([40, -40, 1000, -1000], { dtype }),
        device.tensor([1, 0, 0, 1], { dtype }),
      );
      // ln(1 + e⁻⁴⁰) = e⁻⁴⁰ to twice the digits of float32.
      await expectClose(found.value, [Math.exp(-40), Math.exp(-40), 1000, 1000], { relative: 100 * on.epsilon });
    });

    it.each([-0.5, 1.5])("reports a target of %d at the next read, by place", async (target) => {
      const losses = binaryCrossEntropy(
        device.zeros([2, 2], { dtype }),
        device.tensor(
          [
            [0, 1],
            [target, 0],
          ],
          { dtype },
        ),
      );
      await expect(losses.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/binaryCrossEntropy.*value out of range of targets at element 2/),
      });
    });

    it("reports an int32 target of 2", async () => {
      const targets = device.tensor([0, 2], { dtype: "int32" });
      await expect(binaryCrossEntropy(device.zeros([2], { dtype }), targets).data()).rejects.toMatchObject({
        code: "BAD_DATA",
      });
    });

    it("refuses options out of range and weights that are not one per label", () => {
      const y = device.zeros([2, 3], { dtype });
      for (const options of [
        { labelSmoothing: 1 },
        { labelSmoothing: -0.1 },
        { positiveWeight: 0 },
        { positiveWeight: NaN },
      ])
        expect(() => binaryCrossEntropy(y, y, options)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => binaryCrossEntropy(y, y, { positiveWeight: device.ones([2], { dtype }) })).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringMatching(/positiveWeight .* \[3\]/) }),
      );
    });
  });

  describe.each([
    ["binaryCrossEntropy", binaryCrossEntropy],
    ["squaredError", squaredError],
    ["absoluteError", absoluteError],
    ["huberLoss", huberLoss],
    ["quantileLoss", (y: Tensor, t: Tensor) => quantileLoss(y, t, { quantile: 0.5 })],
  ] as const)("%s", (name, loss) => {
    it("refuses targets of another shape, integers as predictions and an empty batch", () => {
      const message = expect.stringContaining(name) as string;
      const zeros = (shape: readonly number[], type: DType = dtype) => device.zeros(shape, { dtype: type });
      expect(() => loss(zeros([4, 1]), zeros([4]))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH", message }),
      );
      expect(() => loss(zeros([4], "int32"), zeros([4]))).toThrow(
        expect.objectContaining({ code: "DTYPE_MISMATCH", message }),
      );
      expect(() => loss(zeros([0, 2]), zeros([0, 2]))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining("at least one sample") }),
      );
    });
  });

  it("huberLoss and quantileLoss refuse parameters out of range", () => {
    const y = device.zeros([2], { dtype });
    for (const k of [0, -1, Infinity, NaN])
      expect(() => huberLoss(y, y, { k })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    for (const quantile of [0, 1, -0.1, NaN])
      expect(() => quantileLoss(y, y, { quantile })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });
});
