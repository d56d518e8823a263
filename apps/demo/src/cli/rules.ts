import * as aggregators from "@robgrad/aggregators";
import { isAggregator, type Aggregator } from "@robgrad/aggregators";
import { resolve as resolvePackage } from "import-meta-resolve";
import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { firstLine, pluginFailure, usageFailure } from "./failure.js";
import { parseRuleSpecifier, type RuleSpecifier } from "./rule-specifier.js";

type RuleFactory = (options: RuleSpecifier["options"]) => unknown;

/** Rules that go by a name, such as `trimmed-mean` for `trimmedMean`. */
const builtIn: ReadonlyMap<string, RuleFactory> = new Map(
  Object.entries({
    mean: aggregators.mean,
    sum: aggregators.sum,
    "soft-truncation": aggregators.softTruncation,
    "median-of-means": aggregators.medianOfMeans,
    "m-estimator": aggregators.mEstimator,
    "geometric-median": aggregators.geometricMedian,
    median: aggregators.median,
    "trimmed-mean": aggregators.trimmedMean,
    "norm-clip": aggregators.normClip,
  } satisfies Record<string, unknown>) as [string, RuleFactory][],
);

export const builtInRules: readonly string[] = [...builtIn.keys()];

/**
 * Finds the rule that `--aggregator` names: a built-in name, a file or a package, seen from `directory`.
 *
 * @returns  Makes the rule anew at every call.
 */
export async function loadRule(text: string, directory: string): Promise<() => Aggregator> {
  const specifier = parseRuleSpecifier(text);
  const factory = builtIn.get(specifier.source);
  if (factory !== undefined && specifier.exported === null)
    return maker(text, factory, specifier.options, usageFailure);
  const location = locate(specifier.source, directory);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(location)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw pluginFailure(text, error);
  }
  const name = specifier.exported ?? "default";
  if (!(name in module)) {
    const found = Object.keys(module).join(", ") || "none";
    throw pluginFailure(
      text,
      new Error(`expected ${name === "default" ? "a default export" : `an export ${name}`}, found ${found}`),
    );
  }
  return maker(text, module[name], specifier.options, (message) =>
    pluginFailure(text, message.slice(`--aggregator ${text}: `.length)),
  );
}

/** The address of a plugin; a path is one that starts with a dot or a slash or ends like a script. */
function locate(source: string, directory: string): string {
  if (source.startsWith(".") || isAbsolute(source) || /\.[cm]?js$/.test(source)) {
    const file = resolve(directory, source);
    if (!existsSync(file) || !statSync(file).isFile())
      throw usageFailure(`--aggregator ${source}: expected a file, found none at ${file}`);
    return pathToFileURL(file).href;
  }
  try {
    return resolvePackage(source, pathToFileURL(join(directory, "package.json")).href);
  } catch {
    const known = builtInRules.join(", ");
    throw usageFailure(
      `--aggregator ${source}: expected one of ${known}, a package installed in ${directory}, or a file such as ./rule.js`,
    );
  }
}

function maker(
  text: string,
  exported: unknown,
  options: RuleSpecifier["options"],
  failure: (message: string) => Error,
): () => Aggregator {
  const make = (): Aggregator => {
    if (isAggregator(exported)) return exported;
    let made: unknown = exported;
    if (typeof exported === "function") {
      try {
        made = (exported as RuleFactory)(options);
      } catch (error) {
        throw failure(`--aggregator ${text}: ${firstLine(error)}`);
      }
    }
    if (isAggregator(made)) return made;
    const found = typeof exported === "function" ? "a bare function that does not return one" : typeof exported;
    throw failure(
      `--aggregator ${text}: expected a rule made by defineAggregator, or a function that returns one, found ${found}`,
    );
  };
  make();
  return make;
}
