import { mean, normClip } from "@robgrad/aggregators";
import { denseSamples, openDevice, type Device } from "@robgrad/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCompetitor, writeFormula, type FormulaText } from "../../src/web/competitor-text.js";
import { formulaPresets } from "../../src/web/views/own-rule/formula-presets.js";
import { formulaWords } from "../../src/web/views/own-rule/formula-words.js";
import { checkFormula } from "../../src/web/worker/formula-check.js";
import { formulaRule, influenceOf } from "../../src/web/worker/formula-rule.js";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.dispose());

const usual = { kind: "psi", on: null, bounded: true, of: "coordinates", scale: "mad", group: "all" } as const;
const check = (part: Partial<FormulaText> & Pick<FormulaText, "formula">) =>
  checkFormula(device, writeFormula({ ...usual, ...part }));

/** In the order of the presets, each by its definition. */
const definitions: readonly ((x: number) => number)[] = [
  Math.tanh,
  (x) => Math.sign(x) * Math.min(Math.abs(x), 1.345),
  (x) => (Math.abs(x) <= Math.SQRT2 ? x - x ** 3 / 6 : (Math.sign(x) * 2 * Math.SQRT2) / 3),
  (x) => x / Math.sqrt(1 + x ** 2 / 2),
  (x) => x / (1 + Math.abs(x) / 1.3998),
  (x) => 2 * Math.atan(Math.tanh(x / 2)),
  (x) => (Math.abs(x) <= 4.685 ? x * (1 - (x / 4.685) ** 2) ** 2 : 0),
  (x) => Math.sign(x) * Math.log(1 + Math.abs(x) + x ** 2 / 2),
  (x) => x,
  Math.tanh,
];

describe("checkFormula", () => {
  it.each(formulaPresets.map((preset, k) => ({ ...preset, definition: definitions[k]! })))(
    "draws $label",
    async ({ kind, formula, on, definition }) => {
      const { refusal, found } = await check({ kind, formula, on });
      expect(refusal).toBeNull();
      const { x, psi, huber } = found!.curve;
      x.forEach((at, k) => {
        expect(psi[k]).toBeCloseTo(definition(at), 12);
        expect(huber[k]).toBeCloseTo(definitions[1]!(at), 12);
      });
    },
  );

  it("tells bound, fall and slope", async () => {
    // |ψ| of x/(1 + x²) is largest at 1, with value 1/2; its slope is 1 at 0 and nowhere more.
    const { own, huber } = (await check({ formula: "x / (1 + x^2)" })).found!;
    expect(own.bound).toBeCloseTo(0.5, 6);
    expect(own.monotone).toBe(false);
    expect(own.steepest).toBeCloseTo(1, 2);
    // The constant is known as that of 95 %.
    expect(huber.efficiency).toBeCloseTo(0.95, 3);
    expect(huber.bound).toBeCloseTo(1.345, 12);
    // Slope 1 + 3x² up to 1, so 4 just before.
    expect((await check({ formula: "x + x^3", on: 1 })).found!.own.steepest).toBeCloseTo(4, 0);
  });

  it("looks at what grows without bound, whether or not it is allowed", async () => {
    for (const bounded of [true, false])
      expect((await check({ formula: "x", bounded })).found!.own.bound).toBe(Infinity);
  });

  it.each([
    ["2 tanh(x)", /^Expected ψ′\(0\) = 1, found 2; divide the formula by 2\.$/],
    ["tanh(x)^2", /^Expected ψ′\(0\) = 1, found 0\.$/],
    ["tanh(x) + tanh(x)^2", /^Expected an odd function/],
    ["sinh(x)", /^Expected values that level off, .*; hold the formula beyond some ±a, above\.$/],
    ["tanh(", /^Expected a formula, found "tanh\("/],
    ['import("node:fs")', /^Expected numbers, x, pi/],
    [`${"(".repeat(450)}x${")".repeat(450)}`, /nested too deeply|at most 200 parts/],
  ])("refuses %.20s in words", async (formula, words) => {
    const { refusal, found } = await check({ formula });
    expect(found).toBeNull();
    expect(formulaWords(refusal!)).toMatch(words);
    expect(formulaWords(refusal!).length).toBeLessThan(300);
  });
});

describe("formulaRule", () => {
  const rows = [
    [3, 4],
    [0.3, 0.4],
    [0, 0],
    [-300, 400],
  ];
  const answer = async (text: string) => {
    const read = readCompetitor(text) as FormulaText;
    return formulaRule(await influenceOf(read), read)(denseSamples(device.tensor(rows))).toArray();
  };

  it("makes norm clipping of Huber's ψ of norms", async () => {
    const clipped = (await normClip({ maxNorm: 3 })(denseSamples(device.tensor(rows))).toArray()) as number[];
    const found = (await answer("psi(x):on=1.5,of=norms,scale=2")) as number[];
    found.forEach((value, k) => expect(value).toBeCloseTo(clipped[k]!, 5));
  });

  it("makes the mean of the identity", async () => {
    const plain = (await mean()(denseSamples(device.tensor(rows))).toArray()) as number[];
    const found = (await answer("psi(x):bounded=no,of=norms,scale=1")) as number[];
    found.forEach((value, k) => expect(value).toBeCloseTo(plain[k]!, 4));
  });

  it("refuses a ψ without a bound unless that is wanted", async () => {
    await expect(answer("psi(x):of=norms,scale=1")).rejects.toThrowError(/expected a bounded function/);
  });
});
