import { concat, denseSamples, where, type Tensor } from "@robgrad/tensor";
import { checkAggregator, type Aggregator } from "../aggregator.js";
import { checkOption, isNatural } from "../option.js";

/** A rule to be attacked, and how its weakest point is looked for. */
export interface OptimalAttackOptions {
  /** The rule, with its steps: `compose(…)`. */
  readonly rule: Aggregator;
  /** How often the rule is asked, ≥ 1. */
  readonly evaluations?: number;
  /** First factor. */
  readonly start?: number;
  /** First step, ≠ 0. */
  readonly delta?: number;
  /** What a step shrinks by, in (1/2, 1). */
  readonly ratio?: number;
}

/** Throws BAD_ARGUMENT for options out of range, BAD_PLUGIN for what is no rule. */
export function checkSearch(name: string, { rule, ...options }: OptimalAttackOptions): Required<OptimalAttackOptions> {
  checkAggregator(name, rule);
  const { evaluations = 20, start = 0, delta = 10, ratio = 0.8 } = options;
  checkOption(name, "evaluations", evaluations, isNatural(evaluations), "to be a whole number ≥ 1");
  checkOption(name, "start", start, Number.isFinite(start), "to be finite");
  checkOption(name, "delta", delta, Number.isFinite(delta) && delta !== 0, "to be finite and ≠ 0");
  checkOption(name, "ratio", ratio, ratio > 0.5 && ratio < 1, "in (0.5, 1)");
  return { rule, evaluations, start, delta, ratio };
}

/**
 * The factor for which the rule's answer is farthest from the honest mean, by ByzFL's search on a line: steps double
 * while they help, then shrink. Nothing waits: what was found so far stays on the device.
 */
export function worstFactor(
  honest: Tensor,
  count: number,
  hostileRow: (factor: Tensor) => Tensor,
  { rule, evaluations, start, delta, ratio }: Required<OptimalAttackOptions>,
): Tensor {
  const { device, dtype } = honest;
  const [, features] = honest.shape as readonly [number, number];
  const mean = honest.mean({ axis: 0 });
  const distance = (factor: Tensor) => {
    const hostile = hostileRow(factor).reshape([1, features]).broadcastTo([count, features]);
    const answer = rule(denseSamples(count === 0 ? honest : concat([honest, hostile])));
    return answer.sub(mean).square().sum();
  };
  let best = device.full([], start, { dtype });
  let most = distance(best);
  let step = device.full([], delta, { dtype });
  let expanding = device.full([], 1, { dtype });
  for (let k = 1; k < evaluations; k++) {
    const tried = best.add(step);
    const found = distance(tried);
    const better = found.greater(most);
    best = where(better, tried, best);
    most = where(better, found, most);
    expanding = where(better, expanding, 0);
    step = step.mul(expanding.mul(2 - ratio).add(ratio));
  }
  return best;
}
