import { codedError, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkAggregator, defineAggregator, describe, type Aggregator } from "./aggregator.js";
import { isPreAggregator, type PreAggregator } from "./pre-aggregator.js";

/**
 * A rule behind one step or several: they change the rows, the rule combines what comes out.
 *
 * The group and the memory are the rule's. What the steps do is linear in the rows once it is chosen, so weights of the
 * rule become weights of the samples, and nothing of size N × D is formed.
 *
 * @param steps  Steps in the order in which they act, then the rule.
 * @returns      Aggregator, [N, D] → [D].
 * @throws       BAD_ARGUMENT without a step, BAD_PLUGIN for what is no step or no rule.
 * @see          S. Karimireddy, L. He, M. Jaggi (2022), Byzantine-robust learning on heterogeneous datasets via
 *               bucketing, Algorithm 1; Y. Allouah et al. (2023), Fixing by mixing, §4.
 * @example      compose(bucketing({ size: 2 }), median())(gradients)
 */
export function compose(...steps: readonly [...PreAggregator[], Aggregator]): Aggregator {
  const before = steps.slice(0, -1) as unknown as readonly PreAggregator[];
  const rule = steps[steps.length - 1];
  if (before.length === 0) throw codedError("BAD_ARGUMENT", "compose: expected at least one step before the rule");
  checkAggregator("compose", rule);
  for (const step of before) {
    if (!isPreAggregator(step)) {
      throw codedError(
        "BAD_PLUGIN",
        `compose: expected steps such as bucketing() before the rule, found ${describe(step)}`,
      );
    }
  }
  const prepared = (gradients: SampleMatrix) => {
    let samples = gradients;
    const spreads: ((weights: Tensor) => Tensor)[] = [];
    for (const step of before) {
      const next = step(samples);
      samples = next.samples;
      spreads.unshift(next.spread);
    }
    return { samples, spread: (weights: Tensor) => spreads.reduce((w, spread) => spread(w), weights) };
  };
  const own = rule.weights;
  const label = steps.map((step) => step.label).join(", ");
  if (own === undefined) {
    return defineAggregator(label, (g, memory) => rule(prepared(g).samples, memory));
  }
  const weights = (g: SampleMatrix): Tensor => {
    const { samples, spread } = prepared(g);
    return spread(own(samples));
  };
  return defineAggregator(label, (g, memory) => rule(prepared(g).samples, memory), { weights });
}
