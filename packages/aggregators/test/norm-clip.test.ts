import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { mean, normClip, onCoordinates, sum, type Aggregator } from "../src/index.js";
import { columnsOf, meanOf, randomRows } from "./random-rows.js";

forEachDevice(({ device, dtype }) => {
  const close = { absolute: dtype === "float64" ? 1e-12 : 1e-6 };

  describe("normClip", () => {
    it("is the mean of rows cut to a norm", async () => {
      const rows = randomRows(14, 5, 1);
      for (const maxNorm of [0.5, 2, 1e6]) {
        const clipped = rows.map((row) => row.map((value) => value * Math.min(1, maxNorm / Math.hypot(...row))));
        const answer = normClip({ maxNorm })(denseSamples(device.tensor(rows, { dtype })));
        await expectClose(answer, columnsOf(clipped).map(meanOf), { ...close, relative: 1e-6 });
      }
    });

    it("lets no sample move it by more than c/N", async () => {
      const rows = [
        [0, 0],
        [0, 0],
        [1e9, 0],
        [0, 0],
      ];
      await expectClose(normClip()(denseSamples(device.tensor(rows, { dtype }))), [0.25, 0], close);
    });
  });

  describe("rules with weights", () => {
    it("are the weighted sums they say they are", async () => {
      const g = denseSamples(device.tensor(randomRows(8, 3, 2), { dtype }));
      for (const rule of [mean(), sum(), normClip()] as Aggregator[]) {
        const weights = rule.weights?.(g) ?? device.zeros([8]);
        await expectClose(rule(g), (await g.combine(weights).toArray()) as number[], {
          absolute: dtype === "float64" ? 1e-12 : 2e-5,
        });
      }
    });
  });

  describe("onCoordinates", () => {
    it("asks one rule where the mask holds and the other elsewhere", async () => {
      const g = denseSamples(
        device.tensor(
          [
            [1, 2, 3],
            [3, 6, 5],
          ],
          { dtype },
        ),
      );
      const mask = device.tensor([true, false, true]);
      await expectClose(onCoordinates(mask, sum(), mean())(g), [4, 4, 8]);
      await expectClose(onCoordinates((samples) => samples.mean().greater(3), sum(), mean())(g), [2, 8, 8]);
    });

    it("wants a mask of D bools", () => {
      const g = denseSamples(device.ones([2, 3], { dtype }));
      expect(() => onCoordinates(device.ones([3]), sum(), mean())(g)).toThrow(
        expect.objectContaining({
          code: "BAD_ARGUMENT",
          message: expect.stringContaining("expected a bool mask of 3 elements or one, found a tensor float32 [3]"),
        }),
      );
      expect(() => onCoordinates(device.tensor([true, false]), sum(), mean())(g)).toThrow(
        "expected a bool mask of 3 elements or one, found a tensor bool [2]",
      );
    });
  });
});

describe("options", () => {
  it("of normClip are checked", () => {
    for (const maxNorm of [0, -1, Infinity, Number.NaN]) {
      expect(() => normClip({ maxNorm })).toThrow(
        expect.objectContaining({
          code: "BAD_ARGUMENT",
          message: `normClip: expected maxNorm > 0 and finite, found ${maxNorm}`,
        }),
      );
    }
  });

  it("of onCoordinates are rules", () => {
    expect(() => onCoordinates(null as never, mean as never, sum())).toThrow(
      expect.objectContaining({ code: "BAD_PLUGIN" }),
    );
  });
});
