import * as aggregators from "@robgrad/aggregators";
import type { Aggregator } from "@robgrad/aggregators";
import type { RuleOption } from "./rule-option.js";

export type RuleFactory = (options: Readonly<Record<string, RuleOption>>) => unknown;

/** What a factory takes, of the kinds that can be written on a command line. */
type OptionsOf<F> = F extends (options?: infer O) => unknown ? readonly Extract<keyof O, string>[] : never;

function rule<F extends (...options: never[]) => Aggregator>(factory: F, ...options: OptionsOf<F>) {
  return { factory: factory as unknown as RuleFactory, options: options as readonly string[], remembers: false };
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
