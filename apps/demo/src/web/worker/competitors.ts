import { isAggregator, mEstimator, type Aggregator } from "@robgrad/aggregators";
import { codedError } from "@robgrad/tensor";
import { builtIn } from "../../study/built-in-rules.js";
import type { Grouping, StudySettings } from "../../study/settings.js";
import { variantNames, variantsOf, type Variant } from "../../study/variants.js";
import { readCompetitor, type RuleText } from "../competitor-text.js";
import { ruleLabel } from "../rule-choices.js";

/**
 * The variant that a text names: one of the study's, `rule[:option=value,…][@group]`, `psi(formula)[@group]` or
 * `rho(formula)[@group]`. Its name is the text.
 *
 * @throws   Rejects with BAD_ARGUMENT for another text, for options that the rule refuses, and for a formula that is no
 *           influence function.
 * @example  const variant = await competitorOf("norm-clip:maxNorm=2@all", settings);
 */
export async function competitorOf(text: string, { protocol }: Pick<StudySettings, "protocol">): Promise<Variant> {
  const variant = variantNames.find((name) => name === text);
  if (variant !== undefined) return variantsOf({ variants: [variant], protocol, rule: null }, null)[0]!;
  const read = readCompetitor(text);
  const make = read.kind === "rule" ? builtInRule(text, read) : await ruleOfFormula(read.kind, read.formula);
  make();
  const known = read.kind === "rule" ? builtIn.get(read.rule) : undefined;
  return own(text, read.group, make, !(known?.remembers ?? false));
}

/** A rule that is not the study's, on all layers. */
function own(name: string, group: Grouping, make: () => Aggregator, replayable: boolean): Variant {
  const rule = { specifier: name.replace(/@\w+$/, ""), layers: [1, 2, 3], group };
  const [variant] = variantsOf({ variants: [], protocol: "code", rule }, { make, replayable });
  return { ...variant!, name, label: ruleLabel(name) };
}

function builtInRule(text: string, { rule, options }: RuleText): () => Aggregator {
  const known = builtIn.get(rule);
  const strange = Object.keys(options).find((option) => !known?.options.includes(option));
  if (known === undefined || strange !== undefined) {
    const expected = known === undefined ? [...variantNames, ...builtIn.keys()] : known.options;
    throw codedError("BAD_ARGUMENT", `${text}: expected one of ${expected.join(", ")}, found ${strange ?? rule}`);
  }
  return () => {
    const made = known.factory(options);
    if (!isAggregator(made)) throw codedError("BAD_PLUGIN", `${text}: expected the factory to make a rule`);
    return made;
  };
}

/** mathjs is loaded for the first formula. */
async function ruleOfFormula(kind: "psi" | "rho", formula: string): Promise<() => Aggregator> {
  const symbolic = await import("@robgrad/aggregators/symbolic");
  const allowed = { bounded: false, monotone: false };
  const influence = kind === "psi" ? symbolic.influence(formula, allowed) : symbolic.rho(formula, allowed);
  return () => mEstimator({ influence });
}
