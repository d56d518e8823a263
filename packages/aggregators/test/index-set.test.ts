import { capture, denseSamples, tidy, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { aggregate, mean, median, onCoordinates } from "../src/index.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

const [weight, bias] = [{ name: "W" }, { name: "b" }];
const rows = randomRows(9, 3, 1);
const means = columnsOf(rows).map(meanOf);
const medians = columnsOf(rows).map(medianOf);

forEachDevice(({ device, dtype }) => {
  const close = { absolute: dtype === "float64" ? 1e-12 : 1e-5 };
  const samples = () => device.tensor(rows, { dtype });

  describe("the index set I(t)", () => {
    it.each([
      ["all coordinates", [true, true, true]],
      ["some", [false, true, false]],
      ["none", [false, false, false]],
    ])("holds %s", async (_, mask) => {
      const rule = onCoordinates(device.tensor(mask), median(), mean());
      const expected = mask.map((robust, d) => (robust ? medians[d]! : means[d]!));
      await expectClose(rule(denseSamples(samples())), expected, close);
    });

    it("holds all coordinates or none by one element", async () => {
      for (const [mask, expected] of [
        [device.tensor([true]), medians],
        [device.tensor(false), means],
      ] as const) {
        await expectClose(onCoordinates(mask, median(), mean())(denseSamples(samples())), expected, close);
      }
    });

    it("holds other parameters, coordinates and steps at every call of a recorded step, by a cell", async () => {
      const step = device.cell(device.tensor(0, { dtype: "int32" }));
      const masked = tidy(() => device.tensor([true, false, true]));
      // W: coordinates 0 and 2, at every second step; b: never.
      const rule = onCoordinates(() => masked.and(step.value.remainder(2).equal(1)), median(), mean());
      const captured = capture((x: Tensor) => {
        const gradients = new Map([
          [weight, denseSamples(x)],
          [bias, denseSamples(x.slice(null, [0, 1]))],
        ]);
        const found = aggregate(gradients, { choose: (p) => (p === weight ? rule : mean()) });
        step.assign(step.value.add(1));
        return { W: found.get(weight)!, b: found.get(bias)! };
      });
      for (let t = 0; t < 6; t++) {
        const { W, b } = captured(samples());
        const expected = t % 2 === 1 ? [medians[0]!, means[1]!, medians[2]!] : means;
        await expectClose(W, expected, close);
        await expectClose(b, [means[0]!], close);
      }
      captured.dispose();
      step.dispose();
      masked.dispose();
    });

    it("ends after some steps", async () => {
      const step = device.cell(device.tensor(0, { dtype: "int32" }));
      const rule = onCoordinates(() => step.value.less(3), median(), mean());
      const captured = capture((x: Tensor) => {
        const found = rule(denseSamples(x));
        step.assign(step.value.add(1));
        return found;
      });
      for (let t = 0; t < 5; t++) await expectClose(captured(samples()), t < 3 ? medians : means, close);
      captured.dispose();
      step.dispose();
    });

    it("follows an argument of a recorded step", async () => {
      const captured = capture((x: Tensor, robust: Tensor) =>
        onCoordinates(robust.greater(0), median(), mean())(denseSamples(x)),
      );
      for (const robust of [1, 0, 1, 1, 0]) {
        await expectClose(captured(samples(), robust), robust === 1 ? medians : means, close);
      }
      captured.dispose();
    });

    it("cannot be left to JavaScript in a recorded step, which would decide once and for all", () => {
      let t = 0;
      const captured = capture((x: Tensor) => (t++ % 2 === 0 ? median() : mean())(denseSamples(x)));
      captured(samples());
      expect(() => captured(samples())).toThrow(expect.objectContaining({ code: "NOT_REPLAYABLE" }));
      captured.dispose();
    });
  });
});
