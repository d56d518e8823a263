import {
  adaptiveRobustClipping,
  bucketing,
  bulyan,
  caf,
  compose,
  krum,
  mean,
  minimumDiameterAveraging,
  multiKrum,
  nearestNeighborMixing,
  smea,
  trimmedMean,
  type Aggregator,
} from "@robgrad/aggregators";
import { codedError } from "@robgrad/tensor";
import { builtInRule, builtInRules } from "../study/built-in-rules.js";
import { readRuleText, type RuleOptions } from "../study/rule-text.js";
import type { Grouping } from "../study/settings.js";
import { batch } from "./tasks.js";

/** A rule as it takes part: with all its settings, which are the same in every cell. */
export interface Entrant {
  /** One of `entrantNames`, or as it was given. */
  readonly name: string;
  readonly group: Grouping;
  /** Whether the rule keeps something from step to step, and so is made anew for every trial. */
  readonly remembers: boolean;
  /** Times the task's step size. */
  readonly stepScale: number;
  readonly make: () => Aggregator;
}

/** Hostile rows that rules are told of: the most that Bulyan's 4f + 3 leaves room for among the rows of a step. */
export const byzantine = Math.floor((batch - 3) / 4);

/** Settings with which built-in rules take part; a rule that is not here takes its defaults. */
const settings: Readonly<Record<string, readonly RuleOptions[]>> = {
  // The mean at N times the step.
  sum: [],
  "soft-truncation": [{}, { center: "median", spread: "mad" }],
  "trimmed-mean": [{ fraction: byzantine / batch }],
  "mean-around-median": [{ byzantine }],
  "norm-clip": [{ maxNorm: 1 }, { maxNorm: 2 }, { maxNorm: 4 }, { quantile: 0.5 }, { automatic: 0.01 }],
  monna: [{ byzantine }],
  // Behind means of a few rows, below.
  krum: [],
  "multi-krum": [],
  bulyan: [],
  "minimum-diameter-averaging": [],
  smea: [],
  caf: [],
};

/** Rules behind steps. Those that choose among all subsets take means of a few rows: 50 have too many of them. */
const composed: ReadonlyMap<string, () => Aggregator> = new Map(
  Object.entries({
    "means of 2, krum": () => compose(bucketing({ size: 2 }), krum({ byzantine: 10 })),
    "means of 2, multi-krum": () => compose(bucketing({ size: 2 }), multiKrum({ byzantine: 10 })),
    "means of 2, nearest-neighbor-mixing, trimmed-mean": () =>
      compose(bucketing({ size: 2 }), nearestNeighborMixing({ byzantine: 10 }), trimmedMean({ fraction: 0.4 })),
    "means of 5, bulyan": () => compose(bucketing({ size: 5 }), bulyan({ byzantine: 1 })),
    "means of 5, minimum-diameter-averaging": () =>
      compose(bucketing({ size: 5 }), minimumDiameterAveraging({ byzantine: 4 })),
    "means of 5, caf": () => compose(bucketing({ size: 5 }), caf({ byzantine: 4 })),
    "means of 10, smea": () => compose(bucketing({ size: 10 }), smea({ byzantine: 2 })),
    "adaptive-robust-clipping, mean": () => compose(adaptiveRobustClipping({ byzantine }), mean()),
  }),
);

/** A sign has length 1 in every coordinate. */
const stepScales: Readonly<Record<string, number>> = { "sign-majority": 0.01 };

/** Every built-in rule, with settings fixed once for all cells. */
export const entrantNames: readonly string[] = [
  ...builtInRules.flatMap((rule) => (settings[rule] ?? [{}]).map((options) => specifier(rule, options))),
  ...composed.keys(),
];

/**
 * The rule of a name: one of `entrantNames`, or a built-in rule as `rule[:option=value,…]`; with `@layer` or
 * `@parameter` behind it, it sees each layer or parameter by itself, and all parameters as one vector without.
 *
 * @throws   BAD_ARGUMENT for another name, and for options that the rule refuses.
 * @example  entrant("norm-clip:maxNorm=2@layer")
 */
export function entrant(name: string): Entrant {
  const read = readRuleText(`--rules ${name}`, name);
  if (read === null) {
    throw codedError("BAD_ARGUMENT", `--rules: expected rule:option=value@group, found ${JSON.stringify(name)}`);
  }
  const { rule, options, group } = read;
  const fixed = Object.keys(options).length === 0 ? composed.get(rule) : undefined;
  const others = [...composed.keys()].map((other) => JSON.stringify(other));
  const { make, replayable } =
    fixed === undefined ? builtInRule(`--rules ${name}`, read, others) : { make: fixed, replayable: true };
  return { name, group, remembers: !replayable, stepScale: stepScales[rule] ?? 1, make };
}

function specifier(rule: string, options: RuleOptions): string {
  const pairs = Object.entries(options).map(([option, value]) => `${option}=${value}`);
  return pairs.length === 0 ? rule : `${rule}:${pairs.join(",")}`;
}
