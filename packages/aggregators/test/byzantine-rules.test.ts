import * as fc from "fast-check";
import { denseSamples, openDevice, type Device, type SampleMatrix } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import {
  adaptiveRobustClipping,
  bucketing,
  bulyan,
  caf,
  centeredClip,
  clipping,
  compose,
  definePreAggregator,
  krum,
  mean,
  meanAroundMedian,
  median,
  minimumDiameterAveraging,
  monna,
  multiKrum,
  nearestNeighborMixing,
  normClip,
  signMajority,
  smea,
  trimmedMean,
  type Aggregator,
  type PreAggregator,
} from "../src/index.js";
import { columnsOf, meanOf, medianOf, randomRows } from "./random-rows.js";

type Row = readonly number[];
type Rows = readonly Row[];

const minus = (a: Row, b: Row) => a.map((value, d) => value - b[d]!);
const inner = (a: Row, b: Row) => a.reduce((total, value, d) => total + value * b[d]!, 0);
const squaredDistance = (a: Row, b: Row) => inner(minus(a, b), minus(a, b));
const average = (rows: Rows) => columnsOf(rows).map(meanOf);
const indices = (rows: Rows) => rows.map((_, n) => n);

/** The `count` indices of the smallest scores, the lowest of equals. */
const smallest = (scores: readonly number[], count: number) =>
  scores
    .map((score, n) => ({ score, n }))
    .sort((a, b) => a.score - b.score || a.n - b.n)
    .slice(0, count)
    .map(({ n }) => n);

const sumOfSmallest = (values: readonly number[], count: number) =>
  [...values]
    .sort((a, b) => a - b)
    .slice(0, count)
    .reduce((total, value) => total + value, 0);

const scoresOf = (rows: Rows, neighbors: number) =>
  rows.map((row, n) =>
    sumOfSmallest(
      rows.filter((_, m) => m !== n).map((other) => squaredDistance(row, other)),
      neighbors,
    ),
  );

function* subsetsOf(items: readonly number[], size: number): Generator<readonly number[]> {
  if (size === 0) yield [];
  else
    for (let k = 0; k + size <= items.length; k++)
      for (const rest of subsetsOf(items.slice(k + 1), size - 1)) yield [items[k]!, ...rest];
}

function bestSubset(rows: Rows, size: number, score: (subset: Rows) => number): Rows {
  let best: { readonly score: number; readonly subset: Rows } = { score: Infinity, subset: [] };
  for (const chosen of subsetsOf(indices(rows), size)) {
    const subset = chosen.map((n) => rows[n]!);
    const found = score(subset);
    if (found < best.score) best = { score: found, subset };
  }
  return best.subset;
}

const diameter = (rows: Rows) => Math.max(...rows.flatMap((a) => rows.map((b) => squaredDistance(a, b))));

/** Largest eigenvalue of Σ wₙ (gₙ − μ)(gₙ − μ)ᵀ and its vector in D dimensions, by the power method. */
function principal(rows: Rows, weights: readonly number[]) {
  const center = columnsOf(rows).map((column) => inner(column, weights));
  const offsets = rows.map((row) => minus(row, center));
  let v: Row = center.map((_, d) => 1 + 0.1 * d);
  let value = 0;
  for (let turn = 0; turn < 3000; turn++) {
    const along = offsets.map((row) => inner(row, v));
    const image = columnsOf(offsets).map((column) => column.reduce((t, x, n) => t + weights[n]! * x * along[n]!, 0));
    value = Math.sqrt(inner(image, image));
    if (value === 0) break;
    v = image.map((x) => x / value);
  }
  return { center, value, tau: offsets.map((row) => inner(row, v) ** 2) };
}

function filtered(rows: Rows, byzantine: number): Row {
  let counts = rows.map(() => 1);
  const total = () => counts.reduce((a, b) => a + b);
  let best = { value: Infinity, center: average(rows) as Row };
  while (total() > rows.length - 2 * byzantine) {
    const sum = total();
    const { center, value, tau } = principal(
      rows,
      counts.map((c) => c / sum),
    );
    if (value < best.value) best = { value, center };
    const most = Math.max(...tau.filter((_, n) => counts[n]! > 0));
    counts = counts.map((c, n) => (c > 0 ? c * (1 - tau[n]! / most) : 0));
  }
  return best.center;
}

