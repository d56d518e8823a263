import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initialWeights } from "../../src/study/network.js";
import { trialData } from "../../src/study/trial-data.js";
import { trialGenerators } from "../../src/study/trial-generators.js";
import type { RunSettings } from "../../src/web/run-settings.js";
import { Engine } from "../../src/web/worker/engine.js";
import type { Look } from "../../src/web/worker/inspection.js";

const settings: RunSettings = {
  seed: 4,
  trial: 0,
  fraction: 0.02,
  factor: 1e4,
  protocol: "code",
  iterations: 100,
  competitors: ["vanilla", "median-of-means-jointly"],
  moved: [],
};
const start = { competitor: "vanilla", iteration: 0 };
const { train, displaced } = trialData(settings, settings.trial);
const samples = train.labels.values.length;

/** Gradients of all rows at the initial weights, by loops in float64: all parameters one after the other. */
const gradients = (() => {
  const layers = initialWeights(trialGenerators(settings.seed, settings.trial).weights);
  return Array.from({ length: samples }, (_, row) => {
    const activations = [[...train.x.values.slice(2 * row, 2 * row + 2)]];
    for (const [k, { W, b }] of layers.entries()) {
      const input = activations.at(-1)!;
      const sums = Array.from(b.values, (bias, q) =>
        input.reduce((sum, value, p) => sum + W.values[q * input.length + p]! * value, bias),
      );
      activations.push(k < layers.length - 1 ? sums.map((sum) => Math.max(0, sum)) : sums);
    }
    const logits = activations.pop()!;
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    let delta = logits.map((logit, q) => Math.exp(logit - largest) / total - Number(q === train.labels.values[row]));
    const parts: number[][] = [];
    for (const [k, { W }] of [...layers.entries()].reverse()) {
      const input = activations[k]!;
      parts.unshift([...delta.flatMap((d) => input.map((value) => d * value)), ...delta]);
      delta = input.map((value, p) =>
        k > 0 && value <= 0 ? 0 : delta.reduce((sum, d, q) => sum + d * W.values[q * input.length + p]!, 0),
      );
    }
    return parts.flat();
  });
})();
const norms = gradients.map((row) => Math.hypot(...row));
const meanOf = (rows: readonly number[][]) =>
  rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (value, d) => value - b[d]!));

/** The largest difference as a share of the largest value wanted. */
const error = (found: ArrayLike<number> | null, wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, n) => Math.abs(found![n]! - value))) / largest;
};

describe("a look into a step", () => {
  const engine = new Engine();
  const look = (...rules: string[]) => engine.look({ ...start, rules, moved: null }) as Promise<Look>;
  beforeAll(async () => {
    await engine.open("wasm");
    await engine.begin(settings);
  });
  afterAll(() => engine.close());

  it("has the norm of every gradient", async () => {
    expect(error((await look()).norms, norms)).toBeLessThan(1e-5);
  });

  it("has the answer and the weights of the mean", async () => {
    const [vanilla] = (await look("vanilla")).rules;
    expect(error(vanilla!.answer, meanOf(gradients))).toBeLessThan(1e-5);
    expect(error(vanilla!.weights, new Array<number>(samples).fill(1))).toBeLessThan(1e-6);
  });

  it("weighs a row by what a clip leaves of it", async () => {
    const [clip] = (await look("norm-clip:maxNorm=0.5@all")).rules;
    const wanted = norms.map((norm) => Math.min(1, 0.5 / norm));
    expect(error(clip!.weights, wanted)).toBeLessThan(1e-5);
    const kept = gradients.map((row, n) => row.map((value) => value * wanted[n]!));
    expect(error(clip!.answer, meanOf(kept))).toBeLessThan(1e-5);
  });

  it("weighs a row by ψ(z)/z, the mean over coordinates, for a rule with an influence function", async () => {
    const [truncation] = (await look("soft-truncation:varianceFloor=0.001,correction=0@all")).rules;
    const center = meanOf(gradients);
    const s = Math.sqrt(samples / (2 * Math.log(1 / 0.005)));
    const scales = center.map(
      (mean, d) =>
        s * Math.sqrt(Math.max(1e-3, gradients.reduce((sum, row) => sum + (row[d]! - mean) ** 2, 0) / samples)),
    );
    const psi = (u: number) => (Math.abs(u) <= Math.SQRT2 ? u - u ** 3 / 6 : (Math.sign(u) * 2 * Math.SQRT2) / 3);
    const wanted = gradients.map((row) => {
      const shares = row.map((value, d) => (value - center[d]!) / scales[d]!).map((z) => (z === 0 ? 1 : psi(z) / z));
      return shares.reduce((sum, share) => sum + share, 0) / shares.length;
    });
    expect(error(truncation!.weights, wanted)).toBeLessThan(1e-4);
  });

  it("averages layers over their coordinates where the rule is on the first alone", async () => {
    const [one, all] = (
      await look("soft-truncation-equal-scale", "soft-truncation:varianceFloor=0.001,correction=0@parameter")
    ).rules;
    const first = 2 * 10 + 10;
    const features = gradients[0]!.length;
    const row = displaced[0]!;
    // Of the first layer at least nothing is kept, of the others all.
    expect(one!.weights![row]).toBeGreaterThanOrEqual((features - first) / features);
    expect(one!.weights![row]).toBeLessThan(1);
    expect(all!.weights![row]).toBeLessThan(one!.weights![row]!);
  });

  it("finds that displaced rows decide the mean, and count next to nothing in robust rules", async () => {
    const { rules } = await look("median-of-means-jointly", "norm-clip:maxNorm=0.05@all");
    for (const { weights } of rules) for (const row of displaced) expect(weights![row]).toBeLessThan(0.01);
    const { influence, cosines } = (await engine.influence("vanilla", start))!;
    const mean = meanOf(gradients);
    const size = Math.hypot(...mean);
    expect(
      error(
        influence,
        gradients.map((row) => distance(row, mean) / (samples - 1) / size),
      ),
    ).toBeLessThan(1e-4);
    const order = [...influence.keys()].sort((a, b) => influence[b]! - influence[a]!);
    expect(new Set(order.slice(0, displaced.length))).toEqual(new Set(displaced));
    const products = gradients.map((row) => row.reduce((sum, value, d) => sum + value * mean[d]!, 0));
    expect(
      error(
        cosines,
        products.map((product, n) => product / norms[n]! / size),
      ),
    ).toBeLessThan(1e-4);
  });

  it("has no weights of a rule that tells none, and the same answer again of one that remembers", async () => {
    const first = await look("median@all", "centered-clip@all");
    const again = await look("median@all", "centered-clip@all");
    expect(first.rules.map(({ weights }) => weights)).toEqual([null, null]);
    expect(again).toEqual(first);
  });

  it("says why a rule has no answer, and has those of the others", async () => {
    const { rules } = await look("vanilla", "bulyan:byzantine=40@all");
    expect(rules.map(({ answer }) => answer === null)).toEqual([false, true]);
    expect(rules[1]!.failure).toContain("bulyan");
  });

  it("moves a row for once, as training with it moved does", async () => {
    const moved = { row: 7, x: 40, y: -3 };
    const rules = ["vanilla", "median-of-means-jointly", "norm-clip:maxNorm=2@all"];
    const once = await engine.look({ ...start, rules, moved });
    const other = new Engine();
    await other.open("wasm");
    await other.begin({ ...settings, moved: [moved] });
    expect(once).toEqual(await other.look({ ...start, rules, moved: null }));
    other.close();
    expect(once).not.toEqual(await look(...rules));
  });
});
