import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { catoniGiulini, softTruncation } from "../src/index.js";
import fixtures from "./fixtures/soft-truncation-fixtures.json" with { type: "json" };
import { smoothedPsi } from "./influence-functions.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

/** The definition, in plain loops. */
function reference(values: readonly number[], delta: number, origin: number, sigma: number): number {
  if (sigma === 0) return origin;
  const s = Math.sqrt(values.length / (2 * Math.log(1 / delta)));
  const psi = (u: number) => (Math.abs(u) <= Math.SQRT2 ? u - u ** 3 / 6 : (Math.sign(u) * 2 * Math.SQRT2) / 3);
  return origin + sigma * s * meanOf(values.map((x) => psi((x - origin) / (sigma * s))));
}

const standardDeviation = (values: readonly number[], correction: number, about = meanOf(values)) =>
  Math.sqrt(values.reduce((total, x) => total + (x - about) ** 2, 0) / (values.length - correction));

const medianDeviation = (values: readonly number[]) =>
  1.4826 * medianOf(values.map((x) => Math.abs(x - medianOf(values))));

forEachDevice(({ device, dtype }) => {
  const precise = dtype === "float64";

  describe("softTruncation", () => {
    const published = softTruncation({
      delta: fixtures.delta,
      correction: fixtures.ddof,
      varianceFloor: fixtures.var_floor,
    });
    for (const [name, { comment, x, out64, x32, sd_used64 }] of Object.entries(fixtures.cases)) {
      it(`equals the published robust mean: ${name}, ${comment}`, async () => {
        const answer = published(denseSamples(device.tensor(precise ? x : x32, { dtype })));
        if (precise) return expectClose(answer, out64, { absolute: 1e-12, relative: 1e-12 });
        const found = Array.from(await answer.data());
        const off = found.map((value, d) => Math.abs(value - (out64[d] as number)) / (sd_used64[d] as number));
        expect(Math.max(...off)).toBeLessThanOrEqual(1e-5);
      });
    }

    const rows = randomRows(23, 6, 1);
    const cases = [
      ["by default", {}, 0.005, (c: number[]) => [meanOf(c), standardDeviation(c, 1)]],
      ["with delta 0.3", { delta: 0.3 }, 0.3, (c: number[]) => [meanOf(c), standardDeviation(c, 1)]],
      ["with a biased variance", { correction: 0 }, 0.005, (c: number[]) => [meanOf(c), standardDeviation(c, 0)]],
      [
        "with a floor",
        { varianceFloor: 50 },
        0.005,
        (c: number[]) => [meanOf(c), Math.max(standardDeviation(c, 1), Math.sqrt(50))],
      ],
      [
        "about the median",
        { center: "median" },
        0.005,
        (c: number[]) => [medianOf(c), standardDeviation(c, 1, medianOf(c))],
      ],
      [
        "with median and MAD",
        { center: "median", spread: "mad" },
        0.005,
        (c: number[]) => [medianOf(c), medianDeviation(c)],
      ],
      ["with mean and MAD", { spread: "mad" }, 0.005, (c: number[]) => [meanOf(c), medianDeviation(c)]],
    ] as const;
    for (const [name, options, delta, statistics] of cases) {
      it(`is Algorithm 2 ${name}`, async () => {
        const expected = columnsOf(rows).map((c) => reference(c, delta, ...(statistics(c) as [number, number])));
        const answer = softTruncation(options)(denseSamples(device.tensor(rows, { dtype })));
        await expectClose(answer, expected, { absolute: precise ? 1e-12 : 2e-6 });
      });
    }

    it.each([
      ["of the confidence", true, Math.sqrt(2 * Math.log(200))],
      ["given", 1.5, 1.5],
    ] as const)("averages ψ over noise of the precision %s", async (_, smoothing, beta) => {
      const s = Math.sqrt(rows.length / (2 * Math.log(200)));
      const expected = columnsOf(rows).map((c) => {
        const [center, width] = [medianOf(c), s * medianDeviation(c)];
        return center + width * meanOf(c.map((x) => smoothedPsi((x - center) / width, beta)));
      });
      const rule = softTruncation({ center: "median", spread: "mad", smoothing });
      await expectClose(rule(denseSamples(device.tensor(rows, { dtype }))), expected, {
        absolute: precise ? 1e-11 : 2e-5,
      });
    });

    it("returns the mean of a coordinate without spread", async () => {
      const rule = softTruncation();
      const g = denseSamples(
        device.tensor(
          [
            [3, 1],
            [3, 2],
            [3, 6],
          ],
          { dtype },
        ),
      );
      const [constant] = Array.from(await rule(g).data());
      expect(constant).toBe(3);
    });

    it("returns a single sample, whatever the correction", async () => {
      const g = denseSamples(device.tensor([[3, -7]], { dtype }));
      for (const options of [
        {},
        { correction: 0 },
        { correction: 5 },
        { spread: "mad" as const },
        { varianceFloor: 1 },
      ]) {
        await expectClose(softTruncation(options)(g), [3, -7]);
      }
    });

    it("stays near the honest values when one is displaced, as the mean does not", async () => {
      const values = Array.from({ length: 100 }, (_, n) => [n === 3 ? 1000 : Math.sin(n)]);
      const answer = softTruncation({ center: "median", spread: "mad" })(
        denseSamples(device.tensor(values, { dtype })),
      );
      expect(Math.abs(await answer.item())).toBeLessThan(0.2);
    });

    it("wants more samples than the correction", () => {
      const g = denseSamples(device.ones([3, 2], { dtype }));
      expect(() => softTruncation({ correction: 3 })(g)).toThrow(
        expect.objectContaining({
          code: "BAD_ARGUMENT",
          message: "rule soft-truncation: expected more samples than correction = 3, found 3",
        }),
      );
    });
  });

  describe("catoniGiulini", () => {
    it("equals equation (2)", async () => {
      const { u, psi } = fixtures.psi;
      await expectClose(device.tensor(u, { dtype }).map(catoniGiulini), psi, { absolute: precise ? 2e-16 : 1e-7 });
    });
  });
});

describe("softTruncation", () => {
  it.each([
    [{ delta: 0 }, "delta in (0, 1), found 0"],
    [{ delta: 1 }, "delta in (0, 1), found 1"],
    [{ delta: Number.NaN }, "delta in (0, 1), found NaN"],
    [{ correction: -1 }, "correction ≥ 0 and finite, found -1"],
    [{ varianceFloor: -1 }, "varianceFloor ≥ 0 and finite, found -1"],
    [{ center: "mode" as "mean" }, 'center "mean" or "median", found "mode"'],
    [{ smoothing: 0 }, "smoothing > 0 and finite, or a boolean, found 0"],
    [{ spread: "iqr" as "mad" }, 'spread "sd" or "mad", found "iqr"'],
  ])("refuses %o", (options, message) => {
    expect(() => softTruncation(options)).toThrow(
      expect.objectContaining({
        name: "RangeError",
        code: "BAD_ARGUMENT",
        message: `softTruncation: expected ${message}`,
      }),
    );
  });
});