function nearMedian(values: readonly number[], count: number): number {
  const middle = medianOf(values);
  const order = [...values].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
  return meanOf(order.slice(0, count));
}

function bulyanOf(rows: Rows, byzantine: number): Row {
  let left = [...rows];
  const chosen: Row[] = [];
  while (chosen.length < rows.length - 2 * byzantine) {
    const [k] = smallest(scoresOf(left, Math.max(1, left.length - byzantine - 2)), 1);
    chosen.push(left[k!]!);
    left = left.filter((_, n) => n !== k);
  }
  return columnsOf(chosen).map((column) => nearMedian(column, chosen.length - 2 * byzantine));
}

const norm = (row: Row) => Math.sqrt(inner(row, row));
const shrunk = (row: Row, most: number) => row.map((value) => value * Math.min(1, most / (norm(row) || 1)));

function adaptive(rows: Rows, byzantine: number): Rows {
  const cut = Math.floor((2 * byzantine * (rows.length - byzantine)) / rows.length);
  const threshold = rows.map(norm).sort((a, b) => a - b)[rows.length - cut - 1]!;
  return rows.map((row) => shrunk(row, threshold));
}

const mixed = (rows: Rows, byzantine: number) =>
  rows.map((row) =>
    average(
      smallest(
        rows.map((other) => squaredDistance(row, other)),
        rows.length - byzantine,
      ).map((n) => rows[n]!),
    ),
  );

function clippedAbout(rows: Rows, start: Row, most: number, turns: number): Row {
  let center = start;
  for (let k = 0; k < turns; k++) {
    const steps = average(rows.map((row) => shrunk(minus(row, center), most)));
    center = center.map((value, d) => value + steps[d]!);
  }
  return center;
}

const half = (rows: Rows) => {
  const longer = rows.length % Math.ceil(rows.length / 2);
  const count = Math.ceil(rows.length / 2);
  const size = Math.floor(rows.length / count);
  let start = 0;
  return Array.from({ length: count }, (_, k) => {
    const length = size + (k < longer ? 1 : 0);
    return average(rows.slice(start, (start += length)));
  });
};

