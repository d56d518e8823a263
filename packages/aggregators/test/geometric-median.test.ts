import { denseSamples, generator, outer } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { geometricMedian } from "../src/index.js";
import { randomRows } from "./random-rows.js";

type Rows = readonly (readonly number[])[];

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.hypot(...a.map((value, d) => value - (b[d] as number)));

/**
 * How far u is from satisfying 0 ∈ ∂ Σ ‖gₙ − u‖: the norm of the sum of unit vectors to the rows away from u, less the
 * number of rows at u.
 */
function excess(rows: Rows, u: readonly number[], coincident: number): number {
  const total = u.map(() => 0);
  let here = 0;
  for (const row of rows) {
    const length = distance(row, u);
    if (length <= coincident) here++;
    else row.forEach((value, d) => (total[d] = (total[d] as number) + (value - (u[d] as number)) / length));
  }
  return Math.hypot(...total) - here;
}

forEachDevice(({ device, dtype, quick }) => {
  const precise = dtype === "float64";
  const ask = async (rows: Rows, options = {}) =>
    Array.from(await geometricMedian(options)(denseSamples(device.tensor(rows, { dtype }))).data());

  describe("geometricMedian", () => {
    for (const [count, width] of [
      [3, 2],
      [8, 3],
      [25, 6],
      [60, 40],
      [256, 5],
    ] as const) {
      it(`satisfies the condition of optimality for ${count} rows of ${width}`, async () => {
        for (const seed of quick ? [1, 2, 3, 4, 5] : [1]) {
          const rows = randomRows(count, width, seed);
          expect(excess(rows, await ask(rows), precise ? 1e-9 : 1e-5)).toBeLessThan(
            precise ? 1e-6 * count : 1e-4 * count,
          );
        }
      });
    }

    it("ends where far rows leave the weights of the others no digits to settle", async () => {
      for (const seed of [0, 3, 5, 7]) {
        const rng = generator(seed);
        const rows = Array.from({ length: 10 }, (_, n) => {
          const [scale, by] = n === 3 || n === 7 ? [1, 50] : [1e-3, 0];
          return Array.from(rng.normal([6]).values, (value) => scale * value + by);
        });
        // An iteration that wavers has moved on by then.
        const [early, late] = [await ask(rows, { maximum: 200 }), await ask(rows, { maximum: 999 })];
        expect(early).toEqual(late);
        expect(excess(rows, late, 0)).toBeLessThan(1e-2);
      }
    });

    it("is the middle one of three collinear rows", async () => {
      await expectClose(
        geometricMedian()(
          denseSamples(
            device.tensor(
              [
                [1, 2],
                [4, 5],
                [9, 10],
              ],
              { dtype },
            ),
          ),
        ),
        [4, 5],
        { absolute: 1e-9 },
      );
    });

    it("finds a median that is one of the rows where the others pull with 0.98 of its weight", async () => {
      const angle = Math.acos(0.49);
      const rows = [
        [0, 0],
        [5 * Math.cos(angle), 5 * Math.sin(angle)],
        [7 * Math.cos(angle), -7 * Math.sin(angle)],
      ];
      await expectClose(geometricMedian()(denseSamples(device.tensor(rows, { dtype }))), [0, 0], { absolute: 1e-9 });
    });

    it("leaves a row whose others pull with 1.02 of its weight", async () => {
      const angle = Math.acos(0.51);
      const rows = [
        [0, 0],
        [5 * Math.cos(angle), 5 * Math.sin(angle)],
        [7 * Math.cos(angle), -7 * Math.sin(angle)],
      ];
      const found = await ask(rows, { tolerance: 0, maximum: 5000 });
      expect(distance(found, [0, 0])).toBeGreaterThan(1e-3);
      expect(excess(rows, found, 0)).toBeLessThan(precise ? 1e-6 : 1e-4);
    });

    it("is the row that more than half of the samples share", async () => {
      const rows = [
        [3, 4],
        [100, 0],
        [3, 4],
        [-7, 50],
        [3, 4],
      ];
      await expectClose(geometricMedian()(denseSamples(device.tensor(rows, { dtype }))), [3, 4]);
    });

    it("is the mean of two rows, and of two crowds of one size", async () => {
      await expectClose(
        geometricMedian()(
          denseSamples(
            device.tensor(
              [
                [0, 1],
                [4, 3],
              ],
              { dtype },
            ),
          ),
        ),
        [2, 2],
        { absolute: 1e-6 },
      );
      const crowds = [
        [0, 1],
        [4, 3],
        [4, 3],
        [0, 1],
      ];
      await expectClose(geometricMedian()(denseSamples(device.tensor(crowds, { dtype }))), [2, 2], { absolute: 1e-6 });
    });

    it("is the row of one sample, and the row that all share", async () => {
      await expectClose(geometricMedian()(denseSamples(device.tensor([[5, -6]], { dtype }))), [5, -6]);
      await expectClose(
        geometricMedian()(
          denseSamples(
            device.tensor(
              [
                [5, -6],
                [5, -6],
                [5, -6],
                [5, -6],
              ],
              { dtype },
            ),
          ),
        ),
        [5, -6],
      );
      await expectClose(geometricMedian()(denseSamples(device.zeros([6, 3], { dtype }))), [0, 0, 0]);
    });

    it("hardly moves for hostile rows 1e4 times as far out, wherever the first of them stands", async () => {
      const honest = randomRows(16, 5, 7).map((row, n) => row.map((value) => (n % 5 === 4 ? value / 10 : value)));
      const expected = await ask(honest);
      for (const place of [0, 9, 16]) {
        const rows = [...honest];
        rows.splice(place, 0, [1e4, -2e4, 3e4, 1e4, 0], [-1e4, 2e4, -3e4, -1e4, 0]);
        expect(distance(await ask(rows), expected)).toBeLessThan(0.2);
        expect(excess(rows, await ask(rows), 1e-9)).toBeLessThan(precise ? 1e-4 : 1e-2);
      }
    });

    it("is exact for rows that share a part 1000 times their spread", async () => {
      const delta = generator(3)
        .normal([12, 4])
        .values.map((value) => 1000 + value);
      const x = generator(4)
        .normal([12, 3])
        .values.map((value) => 1 + value / 1000);
      const g = outer(device.tensor(delta, { shape: [12, 4], dtype }), device.tensor(x, { shape: [12, 3], dtype }));
      const rows = (await g.rows().toArray()) as number[][];
      const found = Array.from(await geometricMedian()(g).data());
      // One unit in the last place of the rows is 6e-5.
      expect(excess(rows, found, 1e-9)).toBeLessThan(precise ? 1e-6 : 1e-2);
    });

    it("answers with weights that add up to 1", async () => {
      const g = denseSamples(device.tensor(randomRows(9, 3, 8), { dtype }));
      const weights = geometricMedian().weights?.(g);
      await expectClose(weights?.sum() ?? device.zeros([]), 1, { absolute: 1e-6 });
      await expectClose(geometricMedian()(g), (await g.combine(weights ?? device.zeros([9])).toArray()) as number[]);
    });
  });
});

describe("geometricMedian", () => {
  it.each([
    [{ tolerance: -1 }, "tolerance in [0, 1), found -1"],
    [{ maximum: 1.5 }, "maximum to be a whole number ≥ 1, found 1.5"],
    [{ epsilon: 0 }, "epsilon in (0, 1), found 0"],
  ])("refuses %o", (options, message) => {
    expect(() => geometricMedian(options)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: `geometricMedian: expected ${message}` }),
    );
  });
});
