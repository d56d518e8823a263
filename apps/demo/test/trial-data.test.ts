import { iris } from "@robgrad/datasets";
import { describe, expect, it } from "vitest";
import { initialWeights } from "../src/study/network.js";
import type { StudySettings } from "../src/study/settings.js";
import { trialData, type TrialData } from "../src/study/trial-data.js";
import { trialGenerators } from "../src/study/trial-generators.js";

const settings = { seed: 0, fraction: 0.02, factor: 1e4, protocol: "code" } satisfies Partial<StudySettings>;

const row = (array: TrialData["plane"], n: number) => [array.values[2 * n]!, array.values[2 * n + 1]!] as const;
const column = (array: TrialData["plane"], d: number) => [...array.values].filter((_, k) => k % 2 === d);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("trialData", () => {
  it("splits the 150 flowers into 100 to train on and 50 to test on", () => {
    const { train, test, plane } = trialData(settings, 0);
    expect([train.x.shape, test.x.shape, train.labels.shape, test.labels.shape]).toEqual([
      [100, 2],
      [50, 2],
      [100],
      [50],
    ]);
    const classes = [...train.labels.values, ...test.labels.values];
    expect([0, 1, 2].map((label) => classes.filter((found) => found === label).length)).toEqual([50, 50, 50]);
    // Fitted to all rows: the whole of them spans the unit square exactly.
    for (const d of [0, 1]) {
      const all = [...column(plane, d), ...column(test.x, d)];
      expect([Math.min(...all), Math.max(...all)]).toEqual([0, 1]);
    }
  });

  it("projects onto the components of all flowers", () => {
    // UCI Iris: variances 4.224841 and 0.242244 with divisor 149.
    const { projected, plane, test } = trialData(settings, 0);
    const range = (d: number) => Math.max(...column(projected, d)) - Math.min(...column(projected, d));
    const all = (d: number) => [...column(plane, d), ...column(test.x, d)];
    const variance = (values: readonly number[]) => values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / 149;
    [4.224841, 0.242244].forEach((expected, d) => {
      const scale = range(d) / (Math.max(...column(plane, d)) - Math.min(...column(plane, d)));
      expect(variance(all(d)) * scale ** 2).toBeCloseTo(expected, 5);
    });
    expect(iris().source).toBe("uci");
  });

  it("displaces two training rows to distance kσ beyond the mean and leaves the others alone", () => {
    const { train, plane, displaced } = trialData(settings, 0);
    expect(displaced).toHaveLength(2);
    const centre = [mean(column(plane, 0)), mean(column(plane, 1))] as const;
    const distances = Array.from({ length: 100 }, (_, n) =>
      Math.hypot(row(plane, n)[0] - centre[0], row(plane, n)[1] - centre[1]),
    );
    const sigma = Math.sqrt(mean(distances.map((distance) => (distance - mean(distances)) ** 2)));
    for (let n = 0; n < 100; n++) {
      const [x, y] = row(train.x, n);
      if (!displaced.includes(n)) {
        expect([x, y]).toEqual([...row(plane, n)]);
        continue;
      }
      const r = (1e4 * sigma) / distances[n]!;
      const expected = row(plane, n).map((value, d) => (1 + r) * centre[d]! - r * value);
      expect(x / expected[0]!).toBeCloseTo(1, 9);
      expect(y / expected[1]!).toBeCloseTo(1, 9);
      expect(Math.hypot(x - centre[0], y - centre[1]) / (1e4 * sigma)).toBeCloseTo(1, 9);
    }
  });

  it.each([
    [0, 0],
    [0.001, 1],
    [0.02, 2],
    [0.07, 7],
  ])("displaces the share %f of 100 rows: %i", (fraction, count) => {
    expect(trialData({ ...settings, fraction }, 0).displaced).toHaveLength(count);
  });

  it("follows from seed and trial number alone", () => {
    expect(trialData(settings, 3)).toEqual(trialData(settings, 3));
    expect(trialData(settings, 3).displaced).not.toEqual(trialData(settings, 4).displaced);
    expect(trialData(settings, 3).plane).not.toEqual(trialData({ ...settings, seed: 1 }, 3).plane);
  });

  it("keeps split and displaced rows when strength or protocol changes", () => {
    const { train, displaced } = trialData(settings, 5);
    for (const other of [trialData({ ...settings, factor: 10 }, 5), trialData({ ...settings, protocol: "text" }, 5)]) {
      expect(other.displaced).toEqual(displaced);
      expect(other.train.labels).toEqual(train.labels);
    }
  });

  it("fits to the training rows in the protocol of the text", () => {
    const outside = Array.from({ length: 20 }, (_, trial) => {
      const { plane, test } = trialData({ ...settings, protocol: "text" }, trial);
      for (const d of [0, 1]) expect([Math.min(...column(plane, d)), Math.max(...column(plane, d))]).toEqual([0, 1]);
      return test.x.values.some((value) => value < 0 || value > 1);
    });
    expect(outside).toContain(true);
  });

  it("divides the variance of distances by n − 1 in the protocol of the text", () => {
    const { train, plane, displaced } = trialData({ ...settings, protocol: "text" }, 0);
    const centre = [mean(column(plane, 0)), mean(column(plane, 1))] as const;
    const distances = Array.from({ length: 100 }, (_, n) =>
      Math.hypot(row(plane, n)[0] - centre[0], row(plane, n)[1] - centre[1]),
    );
    const sigma = Math.sqrt((100 / 99) * mean(distances.map((distance) => (distance - mean(distances)) ** 2)));
    const [x, y] = row(train.x, displaced[0]!);
    expect(Math.hypot(x - centre[0], y - centre[1]) / (1e4 * sigma)).toBeCloseTo(1, 9);
  });
});

describe("initialWeights", () => {
  it("draws W and b of three layers uniformly on ±0.05", () => {
    const weights = Array.from({ length: 20 }, (_, trial) => initialWeights(trialGenerators(0, trial).weights));
    expect(weights[0]!.map(({ W, b }) => [W.shape, b.shape])).toEqual([
      [[10, 2], [10]],
      [[10, 10], [10]],
      [[3, 10], [3]],
    ]);
    const values = weights.flat().flatMap(({ W, b }) => [...W.values, ...b.values]);
    expect(values).toHaveLength(20 * 173);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.05);
    // Mean 0 and variance 0.05²/3, five standard errors either way.
    expect(Math.abs(mean(values))).toBeLessThan((5 * 0.05) / Math.sqrt(3 * values.length));
    expect(mean(values.map((value) => value ** 2)) / (0.05 ** 2 / 3)).toBeCloseTo(1, 1);
  });

  it("shares no random number with the data of its trial", () => {
    const { data, weights } = trialGenerators(0, 0);
    expect(data.uniform([8])).not.toEqual(weights.uniform([8]));
  });
});