/** A rule, and the same by loops over plain arrays. */
const rules: Readonly<Record<string, readonly [Aggregator, (rows: Rows) => Row]>> = {
  krum: [krum({ byzantine: 2 }), (rows) => rows[smallest(scoresOf(rows, rows.length - 4), 1)[0]!]!],
  "krum, ByzFL's neighbours": [
    krum({ byzantine: 2, neighbors: (n) => n - 3 }),
    (rows) => rows[smallest(scoresOf(rows, rows.length - 3), 1)[0]!]!,
  ],
  "krum, distances not squared": [
    krum({ byzantine: 2, squared: false }),
    (rows) =>
      rows[
        smallest(
          rows.map((row, n) =>
            sumOfSmallest(
              rows.filter((_, m) => m !== n).map((other) => Math.sqrt(squaredDistance(row, other))),
              rows.length - 4,
            ),
          ),
          1,
        )[0]!
      ]!,
  ],
  "multi-krum": [
    multiKrum({ byzantine: 2 }),
    (rows) => average(smallest(scoresOf(rows, rows.length - 4), rows.length - 2).map((n) => rows[n]!)),
  ],
  "multi-krum of 3": [
    multiKrum({ byzantine: 2, selected: 3 }),
    (rows) => average(smallest(scoresOf(rows, rows.length - 4), 3).map((n) => rows[n]!)),
  ],
  bulyan: [bulyan({ byzantine: 1 }), (rows) => bulyanOf(rows, 1)],
  "bulyan, f = 2": [bulyan({ byzantine: 2 }), (rows) => bulyanOf(rows, 2)],
  "minimum diameter averaging": [
    minimumDiameterAveraging({ byzantine: 3 }),
    (rows) => average(bestSubset(rows, rows.length - 3, diameter)),
  ],
  smea: [
    smea({ byzantine: 2 }),
    (rows) =>
      average(
        bestSubset(
          rows,
          rows.length - 2,
          (subset) =>
            principal(
              subset,
              subset.map(() => 1 / subset.length),
            ).value,
        ),
      ),
  ],
  caf: [caf({ byzantine: 3 }), (rows) => filtered(rows, 3)],
  "caf, f = 0": [caf({ byzantine: 0 }), average],
  monna: [
    monna({ byzantine: 3, reference: 1 }),
    (rows) =>
      average(
        smallest(
          rows.map((row) => squaredDistance(row, rows[1]!)),
          rows.length - 3,
        ).map((n) => rows[n]!),
      ),
  ],
  "mean around median": [
    meanAroundMedian({ byzantine: 3 }),
    (rows) => columnsOf(rows).map((column) => nearMedian(column, rows.length - 3)),
  ],
  "sign majority": [
    signMajority(),
    (rows) => columnsOf(rows).map((column) => Math.sign(column.reduce((t, x) => t + Math.sign(x), 0))),
  ],
  "centred clip": [
    centeredClip({ maxNorm: 2, iterations: 3 }),
    (rows) =>
      clippedAbout(
        rows,
        rows[0]!.map(() => 0),
        2,
        3,
      ),
  ],
  "norm clip at a quantile": [
    normClip({ quantile: 0.5 }),
    (rows) => average(rows.map((row) => shrunk(row, medianOf(rows.map(norm))))),
  ],
  "norm clip, automatic": [
    normClip({ automatic: 0.01 }),
    (rows) => average(rows.map((row) => row.map((value) => value / (norm(row) + 0.01)))),
  ],
  "clipping, median": [
    compose(clipping({ maxNorm: 2 }), median()),
    (rows) => columnsOf(rows.map((row) => shrunk(row, 2))).map(medianOf),
  ],
  "adaptive robust clipping, mean": [
    compose(adaptiveRobustClipping({ byzantine: 2 }), mean()),
    (rows) => average(adaptive(rows, 2)),
  ],
  "nearest-neighbour mixing, median": [
    compose(nearestNeighborMixing({ byzantine: 3 }), median()),
    (rows) => columnsOf(mixed(rows, 3)).map(medianOf),
  ],
  "nearest-neighbour mixing, krum": [
    compose(nearestNeighborMixing({ byzantine: 3 }), krum({ byzantine: 3 })),
    (rows) => {
      const rest = mixed(rows, 3);
      return rest[smallest(scoresOf(rest, rows.length - 5), 1)[0]!]!;
    },
  ],
  "bucketing, krum": [
    compose(bucketing({ size: 2 }), krum({ byzantine: 1 })),
    (rows) => half(rows)[smallest(scoresOf(half(rows), half(rows).length - 3), 1)[0]!]!,
  ],
  "adaptive clipping, mixing, trimmed mean": [
    compose(
      adaptiveRobustClipping({ byzantine: 2 }),
      nearestNeighborMixing({ byzantine: 2 }),
      trimmedMean({ fraction: 0.25 }),
    ),
    (rows) => {
      const rest = mixed(adaptive(rows, 2), 2);
      const cut = Math.floor(0.25 * rows.length);
      return columnsOf(rest).map((column) => meanOf([...column].sort((a, b) => a - b).slice(cut, rows.length - cut)));
    },
  ],
};

