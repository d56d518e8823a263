import { generator } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { linear, sampleGradients, standardize, Variable } from "../src/index.js";
import { checkSampleGradients } from "../src/testing.js";

forEachDevice(({ device, dtype, epsilon }) => {
  describe("standardize", () => {
    const x = () =>
      device.tensor(
        [
          [1, 3, 5],
          [-4, 0, 16],
        ],
        { dtype },
      );

    it("returns values, means and variances", async () => {
      const { values, mean, variance } = standardize(x(), { axis: 1, epsilon: 1 });
      await expectClose(mean, [[3], [4]]);
      await expectClose(variance, [[8 / 3], [224 / 3]], { relative: 8 * epsilon });
      const scale = [Math.sqrt(8 / 3 + 1), Math.sqrt(224 / 3 + 1)] as const;
      const expected = [
        [-2 / scale[0], 0, 2 / scale[0]],
        [-8 / scale[1], -4 / scale[1], 12 / scale[1]],
      ];
      await expectClose(values.value, expected, { relative: 8 * epsilon });
    });

    it("of equal numbers is 0", async () => {
      await expectClose(standardize(device.full([2, 3], 7, { dtype }), { axis: 1 }).values.value, [
        [0, 0, 0],
        [0, 0, 0],
      ]);
    });

    it("refuses other axes, ε ≤ 0 and nothing to average", () => {
      const coded = (code: string) => expect.objectContaining({ code }) as Error;
      expect(() => standardize(x(), { axis: 2 })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => standardize(x(), { axis: 0, epsilon: 0 })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => standardize(device.zeros([2, 0], { dtype }), { axis: 1 })).toThrow(coded("SHAPE_MISMATCH"));
    });

    describe("per-sample gradients", () => {
      const draw = (shape: readonly number[], seed: number) =>
        device.tensor(generator(seed).normal(shape).values, { shape, dtype });
      const data = () => draw([3, 2], 1);
      const W = () => draw([4, 2], 2);
      const losses = (y: Variable) => y.mul(y.sin()).sum({ axis: y.shape.map((_, axis) => axis).slice(1) });
      const relative = 1e5 * epsilon;

      it("are those of each loss alone, within a sample", async () => {
        const f = (w: Variable) => losses(standardize(linear(data(), w), { axis: 1 }).values);
        await checkSampleGradients((w) => f(w!), [W()], { relative });
      });

      it("are those of each loss alone where samples follow no axis", async () => {
        // [3, 4] seen as [4, 3] tears samples apart; pairs of neighbours stay within one.
        const torn = (w: Variable) => linear(data(), w).reshape([2, 3, 2]);
        const f = (w: Variable) => losses(standardize(torn(w), { axis: 2 }).values.reshape([3, 4]));
        await checkSampleGradients((w) => f(w!), [W()], { relative });
      });

      it("do not exist over the batch, under the name it was given", () => {
        const w = new Variable(W());
        const y = standardize(linear(data(), w), { axis: 0, label: "batchStatistics" }).values;
        expect(() => sampleGradients(losses(y), [w])).toThrow(
          expect.objectContaining({
            code: "SAMPLES_MIXED",
            message: expect.stringContaining("batchStatistics joins samples along axis 0") as string,
          }),
        );
        const torn = standardize(linear(data(), w).reshape([4, 3]), { axis: 1 }).values.reshape([3, 4]);
        expect(() => sampleGradients(losses(torn), [w])).toThrow(expect.objectContaining({ code: "SAMPLES_MIXED" }));
      });
    });
  });
});
