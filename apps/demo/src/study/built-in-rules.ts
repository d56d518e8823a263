import * as aggregators from "@robgrad/aggregators";
import type { Aggregator } from "@robgrad/aggregators";
import { codedError, hasCode } from "@robgrad/tensor";
import type { RuleOptions, RuleText } from "./rule-text.js";
import type { RuleSource } from "./variants.js";

/** What a factory takes, of the kinds that can be written on a command line. */
type OptionsOf<F> = F extends (options?: infer O) => unknown ? readonly Extract<keyof O, string>[] : never;

function rule<F extends (...options: never[]) => Aggregator>(factory: F, ...options: OptionsOf<F>) {
  return {
    factory: factory as unknown as (options: RuleOptions) => Aggregator,
    options: options as readonly string[],
    remembers: false,
  };
}

/** Of a rule that keeps something from step to step, and so is made anew for every trial. */
const remembering = <R extends object>(known: R) => ({ ...known, remembers: true });

const weiszfeld = ["tolerance", "maximum", "epsilon", "smoothing"] as const;

/** Rules that go by a name, such as `trimmed-mean` for `trimmedMean`, with the names of their options. */
export const builtIn: ReadonlyMap<string, ReturnType<typeof rule>> = new Map(
  Object.entries({
    mean: rule(aggregators.mean),
    sum: rule(aggregators.sum),
    "soft-truncation": rule(
      aggregators.softTruncation,
      ...(["delta", "correction", "varianceFloor", "center", "spread", "smoothing"] as const),
    ),
    "median-of-means": rule(aggregators.medianOfMeans, "blocks", "center", ...weiszfeld),
    "m-estimator": rule(aggregators.mEstimator, "influence", "scale", "tolerance", "maximum"),
    "geometric-median": rule(aggregators.geometricMedian, ...weiszfeld),
    median: rule(aggregators.median),
    "trimmed-mean": rule(aggregators.trimmedMean, "fraction"),
    "mean-around-median": rule(aggregators.meanAroundMedian, "byzantine"),
    "norm-clip": rule(aggregators.normClip, "maxNorm", "quantile", "automatic"),
    "centered-clip": remembering(rule(aggregators.centeredClip, "maxNorm", "iterations", "momentum")),
    krum: rule(aggregators.krum, "byzantine", "squared"),
    "multi-krum": rule(aggregators.multiKrum, "byzantine", "selected", "squared"),
    bulyan: rule(aggregators.bulyan, "byzantine"),
    "minimum-diameter-averaging": rule(aggregators.minimumDiameterAveraging, "byzantine"),
    smea: rule(aggregators.smea, "byzantine"),
    caf: rule(aggregators.caf, "byzantine"),
    monna: rule(aggregators.monna, "byzantine", "reference"),
    "sign-majority": rule(aggregators.signMajority),
  }),
);

export const builtInRules: readonly string[] = [...builtIn.keys()];

/**
 * Makes a rule of the table, once it has made one.
 *
 * @param subject  Whose name it is, as errors say it first.
 * @param others   What else could have stood in place of the name.
 * @throws         BAD_ARGUMENT for another name, and for options that the rule does not have or refuses.
 * @example        builtInRule("--rules", { rule: "norm-clip", options: { maxNorm: 2 } }).make()
 */
export function builtInRule(
  subject: string,
  { rule, options }: Pick<RuleText, "rule" | "options">,
  others: readonly string[] = [],
): RuleSource {
  const known = builtIn.get(rule);
  if (known === undefined) {
    const expected = [...others, ...builtInRules].join(", ");
    throw codedError("BAD_ARGUMENT", `${subject}: expected one of ${expected}, found ${rule}`);
  }
  const strange = Object.keys(options).find((name) => !known.options.includes(name));
  if (strange !== undefined) {
    const expected = known.options.join(", ") || "none";
    throw codedError("BAD_ARGUMENT", `${subject}: expected options of ${rule} (${expected}), found ${strange}`);
  }
  const make = () => known.factory(options);
  try {
    make();
  } catch (error) {
    if (!hasCode(error)) throw error;
    throw codedError(error.code, `${subject}: ${error.message}`, { cause: error });
  }
  return { make, replayable: !known.remembers };
}
