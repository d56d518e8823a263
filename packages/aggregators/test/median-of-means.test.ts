import { denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { geometricMedian, medianOfMeans } from "../src/index.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

/** Means of contiguous blocks, the first N mod K of them one longer. */
function blockMeans(rows: readonly (readonly number[])[], blocks: number): number[][] {
  const size = Math.floor(rows.length / blocks);
  let start = 0;
  return Array.from({ length: blocks }, (_, k) => {
    const block = rows.slice(start, (start += size + (k < rows.length % blocks ? 1 : 0)));
    return columnsOf(block).map(meanOf);
  });
}

forEachDevice(({ device, dtype }) => {
  const close = { absolute: dtype === "float64" ? 1e-9 : 1e-5 };
  const samplesOf = (rows: readonly (readonly number[])[]) => denseSamples(device.tensor(rows, { dtype }));

  describe("medianOfMeans", () => {
    for (const [count, blocks] of [
      [100, 10],
      [23, 5],
      [7, 7],
      [9, 1],
      [12, 2],
    ] as const) {
      it(`is the geometric median of the means of ${blocks} blocks of ${count} samples`, async () => {
        const rows = randomRows(count, 4, count);
        const expected = await geometricMedian()(samplesOf(blockMeans(rows, blocks))).toArray();
        await expectClose(medianOfMeans({ blocks })(samplesOf(rows)), expected, close);
      });

      it(`is the median of the coordinates of the means of ${blocks} blocks of ${count} samples`, async () => {
        const rows = randomRows(count, 4, count);
        const expected = columnsOf(blockMeans(rows, blocks)).map(medianOf);
        await expectClose(medianOfMeans({ blocks, center: "coordinate" })(samplesOf(rows)), expected, close);
      });
    }

    it("makes ten blocks unless told otherwise", async () => {
      const rows = randomRows(30, 3, 2);
      await expectClose(
        medianOfMeans()(samplesOf(rows)),
        (await medianOfMeans({ blocks: 10 })(samplesOf(rows)).toArray()) as number[],
      );
    });

    it("withstands wild samples in fewer than half of the blocks", async () => {
      const rows = randomRows(20, 3, 3).map((row, n) => (n % 4 === 0 && n < 8 ? row.map(() => 1e6) : row));
      const answer = await medianOfMeans({ blocks: 5 })(samplesOf(rows)).data();
      expect(Math.max(...Array.from(answer, Math.abs))).toBeLessThan(10);
    });

    it("deals the samples anew at every call with a generator", async () => {
      const rows = Array.from({ length: 12 }, (_, n) => [n]);
      const [first, second] = [device.rng(4), device.rng(4)];
      const rule = medianOfMeans({ blocks: 4, center: "coordinate", rng: first });
      const again = medianOfMeans({ blocks: 4, center: "coordinate", rng: second });
      const answers = [];
      for (let turn = 0; turn < 5; turn++) {
        answers.push(await rule(samplesOf(rows)).item());
        expect(await again(samplesOf(rows)).item()).toBe(answers[turn]);
      }
      expect(new Set(answers).size).toBeGreaterThan(1);
      first.dispose();
      second.dispose();
    });

    it("answers with weights that are constant on blocks", async () => {
      const g = samplesOf(randomRows(7, 3, 5));
      const weights = medianOfMeans({ blocks: 3 }).weights?.(g) ?? device.zeros([7]);
      const [a, b, c, d, e, f, h] = Array.from(await weights.data());
      expect([b, c, e, h]).toEqual([a, a, d, f]);
      await expectClose(weights.sum(), 1, { absolute: 1e-6 });
      await expectClose(medianOfMeans({ blocks: 3 })(g), (await g.combine(weights).toArray()) as number[]);
    });

    it("stops the iteration where it is told to", async () => {
      const g = samplesOf(randomRows(12, 3, 8));
      const [exact, near, far] = await Promise.all(
        [1e-12, 1e-6, 0.5].map(async (tolerance) => medianOfMeans({ blocks: 4, tolerance })(g).data()),
      ).then((rows) => rows.map((row) => Array.from(row)));
      near?.forEach((value, k) => expect(Math.abs(value - (exact?.[k] as number))).toBeLessThan(1e-4));
      expect(far).not.toEqual(exact);
    });

    it("wants a sample for every block", () => {
      expect(() => medianOfMeans({ blocks: 10 })(samplesOf(randomRows(9, 2, 1)))).toThrow(
        expect.objectContaining({
          code: "BAD_ARGUMENT",
          message: "rule median-of-means: expected blocks in 1 … N = 9, found 10; use fewer blocks or a larger batch",
        }),
      );
    });
  });
});

describe("medianOfMeans", () => {
  it.each([
    [{ blocks: 0 }, "blocks to be a whole number ≥ 1, found 0"],
    [{ blocks: 2.5 }, "blocks to be a whole number ≥ 1, found 2.5"],
    [{ center: "mean" as "geometric" }, 'center to be "geometric", "coordinate" or "medoid", found "mean"'],
    [{ rng: 7 as never }, "rng to be device.rng(seed), found 7"],
    [{ tolerance: -1 }, "tolerance in [0, 1), found -1"],
  ])("refuses %o", (options, message) => {
    expect(() => medianOfMeans(options)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: `medianOfMeans: expected ${message}` }),
    );
  });
});
