import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { curveIterations } from "../src/study/curve-iterations.js";
import { estimate, median, pairedDifference } from "../src/study/estimate.js";
import { findings, publishedGain } from "../src/study/findings.js";
import { meanCurves, summarize } from "../src/study/summary.js";
import { studyOf } from "./study-of.js";

describe("estimate", () => {
  it("equals sums written out", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 50 }), (values) => {
        let sum = 0;
        for (const value of values) sum += value;
        const mean = sum / values.length;
        let squares = 0;
        for (const value of values) squares += (value - mean) * (value - mean);
        const standardError = Math.sqrt(squares / (values.length - 1) / values.length);
        const found = estimate(values);
        expect(found.mean).toBeCloseTo(mean, 12);
        expect(found.standardError).toBeCloseTo(standardError, 12);
        expect((found.interval[0] + found.interval[1]) / 2).toBeCloseTo(mean, 10);
      }),
    );
  });

  it.each([
    [2, 12.7062],
    [20, 2.09302],
    [200, 1.97196],
  ])("reaches Student's quantile for %i values: %f standard errors", (count, quantile) => {
    const { mean, standardError, interval } = estimate(Array.from({ length: count }, (_, k) => Math.sin(k)));
    expect((interval[1] - mean) / standardError).toBeCloseTo(quantile, 3);
  });

  it("knows no error of a single value", () => {
    expect(estimate([0.4])).toEqual({ count: 1, mean: 0.4, standardError: NaN, interval: [NaN, NaN] });
  });

  it("compares pairs, not groups", () => {
    const [x, y] = [
      [0.7, 0.1, 0.68],
      [0.6, 0.0, 0.58],
    ];
    expect(pairedDifference(x, y).mean).toBeCloseTo(0.1, 12);
    expect(pairedDifference(x, y).standardError).toBeLessThan(1e-12);
    expect(() => pairedDifference([1], [1, 2])).toThrow("1 ≠ 2");
  });
});

describe("curveIterations", () => {
  it.each([
    [1, [0, 1]],
    [4, [0, 1, 2, 3, 4]],
    [25, [0, 1, 2, 3, 5, 10, 20, 25]],
  ])("for %i updates starts with the first and ends with the last", (iterations, expected) => {
    expect(curveIterations(iterations)).toEqual(expected);
  });
});

describe("summarize", () => {
  const study = studyOf({ vanilla: [0.72, 0.04, 0.3, 0.32], published: [0.04, 0.06, 0.04, 0.5] });

  it("takes errors after the last update", () => {
    const [vanilla, published] = summarize(study);
    expect(vanilla!.testError.mean).toBeCloseTo((0.72 + 0.04 + 0.3 + 0.32) / 4, 12);
    expect(published!.label).toBe("published");
    expect(vanilla!.microsecondsPerStep).toBe(median([100, 101, 102, 103]));
  });

  it("counts a trial as failed above 0.3, not at it", () => {
    expect(summarize(study).map(({ failed }) => failed)).toEqual([0.5, 0.25]);
  });

  it("is empty without trials", () => {
    expect(summarize({ ...study, trials: [] })).toEqual([]);
    expect(meanCurves({ ...study, trials: [] })).toEqual([]);
  });

  it("counts cost in gradients: iterations times training rows", () => {
    expect(meanCurves(study).map(({ gradients }) => gradients)).toEqual([0, 100, 200, 0, 100, 200]);
  });
});

describe("findings", () => {
  const gained = {
    vanilla: [0.7, 0.72, 0.68, 0.7],
    published: [0.1, 0.12, 0.08, 0.1],
    "step-matched-control": [0.25, 0.27, 0.23, 0.25],
    "soft-truncation-equal-scale": [0.6, 0.62, 0.58, 0.6],
  };

  it("says which share of the published gain is step size", () => {
    // (0.70 − 0.25) / (0.70 − 0.10) = 75 %
    expect(publishedGain(studyOf(gained))!.share!.mean).toBeCloseTo(0.75, 10);
    const [answer, equalScale] = findings(studyOf(gained));
    expect(answer).toMatch(/^75 % of the published gain is step size \(95 % interval \d+ to \d+ %\)\. /);
    expect(answer).toContain("moves 100 times slower");
    expect(equalScale).toContain("−0.100");
  });

  it("knows how far the share may be off", () => {
    // The error of a ratio of means, by leaving out one trial at a time.
    const errors = { vanilla: [0.7, 0.72, 0.1, 0.68, 0.66, 0.3], published: [0.1, 0.2, 0.05, 0.1, 0.3, 0.02] };
    const study = studyOf({ ...errors, "step-matched-control": [0.2, 0.1, 0.06, 0.4, 0.3, 0.02] });
    const ratio = (trials: typeof study.trials) => {
      const sum = (name: string) =>
        trials.reduce((total, { variants }) => total + variants[name]!.testError.at(-1)!, 0);
      return (sum("vanilla") - sum("step-matched-control")) / (sum("vanilla") - sum("published"));
    };
    const without = study.trials.map((left) => ratio(study.trials.filter((trial) => trial !== left)));
    const mean = without.reduce((sum, value) => sum + value, 0) / 6;
    const jackknife = Math.sqrt((5 / 6) * without.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    const { share } = publishedGain(study)!;
    expect(share!.mean).toBeCloseTo(ratio(study.trials), 12);
    expect(share!.standardError / jackknife).toBeGreaterThan(0.7);
    expect(share!.standardError / jackknife).toBeLessThan(1.3);
  });

  it("claims nothing where the gain may be none", () => {
    const study = studyOf({ ...gained, published: [0.7, 0.1, 0.72, 0.68] });
    expect(publishedGain(study)!.share).toBeNull();
    expect(findings(study)[0]).toContain("not clearly an improvement");
  });

  it("does not exceed the whole", () => {
    const study = studyOf({ ...gained, "step-matched-control": [0.05, 0.07, 0.03, 0.05] });
    expect(findings(study)[0]).toMatch(/^All of the published gain is step size\./);
  });

  it("is silent about variants that did not take part", () => {
    const paragraphs = findings(studyOf({ vanilla: [0.7, 0.1] }));
    expect(paragraphs).toHaveLength(1);
    expect(paragraphs[0]).toContain("bimodal");
  });

  it("warns of few trials", () => {
    expect(findings(studyOf(gained)).at(-1)).toContain("run 100 or more before");
    const many = Object.fromEntries(
      Object.entries(gained).map(([name, errors]) => [name, Array.from({ length: 100 }, (_, k) => errors[k % 4]!)]),
    );
    expect(findings(studyOf(many)).at(-1)).toContain("100 trials are enough");
  });
});
