import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { dispersion, mEstimator, type DispersionOptions } from "../src/index.js";
import { influenceFunctions } from "./influence-functions.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

const sd = (values: readonly number[]) =>
  Math.sqrt(values.reduce((total, x) => total + (x - meanOf(values)) ** 2, 0) / (values.length - 1));

const medianDistance = (values: readonly number[], center: number) =>
  1.4826 * medianOf(values.map((x) => Math.abs(x - center)));

function quantile(values: readonly number[], q: number): number {
  const order = [...values].sort((a, b) => a - b);
  const place = q * (order.length - 1);
  const below = Math.floor(place);
  return order[below]! + (place - below) * ((order[below + 1] ?? order[below]!) - order[below]!);
}

/** Where f, which falls from low to high, is 0. */
function bisect(f: (x: number) => number, low: number, high: number): number {
  for (let turn = 0; turn < 300; turn++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** σ̂ by bisection: mean u²/(1 + u²) falls as σ grows. */
function dispersionOf(
  values: readonly number[],
  { delta = 0.01, beta = 0.3443205, floor = 1e-3 }: DispersionOptions = {},
) {
  const center = meanOf(values);
  const excess = (sigma: number) =>
    meanOf(values.map((x) => ((x - center) / sigma) ** 2).map((square) => square / (1 + square))) - beta;
  const sigma = Math.max(floor, bisect(excess, 1e-12, 1e6));
  return sigma * Math.sqrt(values.length / Math.log(1 / delta));
}

const scales = {
  mad: (c) => medianDistance(c, medianOf(c)),
  "mad-about-mean": (c) => medianDistance(c, meanOf(c)),
  "mad-about-zero": (c) => medianDistance(c, 0),
  iqr: (c) => 0.7413 * (quantile(c, 0.75) - quantile(c, 0.25)),
  sd,
  dispersion: (c) => dispersionOf(c),
} as const satisfies Record<string, (column: readonly number[]) => number>;

/** The solution of Σψ((x − θ)/s) = 0 next to the median: walks to where the sum changes its sign, then bisects. */
function location(values: readonly number[], s: number, psi: (u: number) => number): number {
  const sum = (theta: number) => values.reduce((total, x) => total + psi((x - theta) / s), 0);
  const start = medianOf(values);
  const direction = Math.sign(sum(start));
  if (direction === 0) return start;
  let end = start;
  do end += direction * 0.01 * s;
  while (Math.sign(sum(end)) === direction);
  return direction > 0 ? bisect(sum, start, end) : bisect(sum, end, start);
}

const exactly = { tolerance: 0, maximum: 400 };

forEachDevice(({ device, dtype, quick }) => {
  const precise = dtype === "float64";
  const close = precise ? { absolute: 1e-9, relative: 1e-9 } : { absolute: 2e-5, relative: 2e-5 };
  const samplesOf = (rows: readonly (readonly number[])[]) => denseSamples(device.tensor(rows, { dtype }));
  const rows = randomRows(21, 4, 6);
  const columns = columnsOf(rows);

  describe("mEstimator", () => {
    for (const [name, psi] of Object.entries(influenceFunctions)) {
      const influence = name as keyof typeof influenceFunctions;
      for (const scale of Object.keys(scales) as (keyof typeof scales)[]) {
        // Software adapters take their time: there, each influence function and each scale once.
        if (!quick && scale !== "mad" && influence !== "huber") continue;
        it(`solves Σψ = 0 with ${influence}, ${scale}`, async () => {
          const rule = mEstimator({
            influence,
            scale: scale === "dispersion" ? dispersion(exactly) : scale,
            ...exactly,
            maximum: quick ? 400 : 100,
          });
          const expected = columns.map((c) => location(c, scales[scale](c), psi));
          await expectClose(rule(samplesOf(rows)), expected, close);
        });
      }
    }

    it("takes a scale of one's own, with the column's median", async () => {
      const influence = "arctan";
      const rule = mEstimator({ influence, scale: (c, median) => c.max().sub(median), ...exactly });
      const expected = columns.map((c) => location(c, Math.max(...c) - medianOf(c), Math.atan));
      await expectClose(rule(samplesOf(rows)), expected, close);
    });

    it.each(["tukey", "hampel"] as const)("does not count what is far away at all: %s", async (influence) => {
      const honest = columns[0]!.slice(0, 17);
      const answer = async (far: number) =>
        mEstimator({ influence, ...exactly })(samplesOf([...honest, far, far, far].map((x) => [x]))).item();
      expect(await answer(1e8)).toBe(await answer(1e6));
    });

    it("returns the median where more than half of the values are equal, whatever the influence function", async () => {
      const values = [[3], [3], [3], [-1e5], [8]];
      for (const influence of Object.keys(influenceFunctions) as (keyof typeof influenceFunctions)[]) {
        expect(await mEstimator({ influence })(samplesOf(values)).item()).toBe(3);
      }
    });
  });

  describe("dispersion", () => {
    /** One turn of an M-estimate from the median m with ψ = 1 and scale s is m + s. */
    const scaleOf = async (options: DispersionOptions, values: readonly (readonly number[])[]) => {
      const rule = mEstimator({ influence: () => 1, scale: dispersion(options), maximum: 1 });
      const found = await rule(samplesOf(values)).data();
      return columnsOf(values).map((c, d) => found[d]! - medianOf(c));
    };

    it.each([
      ["by default", {}],
      ["for another confidence", { delta: 0.2 }],
      ["with another constant", { beta: 0.5 }],
      ["at the floor", { floor: 100 }],
    ] as const)("solves mean χ = 0, %s", async (_, options) => {
      const found = await scaleOf({ ...options, tolerance: 0, maximum: 400 }, rows);
      found.forEach((s, d) => expect(s / dispersionOf(columns[d]!, options)).toBeCloseTo(1, precise ? 9 : 4));
    });

    it("stops where a turn changes it by less than the tolerance", async () => {
      const expected = columns.map((c) => {
        let sigma = sd(c);
        for (let turn = 0; turn < 50; turn++) {
          const mean = meanOf(c.map((x) => ((x - meanOf(c)) / sigma) ** 2).map((square) => square / (1 + square)));
          const factor = Math.sqrt(1 + (mean - 0.3443205) / 0.3443205);
          sigma *= factor;
          if (Math.abs(Math.log(factor)) <= 0.01) break;
        }
        return sigma * Math.sqrt(c.length / Math.log(100));
      });
      const found = await scaleOf({ tolerance: 0.01 }, rows);
      found.forEach((s, d) => expect(s / expected[d]!).toBeCloseTo(1, precise ? 9 : 4));
    });

    it("is the floor where all values are equal, and nothing without one", async () => {
      const equal = Array.from({ length: 5 }, () => [2]);
      const [least] = await scaleOf({ floor: 0.5 }, equal);
      expect(least).toBeCloseTo(0.5 * Math.sqrt(5 / Math.log(100)), 5);
      expect(await scaleOf({ floor: 0 }, equal)).toEqual([0]);
    });

    it("follows the unit of the values without a floor", async () => {
      const options = { floor: 0, tolerance: 0, maximum: quick ? 200 : 60 };
      const [unit] = await scaleOf(
        options,
        rows.map(([x]) => [x! - medianOf(columns[0]!)]),
      );
      for (const factor of precise ? [1e-30, 1e30] : [1e-12, 1e12]) {
        const [found] = await scaleOf(
          options,
          rows.map(([x]) => [(x! - medianOf(columns[0]!)) * factor]),
        );
        expect(found! / factor / unit!).toBeCloseTo(1, precise ? 9 : 4);
      }
    });

    it("hardly moves with a value that moves far", async () => {
      const [near] = await scaleOf(
        {},
        rows.map(([x], n) => [n === 2 ? 100 : x!]),
      );
      const [far] = await scaleOf(
        {},
        rows.map(([x], n) => [n === 2 ? 1000 : x!]),
      );
      // The mean that it is about moves.
      expect(far! / near!).toBeLessThan(10);
    });
  });
});

describe("options of dispersion", () => {
  it.each([
    [{ delta: 0 }, "delta in (0, 1), found 0"],
    [{ delta: 1 }, "delta in (0, 1), found 1"],
    [{ beta: 1 }, "beta in (0, 1), found 1"],
    [{ floor: -1 }, "floor ≥ 0 and finite, found -1"],
    [{ tolerance: NaN }, "tolerance ≥ 0 and finite, found NaN"],
    [{ maximum: 0 }, "maximum to be a whole number ≥ 1, found 0"],
  ])("refuse %o", (options, message) => {
    expect(() => dispersion(options)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: `dispersion: expected ${message}` }),
    );
  });
});
