import { denseSamples, outer, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import {
  all,
  defineAggregator,
  explain,
  geometricMedian,
  krum,
  mean,
  median,
  mEstimator,
  multiKrum,
  normClip,
  softTruncation,
  trimmedMean,
  type Aggregator,
} from "../src/index.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

type Rows = readonly (readonly number[])[];

const norm = (row: readonly number[]) => Math.hypot(...row);
const minus = (a: readonly number[], b: readonly number[]) => a.map((value, d) => value - b[d]!);
const without = (rows: Rows, n: number) => rows.filter((_, m) => m !== n);
/** The definition, by a rule on plain rows. */
const influences = (rows: Rows, rule: (rows: Rows) => readonly number[]) =>
  rows.map((_, n) => norm(minus(rule(rows), rule(without(rows, n)))) / norm(rule(rows)));

forEachDevice(({ device, dtype }) => {
  const tensor = (rows: Rows) => device.tensor(rows as number[][], { dtype });
  const close = { relative: dtype === "float64" ? 1e-9 : 1e-3, absolute: dtype === "float64" ? 1e-12 : 1e-5 };
  const average = (rows: Rows) => columnsOf(rows).map(meanOf);

  describe("explain", () => {
    const rows = randomRows(7, 3, 5);

    it("finds the influence of every sample by leaving it out", async () => {
      await expectClose(explain(denseSamples(tensor(rows)), mean()).influence, influences(rows, average), close);
      const byColumn = (values: Rows) => columnsOf(values).map(medianOf);
      await expectClose(explain(denseSamples(tensor(rows)), median()).influence, influences(rows, byColumn), close);
    });

    it("finds the influence on a mean in closed form", async () => {
      // (ḡ − ḡ without n) = (gₙ − ḡ)/(N − 1)
      const center = average(rows);
      const expected = rows.map((row) => norm(minus(row, center)) / (rows.length - 1) / norm(center));
      await expectClose(explain(denseSamples(tensor(rows)), mean()).influence, expected, close);
    });

    it("tells norms and cosines to the answer", async () => {
      const { norms, cosines } = explain(denseSamples(tensor(rows)), mean());
      const center = average(rows);
      await expectClose(norms, rows.map(norm), close);
      const inner = (row: readonly number[]) => row.reduce((total, value, d) => total + value * center[d]!, 0);
      await expectClose(
        cosines,
        rows.map((row) => inner(row) / norm(row) / norm(center)),
        close,
      );
    });

    it("has no direction to compare with where answer or row is 0", async () => {
      const report = explain(
        denseSamples(
          tensor([
            [1, 0],
            [-1, 0],
            [0, 0],
          ]),
        ),
        mean(),
      );
      await expectClose(report.cosines, [0, 0, 0]);
      await expectClose(report.influence, [Infinity, Infinity, 0]);
    });

    it("gives the weights of a rule that is a weighted sum", async () => {
      const clip = explain(denseSamples(tensor(rows)), normClip({ maxNorm: 1 })).weights as Tensor;
      await expectClose(
        clip,
        rows.map((row) => Math.min(1, 1 / norm(row)) / 7),
        close,
      );
      const chosen = (await explain(denseSamples(tensor(rows)), krum({ byzantine: 1 })).weights?.toArray()) as number[];
      expect([...chosen].sort()).toEqual([0, 0, 0, 0, 0, 0, 1]);
    });

    it("gives the mean of ψ(z)/z of a rule with an influence function", async () => {
      const s = Math.sqrt(7 / (2 * Math.log(1 / 0.005)));
      const psi = (u: number) => {
        const c = Math.max(-Math.SQRT2, Math.min(Math.SQRT2, u));
        return c - c ** 3 / 6;
      };
      const columns = columnsOf(rows).map((column) => {
        const center = meanOf(column);
        const sigma = Math.sqrt(column.reduce((total, x) => total + (x - center) ** 2, 0) / 6);
        return column.map((x) => psi((x - center) / (sigma * s)) / ((x - center) / (sigma * s)));
      });
      const expected = rows.map((_, n) => meanOf(columns.map((column) => column[n]!)));
      await expectClose(explain(denseSamples(tensor(rows)), softTruncation()).weights as Tensor, expected, close);
    });

    it("gives Huber's weights about the answer, 1 where nothing deviates", async () => {
      const values = [0, 0.5, -0.5, 10, 0, -10.5, 0.5].map((value) => [value, 3]);
      const weights = explain(
        denseSamples(tensor(values)),
        mEstimator({ scale: 1, tolerance: 0, maximum: 200 }),
      ).weights;
      // Three a side: the answer is that of Σ clamp(x − θ, ±1.345) = 0, which clips both ends.
      const theta = meanOf([0, 0.5, -0.5, 0, 0.5]);
      const expected = values.map(([x]) => (1 + Math.min(1, 1.345 / Math.abs(x! - theta))) / 2);
      await expectClose(weights as Tensor, expected, { absolute: 1e-5 });
    });

    it("has no weights for any other rule", () => {
      expect(explain(denseSamples(tensor(rows)), trimmedMean()).weights).toBeNull();
    });

    it("explains a step of several parameters as the rule saw it", async () => {
      const [w, b] = [{ name: "0.W" }, { name: "0.b" }];
      const parts = new Map([
        [w, denseSamples(tensor(rows.map((row) => row.slice(0, 2))))],
        [b, denseSamples(tensor(rows.map((row) => row.slice(2))))],
      ]);
      const whole = explain(denseSamples(tensor(rows)), geometricMedian());
      const joined = explain(parts, geometricMedian(), { group: all });
      for (const key of ["influence", "norms", "cosines", "weights"] as const) {
        await expectClose(joined[key] as Tensor, (await whole[key]?.toArray()) as number[], {
          absolute: dtype === "float64" ? 1e-6 : 1e-3,
        });
      }
      // By parameter the weights are averaged over coordinates, two of them and one.
      const clip = normClip({ maxNorm: 1 });
      const [first, second] = await Promise.all([...parts.values()].map((part) => clip.weights!(part).toArray()));
      await expectClose(
        explain(parts, clip).weights as Tensor,
        (first as number[]).map((value, n) => (2 * value + (second as number[])[n]!) / 3),
        close,
      );
      const some = explain(parts, { choose: (p) => (p === w ? clip : median()) });
      expect(some.weights).toBeNull();
      // Shares of one and shares of N have no mean.
      expect(explain(parts, { choose: (p) => (p === w ? clip : softTruncation()) }).weights).toBeNull();
      await expectClose(some.norms, rows.map(norm), close);
    });

    it("answers about factors as about rows", async () => {
      const [d, x] = [randomRows(6, 2, 8), randomRows(6, 2, 9)];
      const products = d.map((row, n) => row.flatMap((value) => x[n]!.map((other) => value * other)));
      for (const rule of [mean(), softTruncation(), multiKrum({ byzantine: 1 })]) {
        const dense = explain(denseSamples(tensor(products)), rule);
        const factors = explain(outer(tensor(d), tensor(x), { shape: [4] }), rule);
        await expectClose(factors.influence, (await dense.influence.toArray()) as number[], close);
        await expectClose(
          factors.weights ?? factors.norms,
          (await (dense.weights ?? dense.norms).toArray()) as number[],
          close,
        );
      }
    });

    it("names a sample that is not finite", async () => {
      const spoilt = device.tensor([[1], [Number.NaN], [2]], { dtype, allowNonFinite: true });
      await expect(explain(denseSamples(spoilt), mean()).norms.data()).rejects.toThrow(/gradients at sample 1/);
    });

    it("refuses what it can't leave a sample out of", () => {
      expect(() => explain(denseSamples(tensor([[1, 2]])), mean())).toThrow(
        "explain: expected gradients of at least two samples, found 1",
      );
      expect(() => explain(new Map<string, SampleMatrix>(), mean())).toThrow("at least two samples, found none");
      expect(() => explain(denseSamples(tensor(rows)), ((g: SampleMatrix) => g.mean()) as never)).toThrow(
        "explain: expected a rule made by defineAggregator",
      );
      const needsAll = defineAggregator("needs-seven", (g) => {
        if (g.samples < 7) throw new RangeError("seven, please");
        return g.mean();
      });
      expect(() => explain(denseSamples(tensor(rows)), needsAll)).toThrow("rule needs-seven");
    });
  });
});

/** Share of the planted among the chosen, and of the chosen among the planted: equal for as many as were planted. */
function found(scores: readonly number[], planted: readonly number[]): number {
  const order = scores.map((_, n) => n).sort((a, b) => scores[b]! - scores[a]!);
  return order.slice(0, planted.length).filter((n) => planted.includes(n)).length / planted.length;
}

forEachDevice(
  ({ device, dtype }) => {
    describe("explain, on planted contamination", () => {
      const planted = [3, 11, 12, 20, 27, 33];
      const contaminated = (shift: number) =>
        randomRows(40, 6, 21).map((row, n) =>
          row.map((value) => value / (n % 5 === 4 ? 10 : 1) + (planted.includes(n) ? shift : 0)),
        );
      const scoresOf = async (rule: Aggregator, shift: number, by: "influence" | "weights") => {
        const report = explain(denseSamples(device.tensor(contaminated(shift), { dtype })), rule);
        const values = (await report[by]?.toArray()) as number[];
        return by === "weights" ? values.map((value) => -value) : values;
      };

      it("finds all of it and nothing else, by influence on the mean and by the weights of robust rules", async () => {
        expect(found(await scoresOf(mean(), 20, "influence"), planted)).toBe(1);
        for (const rule of [
          softTruncation({ center: "median", spread: "mad" }),
          mEstimator(),
          geometricMedian(),
          normClip({ maxNorm: 1 }),
          multiKrum({ byzantine: 6 }),
        ]) {
          expect(found(await scoresOf(rule, 20, "weights"), planted), rule.label).toBe(1);
        }
      });

      it("does not find it by influence on a rule that ignores it", async () => {
        // Far out rows move a median by one place, as any row on that side does: what is planted has no more influence.
        const scores = await scoresOf(median(), 20, "influence");
        const largest = Math.max(...planted.map((n) => scores[n]!));
        expect(scores.filter((score, n) => !planted.includes(n) && score >= largest).length).toBeGreaterThan(0);
      });

      it("finds nothing where nothing is out of the ordinary", async () => {
        expect(found(await scoresOf(mEstimator(), 0, "weights"), planted)).toBeLessThan(1);
      });
    });
  },
  { dtypes: ["float32"] },
);
