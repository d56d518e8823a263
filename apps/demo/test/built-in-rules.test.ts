import { aggregate, type Aggregator } from "@robgrad/aggregators";
import type * as aggregators from "@robgrad/aggregators";
import { denseSamples, generator, openDevice, type Device } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import { loadRule } from "../src/cli/rules.js";
import { entrant } from "../src/leaderboard/entrants.js";
import { builtIn } from "../src/study/built-in-rules.js";
import type { RuleOption } from "../src/study/rule-option.js";

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

describe("built-in rules on command lines", () => {
  it("have a name each", () => {
    expect(Object.keys(options).map(nameOf).sort()).toEqual([...builtIn.keys()].sort());
  });

  it.each(Object.entries(options))(
    "take every option of %s, of the study and of the leaderboard",
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
      }
      device.dispose();
    },
  );
});
