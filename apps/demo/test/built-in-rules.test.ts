import { aggregate, type Aggregator } from "@robgrad/aggregators";
import type * as aggregators from "@robgrad/aggregators";
import { denseSamples, generator, openDevice, type Device } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import { loadRule } from "../src/cli/rules.js";
import { entrant } from "../src/leaderboard/entrants.js";
import { builtIn } from "../src/study/built-in-rules.js";
import { network } from "../src/study/network.js";
import { layerSizes } from "../src/study/protocol.js";
import { readRuleText, ruleOptions, type RuleOption } from "../src/study/rule-text.js";
import { competitorOf } from "../src/web/worker/competitors.js";

type Factories = typeof aggregators;

/** The options of a factory that have a value for a command line. */
type Written<F> = F extends (options?: infer O) => Aggregator
  ? { readonly [K in keyof O as Extract<O[K], RuleOption> extends never ? never : K]-?: Extract<O[K], RuleOption> }
  : never;

/** Every option of every rule, with a value that gives another answer than the default; the compiler wants all of them. */
const options: { readonly [N in RuleName]: Written<Factories[N]> } = {
  mean: {},
  sum: {},
  softTruncation: {
    delta: 0.3,
    correction: 0,
    varianceFloor: 100,
    center: "median",
    spread: "mad",
    smoothing: 0.5,
  },
  medianOfMeans: { blocks: 3, center: "coordinate", tolerance: 0.5, maximum: 1, epsilon: 0.9, smoothing: 3 },
  mEstimator: { influence: "arctan", scale: "sd", tolerance: 0.5, maximum: 1 },
  geometricMedian: { tolerance: 0.5, maximum: 1, epsilon: 0.9, smoothing: 3 },
  median: {},
  trimmedMean: { fraction: 0.3 },
  meanAroundMedian: { byzantine: 3 },
  normClip: { maxNorm: 0.5, quantile: 0.5, automatic: 0.1 },
  centeredClip: { maxNorm: 0.5, iterations: 2, momentum: 0.9 },
  krum: { byzantine: 3, squared: false },
  multiKrum: { byzantine: 3, selected: 2, squared: false },
  bulyan: { byzantine: 2 },
  minimumDiameterAveraging: { byzantine: 3 },
  smea: { byzantine: 3 },
  caf: { byzantine: 3 },
  monna: { byzantine: 3, reference: 4 },
  signMajority: {},
};

type RuleName = {
  [N in keyof Factories]: Factories[N] extends (options?: infer _) => Aggregator ? N : never;
}[keyof Factories];

const nameOf = (factory: string) => factory.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const steps = Array.from({ length: 30 }, (_, seed) => generator(seed).normal([12, 3], { standardDeviation: 8 }).values);

/** The answers of many steps. */
async function answers(device: Device, rule: Aggregator): Promise<string> {
  const found = [];
  for (const values of steps) {
    const rows = new Map([["w", denseSamples(device.tensor(values, { shape: [12, 3] }))]]);
    found.push(Array.from(await aggregate(rows, rule).get("w")!.data()).join());
  }
  return found.join();
}

/** The rule that the page makes of a text, for the first layer. */
async function pageRule(device: Device, text: string): Promise<Aggregator> {
  const { on } = await competitorOf(text, { protocol: "code" });
  const net = network(device, "float64", layerSizes);
  const { rule } = on(net);
  const first = net.layers[0]!.W;
  net.model.dispose();
  return (rule as Exclude<typeof rule, Aggregator>).choose(first);
}

describe("built-in rules by name", () => {
  it("have a name each", () => {
    expect(Object.keys(options).map(nameOf).sort()).toEqual([...builtIn.keys()].sort());
  });

  it.each(Object.entries(options))(
    "take every option of %s, of the study, of the leaderboard and of the page",
    async (factory, own) => {
      const name = nameOf(factory);
      expect([...builtIn.get(name)!.options].sort()).toEqual(Object.keys(own).sort());
      const device = await openDevice("cpu");
      const usual = await answers(device, (await loadRule(name, ".")).make());
      for (const [option, value] of Object.entries(own)) {
        const text = `${name}:${option}=${String(value)}`;
        const found = await answers(device, (await loadRule(text, ".")).make());
        expect(found, text).not.toBe(usual);
        expect(await answers(device, entrant(text).make()), text).toBe(found);
        expect(await answers(device, await pageRule(device, text)), text).toBe(found);
      }
      device.dispose();
    },
  );
});

describe("builtInRule", () => {
  const refusals = [
    ["trimmed-mean:fractoin=0.1", "expected options of trimmed-mean (fraction), found fractoin"],
    ["mean:fraction=0.1", "expected options of mean (none), found fraction"],
    ["trimmed-mean:fraction=2", "trimmedMean: expected fraction"],
    ["norm-clip:maxNorm=1,quantile", 'expected options as name=value, found "quantile"'],
  ] as const;

  it.each(refusals)("refuses %s in the same words wherever it is written", async (text, words) => {
    const refusal = { code: "BAD_ARGUMENT", message: expect.stringContaining(`: ${words}`) as string };
    await expect(loadRule(text, ".")).rejects.toMatchObject(refusal);
    expect(() => entrant(text)).toThrow(expect.objectContaining(refusal));
    await expect(competitorOf(text, { protocol: "code" })).rejects.toMatchObject(refusal);
  });

  it("names the rules there are, with what else can stand in their place", async () => {
    const every = [...builtIn.keys()].join(", ");
    expect(() => entrant("avarage")).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/"means of 2, krum".*found avarage$/) as string }),
    );
    expect(() => entrant("avarage")).toThrow(every);
    await expect(competitorOf("avarage", { protocol: "code" })).rejects.toThrow(`median-of-means-jointly, ${every}`);
  });
});

describe("readRuleText", () => {
  it.each([
    ["mean", { rule: "mean", options: {}, group: "all" }],
    ["norm-clip:maxNorm=2@layer", { rule: "norm-clip", options: { maxNorm: 2 }, group: "layer" }],
    ["means of 2, krum@parameter", { rule: "means of 2, krum", options: {}, group: "parameter" }],
    ["a:b=true,c=1e-3,d=mad", { rule: "a", options: { b: true, c: 0.001, d: "mad" }, group: "all" }],
  ])("reads %s", (text, expected) => {
    expect(readRuleText("rules", text)).toEqual(expected);
  });

  it.each(["", ":a=1", "@layer", "mean@everywhere", "mean:", "mean:@layer", "psi(x)", "mean:a=1:b=2@"])(
    "reads nothing in %j",
    (text) => {
      expect(readRuleText("rules", text)).toBeNull();
    },
  );

  it.each(["a", "a=", "=1", "a=1,", "1a=2"])("refuses options %j", (list) => {
    expect(() => ruleOptions("rules", list)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });
});
