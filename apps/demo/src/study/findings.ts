import { estimate, pairedDifference, type Estimate } from "./estimate.js";
import { finalErrors } from "./summary.js";
import type { StudyResult } from "./study-result.js";
import type { VariantName } from "./variants.js";

/** What the gain of the published method is made of, in final test error. */
export interface PublishedGain {
  /** vanilla − published. */
  readonly gain: Estimate;
  /** vanilla − step-matched control: what the smaller step of layer 1 does without any rule. */
  readonly byStepSize: Estimate;
  /** step-matched control − published: what the rule adds to it. */
  readonly byRule: Estimate;
  /** byStepSize / gain; null unless the gain's interval lies above 0. */
  readonly share: Estimate | null;
}

/**
 * Divides the published gain into step size and rule.
 *
 *   gain = (vanilla − control) + (control − published),   share = (vanilla − control) / gain
 *
 * The published code passes gradients divided by N to its rule, so that layer 1 also moves N times slower. The control
 * has that slower step and the plain mean. Differences are paired over trials; the share is a ratio of means, whose
 * error is that of its linearization.
 *
 * @returns  null unless all three variants took part in a finished trial.
 * @example  const share = publishedGain(study)?.share;
 */
export function publishedGain(study: Pick<StudyResult, "variants" | "trials">): PublishedGain | null {
  const [vanilla, published, control] = (["vanilla", "published", "step-matched-control"] as const).map((name) =>
    testErrors(study, name),
  );
  if (!vanilla || !published || !control) return null;
  const gain = pairedDifference(vanilla, published);
  const byStepSize = pairedDifference(vanilla, control);
  const byRule = pairedDifference(control, published);
  if (!(gain.interval[0] > 0)) return { gain, byStepSize, byRule, share: null };
  const ratio = byStepSize.mean / gain.mean;
  const share = estimate(
    vanilla.map((error, k) => ratio + (error - control[k]! - ratio * (error - published[k]!)) / gain.mean),
  );
  return { gain, byStepSize, byRule, share };
}

/**
 * What a study shows, in words, with numbers computed from its trials.
 *
 * @returns  Paragraphs of plain text; the first answers how much of the published gain is step size.
 * @example  console.log(findings(study).join("\n\n"));
 */
export function findings(study: StudyResult): string[] {
  if (study.trials.length === 0) return ["No trial is finished."];
  return Object.values(findingsByQuestion(study)).filter((paragraph) => paragraph !== null);
}

/** What a study shows, by what is asked; null where its variants do not answer. */
export interface FindingsByQuestion {
  /** How much of the published gain is step size? */
  readonly stepSize: string | null;
  /** What does the published rule do at the step size of the other layers? */
  readonly equalScale: string | null;
  /** What do rules on all layers do? */
  readonly allLayers: string | null;
  /** How far do these numbers carry? */
  readonly caution: string;
}

/**
 * The paragraphs of `findings`, one a question.
 *
 * @param study  With one finished trial at least.
 * @example      const { stepSize } = findingsByQuestion(study);
 */
export function findingsByQuestion(study: StudyResult): FindingsByQuestion {
  return {
    stepSize: stepSizeFinding(study),
    equalScale: equalScaleFinding(study),
    allLayers: allLayersFinding(study),
    caution: caution(study),
  };
}

function stepSizeFinding(study: StudyResult): string | null {
  const parts = publishedGain(study);
  if (parts === null) return null;
  const { gain, byStepSize, byRule, share } = parts;
  if (share === null) {
    return `In this run the published method changes the final test error by ${signed(-gain.mean)} against vanilla${between(gain, -1)}. That is not clearly an improvement, so this run cannot say how much of a gain is step size. More trials decide it.`;
  }
  const [low, high] = share.interval;
  const verdict =
    share.mean >= 1
      ? "All of the published gain is step size"
      : `${percent(share.mean)} % of the published gain is step size (95 % interval ${percent(low)} to ${percent(high)} %)`;
  return `${verdict}. The published method lowers the final test error by ${number(gain.mean)} against vanilla${between(gain)}. Its first layer, however, also moves ${study.samples.train} times slower, because its gradients are divided by N before they reach the rule. The step-matched control has the same slow first layer and the plain mean: it alone lowers the error by ${number(byStepSize.mean)}${between(byStepSize)}. What the rule adds to that is ${number(byRule.mean)}${between(byRule)}.`;
}

function equalScaleFinding(study: StudyResult): string | null {
  const [vanilla, equalScale] = [testErrors(study, "vanilla"), testErrors(study, "soft-truncation-equal-scale")];
  if (!vanilla || !equalScale) return null;
  const gain = pairedDifference(vanilla, equalScale);
  return `The same rule at the step size of the other layers (soft truncation, equal scale) changes the error by ${signed(-gain.mean)} against vanilla${between(gain, -1)}.`;
}

function allLayersFinding(study: StudyResult): string | null {
  const vanilla = testErrors(study, "vanilla");
  const rules = (["median-of-means-by-layer", "median-of-means-jointly"] as const).flatMap((name) => {
    const errors = testErrors(study, name);
    const label = study.variants.find((variant) => variant.name === name)?.label;
    return vanilla && errors && label ? [{ label, gain: pairedDifference(vanilla, errors) }] : [];
  });
  if (rules.length === 0) return null;
  const each = rules.map(({ label, gain }) => `the ${label} by ${signed(-gain.mean)}${between(gain, -1)}`);
  return `Rules that act on all layers at the ordinary step size change the error against vanilla too: ${each.join("; ")}.`;
}

function caution({ trials, settings }: StudyResult): string {
  const count = trials.length;
  const advice = "run 100 or more before you rely on an order.";
  const enough =
    count >= 100
      ? `${count} trials are enough to order variants whose intervals are apart.`
      : count >= 20
        ? `${count} trials reproduce the published figure but do not decide close questions: ${advice}`
        : `${count} trial${count === 1 ? " decides" : "s decide"} nothing: ${advice}`;
  return `Outcomes are bimodal: a trial ends near 0.05 or near 0.7, seldom between, so that a mean is mostly the share of trials that failed. ${enough} Displaced inputs (here ${Math.ceil(settings.fraction * 100 - 1e-9)} of 100, factor ${settings.factor.toLocaleString("en")}) are one kind of bad data among many; no row of the table says which rule is best for another kind.`;
}

function testErrors(study: Pick<StudyResult, "variants" | "trials">, name: VariantName): number[] | null {
  const takesPart = study.trials.length > 0 && study.variants.some((variant) => variant.name === name);
  return takesPart ? finalErrors(study, name).test : null;
}

const percent = (share: number) => Math.round(100 * Math.min(1, Math.max(0, share)));
const number = (value: number) => value.toFixed(3).replace(/^-/, "−");
const signed = (value: number) => (value < 0 ? number(value) : `+${number(value)}`);

/** The interval in brackets; `sign` −1 turns a gain into a change. */
function between({ interval: [low, high] }: Estimate, sign: 1 | -1 = 1): string {
  if (!Number.isFinite(low)) return "";
  const [from, to] = sign === 1 ? [low, high] : [-high, -low];
  return ` (95 % interval ${number(from)} to ${number(to)})`;
}
