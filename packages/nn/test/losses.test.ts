import { checkBackward, checkDoubleBackward, checkSampleGradients } from "@robgrad/autograd/testing";
import { linear, sampleGradients, Variable } from "@robgrad/autograd";
import { accuracy, softmaxCrossEntropy, squaredError } from "@robgrad/nn";
import { generator, openDevice, tidy, type Device } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let device: Device;

const samples = 5;
const classes = 3;
const values = generator(2).normal([samples, classes], { standardDeviation: 2 }).values;
const targets = [0, 2, 1, 1, 0];
const logit = (n: number, c: number) => values[n * classes + c]!;

/** By the definition −ln(exp(y_label) / Σ exp(y_c)), which is accurate at this size. */
const expectedLoss = (n: number) => {
  const total = [0, 1, 2].reduce((sum, c) => sum + Math.exp(logit(n, c)), 0);
  return -Math.log(Math.exp(logit(n, targets[n]!)) / total);
};

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
  });
  afterEach(() => device.dispose());

  describe("softmaxCrossEntropy", () => {
    const labels = () => device.tensor(targets, { dtype: "int32" });
    const logits = () => new Variable(device.tensor(values, { shape: [samples, classes] }));

    it("returns the negative log probability of each label", async () => {
      const losses = (await softmaxCrossEntropy(logits(), labels()).toArray()) as number[];
      losses.forEach((loss, n) => expect(loss).toBeCloseTo(expectedLoss(n), 13));
    });

    it("has the gradient softmax minus one-hot", async () => {
      const y = logits();
      softmaxCrossEntropy(y, labels()).sum().backward();
      const gradient = (await y.grad!.toArray()) as number[][];
      for (let n = 0; n < samples; n++) {
        const total = [0, 1, 2].reduce((sum, c) => sum + Math.exp(logit(n, c)), 0);
        for (let c = 0; c < classes; c++) {
          expect(gradient[n]![c]).toBeCloseTo(Math.exp(logit(n, c)) / total - (targets[n] === c ? 1 : 0), 13);
        }
      }
    });

    it("passes gradient, double gradient and per-sample checks", async () => {
      const f = (y: Variable) => softmaxCrossEntropy(y, labels());
      await checkBackward(f, [logits().value]);
      await checkDoubleBackward(f, [logits().value]);
    });

    it("goes backward after the scope it was made in has ended", async () => {
      const y = logits();
      const losses = tidy(() => softmaxCrossEntropy(y, labels()));
      losses.sum().backward();
      expect(await y.grad!.toArray()).toHaveLength(samples);
    });

    it("does not overflow for logits of a thousand", async () => {
      const y = device.tensor([
        [1000, 0, -1000],
        [-1000, 0, 1000],
      ]);
      const losses = await softmaxCrossEntropy(y, device.tensor([0, 0], { dtype: "int32" })).toArray();
      expect(losses).toEqual([0, 2000]);
    });

    it.each([-1, 3])("reports a label of %d at the next read, by place", async (label) => {
      const bad = device.tensor([0, label], { dtype: "int32" });
      const losses = softmaxCrossEntropy(device.zeros([2, 3]), bad);
      await expect(losses.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/softmaxCrossEntropy.*labels.*element 1/),
      });
      await expect(losses.data()).resolves.toHaveLength(2);
    });

    it("refuses wrong shapes, dtypes and an empty batch", () => {
      const good = labels();
      expect(() => softmaxCrossEntropy(device.zeros([5]), good)).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
      expect(() => softmaxCrossEntropy(device.zeros([4, 3]), good)).toThrow(
        /one label for each of 4 samples, found \[5\]/,
      );
      expect(() => softmaxCrossEntropy(device.zeros([5, 3]), device.zeros([5]))).toThrow(
        expect.objectContaining({ code: "DTYPE_MISMATCH" }),
      );
      expect(() => softmaxCrossEntropy(device.zeros([0, 3]), device.zeros([0], { dtype: "int32" }))).toThrow(
        /at least one sample/,
      );
    });
  });

  describe("squaredError", () => {
    it("sums squares per sample", async () => {
      const losses = squaredError(
        device.tensor([
          [1, 2],
          [3, 5],
        ]),
        device.tensor([
          [0, 0],
          [3, 1],
        ]),
      );
      expect(await losses.toArray()).toEqual([5, 16]);
      expect(await squaredError(device.tensor([1, 2]), device.tensor([3, 5])).toArray()).toEqual([4, 9]);
    });

    it("has the gradient 2 (y − t)", async () => {
      const y = new Variable(device.tensor([[1], [4]]));
      squaredError(y, device.tensor([[3], [1]]))
        .sum()
        .backward();
      expect(await y.grad!.toArray()).toEqual([[-4], [6]]);
    });

    it("refuses targets of another shape: a forgotten axis would broadcast", () => {
      expect(() => squaredError(device.zeros([4, 1]), device.zeros([4]))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
    });
  });

  describe("per-sample gradients of losses", () => {
    it("are those of each loss alone, for both losses", async () => {
      const rng = device.rng(4);
      const dtype = "float64";
      const x = rng.normal([samples, 2], { dtype });
      const goal = rng.normal([samples, classes], { dtype });
      const labels = device.tensor(targets, { dtype: "int32" });
      const parameters = [rng.normal([classes, 2], { dtype }), rng.normal([classes], { dtype })];
      await checkSampleGradients((W, b) => softmaxCrossEntropy(linear(x, W!, b), labels), parameters);
      await checkSampleGradients((W, b) => squaredError(linear(x, W!, b), goal), parameters);
    });

    it("of a model whose logits are the same for all samples are still unmixed", async () => {
      const bias = new Variable(device.zeros([1, classes]));
      const losses = softmaxCrossEntropy(
        bias.broadcastTo([samples, classes]),
        device.tensor(targets, { dtype: "int32" }),
      );
      const rows = (await sampleGradients(losses, [bias]).get(bias)!.rows().toArray()) as number[][];
      rows.forEach((row, n) => row.forEach((v, c) => expect(v).toBeCloseTo(1 / 3 - (targets[n] === c ? 1 : 0), 6)));
    });
  });

  describe("accuracy", () => {
    it("is the share of samples whose largest logit is their label's", async () => {
      const logits = device.tensor([
        [0, 1],
        [2, 1],
        [5, 5],
        [0, 3],
      ]);
      expect(await accuracy(logits, device.tensor([1, 1, 0, 1], { dtype: "int32" })).item()).toBe(0.75);
    });

    it.each([-1, 2])("reports a label of %d at the next read", async (label) => {
      const share = accuracy(device.zeros([2, 2]), device.tensor([0, label], { dtype: "int32" }));
      await expect(share.item()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/accuracy.*labels/),
      });
    });

    it("refuses an empty batch", () => {
      expect(() => accuracy(device.zeros([0, 2]), device.zeros([0], { dtype: "int32" }))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
    });
  });

  describe("memory", () => {
    it("returns after a loss and its gradient", () => {
      const labels = device.tensor(targets, { dtype: "int32" });
      const y = device.tensor(values, { shape: [samples, classes] });
      const run = () => tidy(() => void softmaxCrossEntropy(new Variable(y), labels).sum().backward());
      run();
      const before = device.memory().live;
      run();
      expect(device.memory().live).toBe(before);
    });
  });
});
