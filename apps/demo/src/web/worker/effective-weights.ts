import type { Aggregator } from "@robgrad/aggregators";
import type { Parameter } from "@robgrad/nn";
import { concatenated, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import type { Combination } from "../../study/variants.js";

/**
 * How much of every sample counts in a step, 1 as in the mean.
 *
 *   N wₙ            for a rule that is a weighted sum Σ wₙ gₙ
 *   mean of ψ(z)/z  over coordinates, for a rule with an influence function
 *
 * Several groups of parameters are averaged over their coordinates, so that a rule on one layer of three leaves a sample
 * at least the share of the others.
 *
 * @param gradients  As `sampleGradients` makes them.
 * @returns          [N]; null when a rule tells neither weights nor residuals.
 * @example          const weights = effectiveWeights(gradients, variant.on(network));
 */
export function effectiveWeights(
  gradients: ReadonlyMap<Parameter, SampleMatrix>,
  { rule, group }: Combination,
): Tensor | null {
  const groups = new Map<unknown, { readonly own: Aggregator; readonly parts: SampleMatrix[] }>();
  for (const [parameter, matrix] of gradients) {
    const key = group(parameter);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { own: rule.choose(parameter), parts: [matrix] });
    else known.parts.push(matrix);
  }
  let total: Tensor | null = null;
  let features = 0;
  for (const { own, parts } of groups.values()) {
    const matrix = parts.length === 1 ? parts[0]! : concatenated(parts);
    const weights = own.weights?.(matrix).mul(matrix.samples) ?? keptShares(own, matrix);
    if (weights === null) return null;
    const part: Tensor = weights.mul(matrix.features);
    total = total === null ? part : total.add(part);
    features += matrix.features;
  }
  return total?.div(features) ?? null;
}

/** The mean over coordinates of ψ(z)/z, 1 where z = 0. */
function keptShares({ residuals }: Aggregator, matrix: SampleMatrix): Tensor | null {
  if (residuals === undefined) return null;
  const { center, scale, influence } = residuals(matrix);
  const spread = scale.greater(0);
  const z = where(
    spread,
    matrix
      .rows()
      .sub(center)
      .div(where(spread, scale, 1)),
    0,
  );
  return z.map((u) => where(u.equal(0), 1, where(u.equal(0), 1, u).reciprocal().mul(influence(u)))).mean({ axis: 1 });
}
