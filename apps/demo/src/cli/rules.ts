import { isAggregator, type Aggregator } from "@robgrad/aggregators";
import { resolve as resolvePackage } from "import-meta-resolve";
import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { builtInRule, builtInRules } from "../study/built-in-rules.js";
import type { RuleOptions } from "../study/rule-text.js";
import type { RuleSource } from "../study/variants.js";
import { asked, firstLine, pluginFailure, usageFailure } from "./failure.js";
import { parseRuleSpecifier } from "./rule-specifier.js";

/** Finds the rule that `--aggregator` names: a built-in name, a file or a package, seen from `directory`. */
export async function loadRule(text: string, directory: string): Promise<RuleSource> {
  const { source, exported, options } = parseRuleSpecifier(text);
  if (exported === null && builtInRules.includes(source)) {
    return asked(() => builtInRule(`--aggregator ${text}`, { rule: source, options }));
  }
  const location = locate(source, directory);
  const fail = (error: unknown) => pluginFailure(text, error);
  const module = await load(location).catch((error: unknown) => Promise.reject(fail(error)));
  return { make: tried(() => ruleFrom(module, exported ?? "default", options), fail), replayable: false };
}

/** The maker, once it has made a rule; its errors are turned into failures. */
function tried(make: () => Aggregator, fail: (error: unknown) => Error): () => Aggregator {
  const guarded = () => {
    try {
      return make();
    } catch (error) {
      throw fail(error);
    }
  };
  guarded();
  return guarded;
}

const load = async (location: string) => (await import(location)) as Readonly<Record<string, unknown>>;

const wanted = "expected a rule made by defineAggregator, or a function of options that returns one";

function ruleFrom(module: Readonly<Record<string, unknown>>, name: string, options: RuleOptions): Aggregator {
  if (!(name in module)) {
    const found = Object.keys(module).join(", ") || "none";
    throw new TypeError(`expected ${name === "default" ? "a default export" : `an export ${name}`}, found ${found}`);
  }
  const exported = module[name];
  if (isAggregator(exported)) return exported;
  if (typeof exported !== "function") throw new TypeError(`${wanted}, found ${typeof exported}`);
  let answer: unknown;
  try {
    answer = (exported as (options: RuleOptions) => unknown)(options);
  } catch (error) {
    throw new TypeError(`${wanted}, found one that throws: ${firstLine(error)}`, { cause: error });
  }
  return made(answer);
}

function made(answer: unknown): Aggregator {
  if (isAggregator(answer)) return answer;
  throw new TypeError(`${wanted}, found one that returns ${answer === null ? "null" : typeof answer}`);
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
