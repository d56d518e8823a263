import { codedError } from "@robgrad/tensor";
import type { Grouping } from "./settings.js";

/** What a rule's option can be where it is written. */
export type RuleOption = number | boolean | string;

export type RuleOptions = Readonly<Record<string, RuleOption>>;

/** A rule by its name, with its options. */
export interface RuleText {
  readonly rule: string;
  readonly options: RuleOptions;
  readonly group: Grouping;
}

/**
 * Reads `rule[:option=value,…][@group]`; the group is `all` unless given.
 *
 * @param subject  What the text is, as errors say it first.
 * @returns        null for a text of another form.
 * @throws         BAD_ARGUMENT for options that `ruleOptions` does not read.
 * @example        readRuleText("--rules", "norm-clip:maxNorm=2@layer")   // { rule: "norm-clip", options: { maxNorm: 2 }, group: "layer" }
 */
export function readRuleText(subject: string, text: string): RuleText | null {
  const [, rule, list, group = "all"] = /^([a-z0-9, -]+)(?::([^@]+))?(?:@(all|layer|parameter))?$/.exec(text) ?? [];
  return rule === undefined ? null : { rule, options: ruleOptions(subject, list), group: group as Grouping };
}

/**
 * Reads `name=value,…`. Values are `true`, `false`, numbers, or else text.
 *
 * @param subject  What has the options, as errors say it first.
 * @param list     undefined for none.
 * @throws         BAD_ARGUMENT for another text.
 * @example        ruleOptions("--rules", "maxNorm=1e-3")   // { maxNorm: 0.001 }
 */
export function ruleOptions(subject: string, list: string | undefined): RuleOptions {
  const pairs = (list?.split(",") ?? []).map((pair): [string, RuleOption] => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.+)$/.exec(pair.trim()) ?? [];
    if (name === undefined || value === undefined) {
      throw codedError("BAD_ARGUMENT", `${subject}: expected options as name=value, found ${JSON.stringify(pair)}`);
    }
    return [name, valueOf(value)];
  });
  return Object.fromEntries(pairs);
}

function valueOf(text: string): RuleOption {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