forEachDevice(({ device, dtype, quick }) => {
  const precise = dtype === "float64";
  const samplesOf = (rows: Rows) => denseSamples(device.tensor(rows as number[][], { dtype }));
  const close = precise ? { absolute: 1e-9, relative: 1e-9 } : { absolute: 2e-5, relative: 2e-5 };

  describe("a rule by loops over arrays", () => {
    for (const [name, [rule, reference]] of Object.entries(rules)) {
      it(`agrees with ${name}`, async () => {
        for (const [count, width, seed] of quick
          ? ([
              [11, 4, 1],
              [12, 3, 2],
              [13, 7, 3],
            ] as const)
          : ([[12, 3, 2]] as const)) {
          // Rows as the device holds them, so that no choice turns on their rounding.
          const rows = randomRows(count, width, seed).map((row) => row.map(Math.fround));
          await expectClose(rule(samplesOf(rows)), [...reference(rows)], close);
        }
      });
    }
  });

  describe("weights of a rule", () => {
    for (const [name, [rule]] of Object.entries(rules)) {
      if (rule.weights === undefined) continue;
      it(`are those of ${name}`, async () => {
        const g = samplesOf(randomRows(12, 3, 5));
        await expectClose(rule(g), (await g.combine(rule.weights!(g)).toArray()) as number[], close);
      });
    }
  });

  describe("rules that look at distances", () => {
    const offset = precise ? 1e6 : 1e3;
    it.each(["krum", "multi-krum", "minimum diameter averaging", "smea", "caf", "monna"])(
      "find the same samples when all rows share a large part: %s",
      async (name) => {
        // Eighths, so that the common part costs no digit of the rows.
        const rows = randomRows(12, 6, 8).map((row) => row.map((value) => Math.round(8 * value) / 8));
        const [rule] = rules[name]!;
        const weights = (await rule.weights!(samplesOf(rows)).toArray()) as number[];
        const moved = samplesOf(rows.map((row) => row.map((value) => value + offset)));
        await expectClose(rule.weights!(moved), weights, { absolute: precise ? 1e-9 : 1e-4 });
      },
    );

    it.each([0, 4, 11])("leave out row %i displaced by 1e4", async (hostile) => {
      const rows = randomRows(12, 6, 9).map((row, n) => (n === hostile ? row.map((value) => value + 1e4) : row));
      for (const name of ["krum", "multi-krum", "minimum diameter averaging", "smea", "caf"]) {
        const weights = (await rules[name]![0].weights!(samplesOf(rows)).toArray()) as number[];
        expect(weights[hostile], name).toBeLessThan(1e-3);
        expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      }
    });

    it("take the lowest index of equals", async () => {
      const rows = [
        [1, 0],
        [1, 0],
        [1, 0],
        [5, 5],
        [1, 0],
      ];
      await expectClose(krum({ byzantine: 1 }).weights!(samplesOf(rows)), [1, 0, 0, 0, 0]);
      await expectClose(multiKrum({ byzantine: 1, selected: 2 }).weights!(samplesOf(rows)), [0.5, 0.5, 0, 0, 0]);
      await expectClose(
        minimumDiameterAveraging({ byzantine: 2 }).weights!(samplesOf(rows)),
        [1 / 3, 1 / 3, 1 / 3, 0, 0],
        close,
      );
    });
  });

  describe("choices of rules", () => {
    const runs = { numRuns: quick ? 15 : 3 };
    const grid = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));
    /** Points of a small grid, many of them equal or equally far apart: whole numbers, so that no rounding decides. */
    const onGrid = (least: (byzantine: number) => number) =>
      fc
        .integer({ min: 0, max: 3 })
        .chain((byzantine) =>
          fc.tuple(
            fc.constant(byzantine),
            fc.array(grid, { minLength: least(byzantine), maxLength: least(byzantine) + 1 }),
          ),
        );

    it("are the first of all subsets with the least diameter", async () => {
      await fc.assert(
        fc.asyncProperty(
          onGrid((f) => 2 * f + 1),
          async ([byzantine, rows]) => {
            const expected = average(bestSubset(rows, rows.length - byzantine, diameter));
            await expectClose(minimumDiameterAveraging({ byzantine })(samplesOf(rows)), [...expected], close);
          },
        ),
        runs,
      );
    });

    it("are those of Krum again and again", async () => {
      await fc.assert(
        fc.asyncProperty(
          onGrid((f) => 4 * f + 3),
          async ([byzantine, rows]) => {
            await expectClose(bulyan({ byzantine })(samplesOf(rows)), [...bulyanOf(rows, byzantine)], close);
          },
        ),
        runs,
      );
    });

    describe("with the least largest variance", () => {
      /** The larger root of λ² − (a + c) λ + ac − b². */
      const largest = (rows: Rows) => {
        const [x, y] = columnsOf(rows.map((row) => minus(row, average(rows)))) as unknown as [Row, Row];
        const [a, b, c] = [inner(x, x), inner(x, y), inner(y, y)];
        return (a + c) / 2 + Math.hypot((a - c) / 2, b);
      };
      const check = async (rows: Rows, byzantine: number) => {
        const size = rows.length - byzantine;
        const weights = (await smea({ byzantine }).weights!(samplesOf(rows)).toArray()) as number[];
        for (const weight of weights) expect([0, 1]).toContain(Math.round(weight * size * 1e4) / 1e4);
        const chosen = rows.filter((_, n) => weights[n]! > 0);
        expect(chosen.length).toBe(size);
        const best = largest(bestSubset(rows, size, largest));
        // Distances are all that is seen: in float32 they have lost what is small beside them.
        const lost = precise ? 1e-12 : 1e-6 * Math.max(...chosen.map((row) => squaredDistance(row, chosen[0]!)));
        expect(largest(chosen)).toBeLessThanOrEqual(best * (1 + (precise ? 1e-9 : 1e-5)) + lost);
      };
      const coordinate = fc.integer({ min: -1000, max: 1000 });
      const point = fc.oneof(fc.tuple(coordinate, coordinate), grid);

      it("are the best of few subsets", async () => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(point, { minLength: 9, maxLength: 9 }), (f, rows) =>
            check(rows, f),
          ),
          runs,
        );
      });

      it("are the best of many subsets", async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(point, { minLength: 25, maxLength: 25 }), (rows) => check(rows, 2)),
          runs,
        );
      });
    });
  });

  describe("centeredClip", () => {
    it("starts from the bias-corrected average of its answers", async () => {
      const batches = [1, 2, 3, 4].map((seed) => randomRows(8, 3, seed));
      const momentum = 0.75;
      let m: Row = [0, 0, 0];
      const rule = centeredClip({ maxNorm: 1, momentum });
      const cells = new Map<string, ReturnType<typeof device.cell>>();
      const memory: Parameters<Aggregator>[1] = {
        cell(name, initial) {
          if (!cells.has(name)) cells.set(name, device.cell(typeof initial === "function" ? initial() : initial));
          return cells.get(name)!;
        },
      };
      for (const [t, rows] of batches.entries()) {
        const start = m.map((value) => (t === 0 ? 0 : value / (1 - momentum ** t)));
        const expected = clippedAbout(rows, start, 1, 1);
        m = m.map((value, d) => momentum * value + (1 - momentum) * expected[d]!);
        await expectClose(rule(samplesOf(rows), memory), [...expected], close);
      }
      for (const cell of cells.values()) cell.dispose();
    });
  });

  describe("bucketing", () => {
    it("deals with an rng: the buckets are means of a partition of the samples", async () => {
      const rows = indices(randomRows(7, 1, 1)).map((n) => [2 ** n]);
      const seen: number[] = [];
      const rng = device.rng(3);
      const spy = definePreAggregator("spy", (g) => device.ones([g.samples], { dtype }));
      const rule = compose(bucketing({ size: 2, rng }), spy, mean());
      const weights = (await rule.weights!(samplesOf(rows)).toArray()) as number[];
      // Four buckets: three of two and one of one; a weight is 1/4 of a half or of a whole.
      expect([...weights].sort((a, b) => a - b)).toEqual([0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.25]);
      for (let k = 0; k < 4; k++)
        seen.push(((await rule.weights!(samplesOf(rows)).toArray()) as number[]).indexOf(0.25));
      expect(new Set(seen).size).toBeGreaterThan(1);
      rng.dispose();
    });
  });
});

