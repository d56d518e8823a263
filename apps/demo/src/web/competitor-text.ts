import { codedError } from "@robgrad/tensor";
import { readRuleText, ruleOptions, type RuleOptions, type RuleText } from "../study/rule-text.js";
import type { Grouping } from "../study/settings.js";

/** A rule of one's own, by its influence function ψ or its loss ρ. */
export interface FormulaText {
  readonly kind: "psi" | "rho";
  readonly formula: string;
  /** a: beyond ±a, ψ keeps the value that it has there; null for nowhere. */
  readonly on: number | null;
  /** False where ψ may grow without bound. */
  readonly bounded: boolean;
  /** What ψ acts on: every coordinate's deviations, or the norms of gradients. */
  readonly of: "coordinates" | "norms";
  /** The unit of what ψ acts on, in that of the gradient; "mad" for every coordinate's own deviation. */
  readonly scale: number | "mad";
  /** Which parameters have one norm together. */
  readonly group: Grouping;
}

/** Most characters of a formula. */
export const longestFormula = 1000;

/**
 * Reads how a competitor is written: `rule[:option=value,…][@group]`, `psi(formula)[:option=value,…][@group]` or
 * `rho(formula)…`. Options of a formula are those of {@link FormulaText}. The group is `all` unless given.
 *
 * @throws   BAD_ARGUMENT for anything else.
 * @example  readCompetitor("norm-clip:maxNorm=2@layer").group   // "layer"
 */
export function readCompetitor(text: string): (RuleText & { readonly kind: "rule" }) | FormulaText {
  const [, kind, formula, list, group = "all"] =
    /^(psi|rho)\((.+)\)(?::([\w=.,+-]+))?(?:@(all|layer|parameter))?$/.exec(text) ?? [];
  if (formula !== undefined)
    return formulaText(text, kind as FormulaText["kind"], formula, ruleOptions("rules", list), group as Grouping);
  const rule = readRuleText("rules", text);
  if (rule === null) throw unreadable(text);
  return { kind: "rule", ...rule };
}

/**
 * A rule of one's own as `readCompetitor` reads it.
 *
 * @example  writeFormula({ kind: "psi", formula: "x", on: 2, bounded: true, of: "norms", scale: 1, group: "all" })   // "psi(x):on=2,of=norms,scale=1@all"
 */
export function writeFormula({ kind, formula, on, bounded, of, scale, group }: FormulaText): string {
  const options = [
    ...(on === null ? [] : [`on=${on}`]),
    ...(bounded ? [] : ["bounded=no"]),
    ...(of === "norms" ? [`of=norms,scale=${scale}`] : scale === "mad" ? [] : [`scale=${scale}`]),
  ];
  return `${kind}(${formula})${options.length === 0 ? "" : `:${options.join(",")}`}@${group}`;
}

function formulaText(
  text: string,
  kind: FormulaText["kind"],
  formula: string,
  options: RuleOptions,
  group: Grouping,
): FormulaText {
  const { on = null, bounded = "yes", of = "coordinates", scale, ...strange } = options;
  const unit = scale ?? (of === "norms" ? 1 : "mad");
  const good =
    Object.keys(strange).length === 0 &&
    formula.length <= longestFormula &&
    (on === null || isLength(on)) &&
    (bounded === "yes" || bounded === "no") &&
    (of === "coordinates" || of === "norms") &&
    (isLength(unit) || (unit === "mad" && of === "coordinates"));
  if (!good) throw unreadable(text);
  return {
    kind,
    formula,
    on: on as number | null,
    bounded: bounded === "yes",
    of: of as FormulaText["of"],
    scale: unit as number | "mad",
    group,
  };
}

const isLength = (value: unknown): boolean => typeof value === "number" && value > 0 && value < Infinity;

const unreadable = (text: string) =>
  codedError(
    "BAD_ARGUMENT",
    `rules: expected rule:option=value@group, psi(formula)@group or rho(formula)@group, found ${JSON.stringify(text)}`,
  );
