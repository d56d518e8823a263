import { ruleOptions, type RuleOptions } from "../study/rule-text.js";
import { asked, usageFailure } from "./failure.js";

/** A rule as `--aggregator` names it. */
export interface RuleSpecifier {
  /** Built-in name, package, or path. */
  readonly source: string;
  /** Name of an export; null for the default one. */
  readonly exported: string | null;
  readonly options: RuleOptions;
}

/**
 * Reads `source[#export][:name=value,…]`: `trimmed-mean:fraction=0.2`, `./my-rule.js#krum:byzantine=3`, `some-package`.
 * Values are numbers, `true`, `false`, or else text.
 */
export function parseRuleSpecifier(text: string): RuleSpecifier {
  const match = /^(?<source>[^#]*?)(?:#(?<exported>[^:#]*))?(?::(?<options>[^:=,\s]+=[^:]*))?$/.exec(text);
  const { source = "", exported, options } = match?.groups ?? {};
  const drive = /^[A-Za-z]:[\\/]/.test(source);
  if (source === "" || exported === "" || source.includes(":", drive ? 2 : 0)) {
    throw usageFailure(`--aggregator: expected source[#export][:name=value,…], found ${JSON.stringify(text)}`);
  }
  return {
    source,
    exported: exported ?? null,
    options: asked(() => ruleOptions(`--aggregator ${text}`, options)),
  };
}