describe("what is wrong is named", () => {
  let cpu: Device;
  beforeAll(async () => void (cpu = await openDevice("cpu")));
  const g = (n: number) => denseSamples(cpu.ones([n, 2]));

  it.each([
    [() => krum({ byzantine: -1 }), "krum: expected byzantine to be a whole number ≥ 0, found -1"],
    [() => krum({ byzantine: 1.5 }), "krum: expected byzantine to be a whole number ≥ 0, found 1.5"],
    [() => krum({ neighbors: 3 as never }), "krum: expected neighbors to be a function of N, found 3"],
    [() => multiKrum({ selected: 0 }), "multiKrum: expected selected to be a whole number ≥ 1, found 0"],
    [() => monna({ reference: -1 }), "monna: expected reference to be a whole number ≥ 0, found -1"],
    [() => centeredClip({ maxNorm: 0 }), "centeredClip: expected maxNorm > 0 and finite, found 0"],
    [() => centeredClip({ iterations: 0 }), "centeredClip: expected iterations to be a whole number ≥ 1, found 0"],
    [() => centeredClip({ momentum: 1 }), "centeredClip: expected momentum in [0, 1), found 1"],
    [() => normClip({ quantile: 2 }), "normClip: expected quantile in [0, 1], found 2"],
    [() => normClip({ automatic: 0 }), "normClip: expected automatic > 0 and finite, found 0"],
    [
      () => normClip({ maxNorm: 1, quantile: 0.5 }),
      "normClip: expected one of maxNorm, quantile and automatic, found maxNorm and quantile",
    ],
    [() => bucketing({ size: 0 }), "bucketing: expected size to be a whole number ≥ 1, found 0"],
    [() => clipping({ maxNorm: NaN }), "clipping: expected maxNorm > 0 and finite, found NaN"],
    [
      () => (compose as (rule: Aggregator) => Aggregator)(mean()),
      "compose: expected at least one step before the rule",
    ],
  ])("%#", (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT", message }));
  });

  it("by rules that get too few samples", () => {
    const cases: readonly (readonly [Aggregator, number, string])[] = [
      [krum({ byzantine: 1 }), 3, "expected neighbors in 1 … N − 1 = 2, found 0 for byzantine = 1"],
      [bulyan({ byzantine: 1 }), 6, "expected at least 7 samples for byzantine = 1, found 6"],
      [meanAroundMedian({ byzantine: 2 }), 4, "expected at least 5 samples for byzantine = 2, found 4"],
      [caf({ byzantine: 1 }), 2, "expected at least 3 samples for byzantine = 1, found 2"],
      [smea({ byzantine: 1 }), 2, "expected at least 3 samples"],
      [minimumDiameterAveraging({ byzantine: 9 }), 30, "expected at most 100000 subsets of 21 of N = 30 samples"],
      [monna({ reference: 5 }), 5, "expected reference below N = 5, found 5"],
    ];
    for (const [rule, count, message] of cases) {
      expect(() => rule(g(count)), rule.label).toThrow(
        expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(message) }),
      );
      expect(() => rule(g(count))).toThrow(RangeError);
    }
  });

  it("by compose and its steps", () => {
    expect(() => compose(mean() as unknown as PreAggregator, mean())).toThrow(
      expect.objectContaining({
        code: "BAD_PLUGIN",
        message: expect.stringContaining("compose: expected steps such as bucketing()"),
      }),
    );
    expect(() => compose(clipping(), clipping() as unknown as Aggregator)).toThrow(
      expect.objectContaining({ code: "BAD_PLUGIN" }),
    );
    const wrong = definePreAggregator("wrong", (gradients: SampleMatrix) => gradients.device.ones([3]));
    expect(() => compose(wrong, mean())(g(5))).toThrow(
      expect.objectContaining({
        code: "BAD_PLUGIN",
        message: expect.stringContaining("wrong: expected weights [M, 5] or factors [5], found a tensor float32 [3]"),
      }),
    );
  });
});
