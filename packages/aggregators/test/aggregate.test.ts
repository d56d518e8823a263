import { denseSamples, outer, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import {
  aggregate,
  all,
  byLayer,
  byParameter,
  defineAggregator,
  geometricMedian,
  mean,
  median,
  normClip,
  sum,
} from "../src/index.js";
import { randomRows } from "./random-rows.js";

const coded = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

const [w0, b0, w1, b1] = ["0.W", "0.b", "2.W", "2.b"].map((name) => ({ name })) as [Named, Named, Named, Named];
interface Named {
  readonly name: string;
}
const model = { namedParameters: () => [w0, b0, w1, b1].map((p) => [p.name, p] as const) };

/** Notes the number of features a rule is asked about. */
function noting() {
  const seen: number[] = [];
  const rule = defineAggregator("noting", (g) => {
    seen.push(g.features);
    return g.mean();
  });
  return { rule, seen };
}

forEachDevice(({ device, dtype }) => {
  const close = { absolute: dtype === "float64" ? 1e-12 : 1e-5 };
  const tensor = (rows: readonly (readonly number[])[]) => device.tensor(rows, { dtype });
  const d0 = randomRows(6, 3, 1);
  const d1 = randomRows(6, 2, 2);
  const gradients = (): ReadonlyMap<Named, SampleMatrix> =>
    new Map([
      [w0, outer(tensor(d0), tensor(randomRows(6, 4, 3)))],
      [b0, denseSamples(tensor(d0))],
      [w1, outer(tensor(d1), tensor(randomRows(6, 3, 4)))],
      [b1, denseSamples(tensor(d1))],
    ]);
  const found = (results: ReadonlyMap<Named, Tensor>, p: Named) => results.get(p) as Tensor;

  describe("aggregate", () => {
    it("returns a tensor in the shape of every parameter, in the order of the gradients", async () => {
      const samples = gradients();
      const results = aggregate(samples, mean());
      expect([...results.keys()]).toEqual([w0, b0, w1, b1]);
      expect([...results.values()].map(({ shape }) => shape)).toEqual([[3, 4], [3], [2, 3], [2]]);
      for (const [p, g] of samples)
        await expectClose(found(results, p).reshape([g.features]), (await g.mean().toArray()) as number[], close);
    });

    it("leaves nothing behind but its results", () => {
      const samples = gradients();
      const before = device.memory().live;
      const results = aggregate(samples, geometricMedian(), { group: byLayer(model) });
      expect(device.memory().live - before).toBe((12 + 3 + 6 + 2) * (dtype === "float64" ? 8 : 4));
      for (const result of results.values()) result.dispose();
      expect(device.memory().live).toBe(before);
    });

    it("asks about every parameter by itself unless told otherwise", () => {
      const { rule, seen } = noting();
      aggregate(gradients(), rule);
      aggregate(gradients(), rule, { group: byParameter });
      expect(seen).toEqual([12, 3, 6, 2, 12, 3, 6, 2]);
    });

    it("asks about layers, everything, or groups of one's own", () => {
      const { rule, seen } = noting();
      aggregate(gradients(), rule, { group: byLayer(model) });
      expect(seen.splice(0)).toEqual([15, 8]);
      aggregate(gradients(), rule, { group: all });
      expect(seen.splice(0)).toEqual([23]);
      aggregate(gradients(), rule, { group: (p) => p.name.endsWith("b") });
      expect(seen.splice(0)).toEqual([18, 5]);
    });

    it("cuts the answer for a group into its parameters", async () => {
      const samples = gradients();
      const results = aggregate(samples, normClip({ maxNorm: 0.5 }), { group: (p) => p.name.slice(0, 1) });
      const rows = [w0, b0].map((p) => (samples.get(p) as SampleMatrix).rows());
      const norms = rows
        .map((r) => r.square().sum({ axis: 1 }))
        .reduce((a, b) => a.add(b))
        .sqrt();
      const weights = norms
        .map((n) =>
          n
            .maximum(0.5)
            .reciprocal()
            .mul(0.5 / 6),
        )
        .reshape([6, 1]);
      await expectClose(
        found(results, w0).reshape([12]),
        (await (rows[0] as Tensor).mul(weights).sum({ axis: 0 }).toArray()) as number[],
        close,
      );
      await expectClose(
        found(results, b0),
        (await (rows[1] as Tensor).mul(weights).sum({ axis: 0 }).toArray()) as number[],
        close,
      );
    });

    it("gives parameters the rules they choose", async () => {
      const samples = gradients();
      const [robust, plain] = [median(), mean()];
      const results = aggregate(samples, { choose: (p) => (p === w0 || p === b0 ? robust : plain) });
      for (const [p, g] of samples) {
        const expected = (p === w0 || p === b0 ? robust : plain)(g);
        await expectClose(found(results, p).reshape([g.features]), (await expected.toArray()) as number[], close);
      }
    });

    it("splits a group by the rules its parameters choose", () => {
      const { rule, seen } = noting();
      const plain = mean();
      aggregate(gradients(), { choose: (p) => (p.name.endsWith("W") ? rule : plain) }, { group: all });
      expect(seen).toEqual([18]);
    });

    it("refuses rules that choose made anew for parameters of one group", () => {
      expect(() => aggregate(gradients(), { choose: () => median() }, { group: byLayer(model) })).toThrow(
        coded(
          "BAD_ARGUMENT",
          "aggregate: expected one median rule for the group of 0.b, found two made separately; make the rule once, outside choose",
        ),
      );
      aggregate(gradients(), { choose: () => median() });
    });

    it("takes parameters that are plain keys, and no parameters", async () => {
      const results = aggregate(
        new Map([
          [
            "W",
            denseSamples(
              tensor([
                [1, 2],
                [3, 4],
              ]),
            ),
          ],
        ]),
        sum(),
      );
      await expectClose(results.get("W") as Tensor, [4, 6]);
      expect(aggregate(new Map(), sum())).toEqual(new Map());
    });

    it("refuses a bare function and says what to do", () => {
      const bare = (g: SampleMatrix) => g.mean();
      expect(() => aggregate(gradients(), bare as never)).toThrow(
        coded(
          "BAD_PLUGIN",
          'aggregate: expected a rule made by defineAggregator, found a bare function bare; wrap it: defineAggregator("label", rule)',
        ),
      );
      expect(() => aggregate(gradients(), mean as never)).toThrow(coded("BAD_PLUGIN", "or call it if it makes a rule"));
      expect(() => aggregate(gradients(), { choose: () => bare } as never)).toThrow(
        coded("BAD_PLUGIN", "aggregate, choose(0.W): expected a rule"),
      );
      expect(() => aggregate(gradients(), undefined as never)).toThrow(coded("BAD_PLUGIN", "found undefined"));
      expect(() => aggregate(gradients(), "median" as never)).toThrow(coded("BAD_PLUGIN", 'found "median"'));
      expect(() => aggregate(gradients(), { choose: median() as never })).toThrow(/median|choose/);
      expect(() => aggregate(gradients(), { choose: 3 as never })).toThrow(
        coded("BAD_ARGUMENT", "expected choose to be a function"),
      );
    });

    it("names a rule whose answer has the wrong shape, or that throws", () => {
      const short = defineAggregator("short", (g) => g.mean().slice([0, 1]));
      expect(() => aggregate(gradients(), short)).toThrow(
        coded("BAD_PLUGIN", `rule short: expected it to return a tensor ${dtype} [12], found ${dtype} [1]`),
      );
      const broken = defineAggregator("broken", () => {
        throw new Error("oh no");
      });
      expect(() => aggregate(gradients(), broken, { group: all })).toThrow(
        coded("BAD_PLUGIN", "rule broken: expected a tensor [23], found that it throws: oh no"),
      );
    });

    it("refuses gradients and options of the wrong kind", () => {
      expect(() => aggregate([] as never, mean())).toThrow(
        coded("BAD_ARGUMENT", "expected a map from parameters to sample matrices"),
      );
      expect(() => aggregate(null as never, mean())).toThrow(coded("BAD_ARGUMENT", "found null"));
      expect(() => aggregate(new Map([[w0, device.ones([2, 2])]]) as never, mean())).toThrow(
        coded("BAD_ARGUMENT", "aggregate: expected a sample matrix for 0.W, found a tensor float32 [2, 2]"),
      );
      expect(() => aggregate(gradients(), mean(), { group: "all" as never })).toThrow(
        coded("BAD_ARGUMENT", 'found "all"'),
      );
      expect(() => aggregate(gradients(), mean(), { nonFinite: "ignore" as never })).toThrow(
        coded("BAD_ARGUMENT", 'aggregate: expected nonFinite to be "reject" or "drop", found "ignore"'),
      );
      const uneven = new Map([
        [w0, denseSamples(device.ones([2, 2], { dtype }))],
        [b0, denseSamples(device.ones([3, 2], { dtype }))],
      ]);
      expect(() => aggregate(uneven, mean(), { group: all })).toThrow(
        coded("SHAPE_MISMATCH", "expected equal numbers of samples, found 2 ≠ 3"),
      );
    });
  });

  describe("byLayer", () => {
    it("keys by the name without its last segment", () => {
      const nested = {
        namedParameters: () =>
          [
            ["block.0.W", w0],
            ["block.0.b", b0],
            ["block.1.W", w1],
            ["scale", b1],
          ] as const,
      };
      const key = byLayer(nested);
      expect([w0, b0, w1, b1].map((p) => key(p))).toEqual(["block.0", "block.0", "block.1", ""]);
    });

    it("sees parameters that the model gains", () => {
      const named: (readonly [string, Named])[] = [["0.W", w0]];
      const key = byLayer({ namedParameters: () => named });
      expect(key(w0)).toBe("0");
      named.push(["1.W", w1]);
      expect(key(w1)).toBe("1");
    });

    it("refuses a parameter of another model, and what is not a model", () => {
      const key = byLayer({ namedParameters: () => [["0.W", w0]] as const });
      expect(() => aggregate(gradients(), mean(), { group: key as never })).toThrow(
        coded("BAD_ARGUMENT", "expected parameters of the model"),
      );
      expect(() => byLayer({} as never)).toThrow(coded("BAD_ARGUMENT", "expected a model with namedParameters()"));
      expect(() => byLayer(null as never)).toThrow(coded("BAD_ARGUMENT", "found null"));
    });
  });
});
