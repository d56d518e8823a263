import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mean, median, mEstimator, sum, trimmedMean } from "../src/index.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

/** N × D matrices of numbers with few digits, so that float32 holds them exactly; ties are common. */
const matrices = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 4 })).chain(([count, width]) =>
  fc.array(fc.array(fc.integer({ min: -40, max: 40 }), { minLength: width, maxLength: width }), {
    minLength: count,
    maxLength: count,
  }),
);

forEachDevice(({ device, dtype }) => {
  const precise = dtype === "float64";
  const samplesOf = (rows: readonly (readonly number[])[]) => denseSamples(device.tensor(rows, { dtype }));
  const close = { absolute: precise ? 1e-12 : 1e-5 };

  describe("median", () => {
    it("is the middle value of every coordinate, or the mean of the two middle ones", async () => {
      await fc.assert(
        fc.asyncProperty(matrices, async (rows) => {
          await expectClose(median()(samplesOf(rows)), columnsOf(rows).map(medianOf), close);
        }),
        { numRuns: 50 },
      );
    });
  });

  describe("trimmedMean", () => {
    it("averages what is left between the cuts", async () => {
      await fc.assert(
        fc.asyncProperty(matrices, fc.constantFrom(0, 0.1, 0.2, 0.25, 0.4, 0.49), async (rows, fraction) => {
          const cut = Math.floor(fraction * rows.length + 1e-9);
          const expected = columnsOf(rows).map((c) =>
            meanOf([...c].sort((a, b) => a - b).slice(cut, rows.length - cut)),
          );
          await expectClose(trimmedMean({ fraction })(samplesOf(rows)), expected, close);
        }),
        { numRuns: 50 },
      );
    });

    it("cuts as many samples as the fraction says, rounding errors aside", async () => {
      // 0.29 · 100 = 28.999999999999996
      const rows = Array.from({ length: 100 }, (_, n) => [n < 29 ? -1000 : n < 71 ? 1 : 2000]);
      await expectClose(trimmedMean({ fraction: 0.29 })(samplesOf(rows)), [1]);
    });

    it("cuts a tenth unless told otherwise", async () => {
      const rows = Array.from({ length: 10 }, (_, n) => [n === 4 ? 1e6 : n]);
      await expectClose(trimmedMean()(samplesOf(rows)), [(1 + 2 + 3 + 5 + 6 + 7 + 8 + 9) / 8], close);
    });
  });

  describe("mean and sum", () => {
    it("add the rows up", async () => {
      const rows = randomRows(13, 5, 3);
      const totals = columnsOf(rows).map((c) => c.reduce((a, b) => a + b));
      await expectClose(sum()(samplesOf(rows)), totals, { absolute: precise ? 1e-12 : 2e-5 });
      await expectClose(
        mean()(samplesOf(rows)),
        totals.map((t) => t / 13),
        { absolute: precise ? 1e-12 : 2e-6 },
      );
    });
  });

  describe("mEstimator", () => {
    /** The fixed point, in plain loops. */
    function reference(
      values: readonly number[],
      s: number,
      psi: (u: number) => number,
      tolerance = 1e-3,
      maximum = 50,
    ): number {
      let theta = medianOf(values);
      if (s === 0) return theta;
      for (let turn = 0; turn < maximum; turn++) {
        const change = s * meanOf(values.map((x) => psi((x - theta) / s)));
        theta += change;
        if (Math.abs(change) <= tolerance * s) break;
      }
      return theta;
    }
    const huber = (u: number) => Math.max(-1.345, Math.min(1.345, u));
    const deviation = (c: readonly number[]) => 1.4826 * medianOf(c.map((x) => Math.abs(x - medianOf(c))));

    it("starts at the median and stops when it moves by 1e-3 of the scale", async () => {
      const rows = randomRows(21, 6, 4);
      const expected = columnsOf(rows).map((c) => reference(c, deviation(c), huber));
      await expectClose(mEstimator()(samplesOf(rows)), expected, { absolute: precise ? 1e-12 : 2e-6 });
    });

    it("stops after the most turns it is given", async () => {
      const rows = randomRows(21, 6, 5);
      const expected = columnsOf(rows).map((c) => reference(c, deviation(c), Math.tanh, 0, 2));
      const rule = mEstimator({ influence: "log-cosh", tolerance: 0, maximum: 2 });
      await expectClose(rule(samplesOf(rows)), expected, { absolute: precise ? 1e-12 : 2e-6 });
    });

    it("returns the median of a coordinate without spread", async () => {
      const rows = [
        [1, 4],
        [1, 5],
        [1, 7],
        [1, 9],
        [80, 11],
      ];
      const [flat] = Array.from(await mEstimator()(samplesOf(rows)).data());
      expect(flat).toBe(1);
      await expectClose(mEstimator({ scale: "sd" })(samplesOf([[2], [2]])), [2]);
      await expectClose(mEstimator({ scale: "sd" })(samplesOf([[2, -3]])), [2, -3]);
    });
  });
});

describe("options of coordinate rules", () => {
  it.each([
    [() => trimmedMean({ fraction: 0.5 }), "trimmedMean: expected fraction in [0, 0.5), found 0.5"],
    [() => trimmedMean({ fraction: -0.1 }), "trimmedMean: expected fraction in [0, 0.5), found -0.1"],
    [
      () => mEstimator({ influence: "hubert" as "huber" }),
      'mEstimator: expected influence to be a function or one of huber, log-cosh, pseudo-huber, fair, catoni-wide, catoni-narrow, gudermannian, arctan, tukey, hampel, found "hubert"',
    ],
    [() => mEstimator({ influence: "toString" as "huber" }), 'hampel, found "toString"'],
    [
      () => mEstimator({ scale: 0 }),
      "mEstimator: expected scale to be a number > 0, a function or one of mad, mad-about-mean, mad-about-zero, iqr, sd, dispersion, found 0",
    ],
    [() => mEstimator({ scale: "range" as "mad" }), 'dispersion, found "range"'],
    [() => mEstimator({ tolerance: -1 }), "mEstimator: expected tolerance ≥ 0 and finite, found -1"],
    [() => mEstimator({ maximum: 0 }), "mEstimator: expected maximum to be a whole number ≥ 1, found 0"],
    [
      () => mEstimator({ influence: (() => "u") as never }),
      "mEstimator: influence: expected the function to return a Scalar or a number, found string",
    ],
    [
      () => mEstimator({ influence: ((u: unknown) => Math.tanh(u as number)) as never }),
      "Scalar: expected to be used through its methods, found it used as a JavaScript number",
    ],
  ])("refuse what is out of range: %o", (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(message) }));
  });
});
