import { codedError } from "@robgrad/tensor";
import type { Grouping } from "../study/settings.js";

/** A built-in rule with its options. */
export interface RuleText {
  readonly kind: "rule";
  readonly rule: string;
  readonly options: Readonly<Record<string, number | string>>;
  readonly group: Grouping;
}

/** A rule of one's own, by its influence function ψ or its loss ρ. */
export interface FormulaText {
  readonly kind: "psi" | "rho";
  readonly formula: string;
  readonly group: Grouping;
}

/**
 * Reads how a competitor is written: `rule[:option=value,…][@group]`, `psi(formula)[@group]` or `rho(formula)[@group]`.
 * The group is `all` unless given.
 *
 * @throws   BAD_ARGUMENT for anything else.
 * @example  readCompetitor("norm-clip:maxNorm=2@layer").group   // "layer"
 */
export function readCompetitor(text: string): RuleText | FormulaText {
  const [, body = "", group = "all"] = /^(.*?)(?:@(all|layer|parameter))?$/s.exec(text) ?? [];
  const formula = /^(psi|rho)\((.+)\)$/s.exec(body);
  if (formula !== null) {
    return { kind: formula[1] as "psi" | "rho", formula: formula[2]!, group: group as Grouping };
  }
  const [, rule = "", list] = /^([a-z-]+)(?::(.+))?$/.exec(body) ?? [];
  const pairs = (list?.split(",") ?? []).map((pair) => /^(\w+)=(.+)$/.exec(pair));
  if (rule === "" || pairs.includes(null)) {
    throw codedError("BAD_ARGUMENT", `rules: expected rule:option=value@group, found ${JSON.stringify(text)}`);
  }
  const options = Object.fromEntries(
    pairs.map((pair) => [pair![1]!, Number.isNaN(Number(pair![2])) ? pair![2]! : Number(pair![2])]),
  );
  return { kind: "rule", rule, options, group: group as Grouping };
}
