import type { Aggregator } from "@robgrad/aggregators";
import { builtInRule } from "../../study/built-in-rules.js";
import type { Grouping, StudySettings } from "../../study/settings.js";
import { variantNames, variantsOf, type Variant } from "../../study/variants.js";
import { readCompetitor, type FormulaText } from "../competitor-text.js";
import { ruleLabel } from "../rule-choices.js";
import { formulaRule, influenceOf } from "./formula-rule.js";

/**
 * The variant that a text names: one of the study's, or what `readCompetitor` reads. Its name is the text.
 *
 * @throws   Rejects with BAD_ARGUMENT for another text, for options that the rule refuses, and for a formula that is no
 *           influence function.
 * @example  const variant = await competitorOf("norm-clip:maxNorm=2@all", settings);
 */
export async function competitorOf(text: string, { protocol }: Pick<StudySettings, "protocol">): Promise<Variant> {
  const variant = variantNames.find((name) => name === text);
  if (variant !== undefined) return variantsOf({ variants: [variant], protocol, rule: null }, null)[0]!;
  const read = readCompetitor(text);
  if (read.kind !== "rule") return ofFormula(text, read);
  const { make, replayable } = builtInRule(text, read, variantNames);
  return own(text, read.group, make, replayable);
}

/** A rule that is not the study's, on all layers. */
function own(name: string, group: Grouping, make: () => Aggregator, replayable: boolean): Variant {
  const rule = { specifier: name.replace(/@\w+$/, ""), layers: [1, 2, 3], group };
  const [variant] = variantsOf({ variants: [], protocol: "code", rule }, { make, replayable });
  return { ...variant!, name, label: ruleLabel(name) };
}

async function ofFormula(text: string, read: FormulaText): Promise<Variant> {
  const influence = await influenceOf(read);
  const make = () => formulaRule(influence, read);
  make();
  const { kind, formula, of, scale, group } = read;
  const unit = scale === "mad" ? "their median absolute deviation" : scale;
  const vector = { parameter: "of each parameter", layer: "of each layer", all: "of all parameters as one vector" }[
    group
  ];
  return {
    ...own(text, group, make, true),
    label: `${kind === "psi" ? "ψ" : "ρ"} = ${formula.length > 40 ? `${formula.slice(0, 39)}…` : formula}`,
    meaning:
      of === "norms"
        ? `The mean of gradients that count ψ(r)/r, where r is their norm over ${unit}, ${vector}.`
        : `The M-estimate of every coordinate, with residuals over ${unit}.`,
  };
}
