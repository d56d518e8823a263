import { defineAggregator, mEstimator, type Aggregator } from "@robgrad/aggregators";
import type { SymbolicInfluence } from "@robgrad/aggregators/symbolic";
import { where, type SampleMatrix, type ScalarFunction } from "@robgrad/tensor";
import type { FormulaText } from "../competitor-text.js";

/**
 * ψ of a formula, with what is known of it. mathjs is loaded for the first one.
 *
 * @throws  Rejects with BAD_ARGUMENT for a formula that cannot be read, is not odd, has another slope at 0 than 1 or leaves
 *          float32; and for one that grows without bound, where it is to be bounded. One that comes back to 0 is let pass.
 */
export async function influenceOf({ kind, formula, on, bounded }: FormulaText): Promise<SymbolicInfluence> {
  const { influence, rho } = await import("@robgrad/aggregators/symbolic");
  const options = { bounded, monotone: false, ...(on === null ? {} : { on: [-on, on] as const }) };
  return kind === "psi" ? influence(formula, options) : rho(formula, options);
}

/** The rule of a formula. */
export function formulaRule(influence: ScalarFunction, { of, scale }: FormulaText): Aggregator {
  return of === "norms" ? normWeighted(influence, scale as number) : mEstimator({ influence, scale });
}

/**
 * The mean of gradients that count by their norms; Huber's ψ makes norm clipping of it.
 *
 *   x̂ = (1/N) Σₙ gₙ ψ(rₙ)/rₙ,   rₙ = ‖gₙ‖/scale
 */
function normWeighted(psi: ScalarFunction, scale: number): Aggregator {
  const weights = (gradients: SampleMatrix) =>
    gradients.squaredNorms().map((squared) => {
      const r = squared.sqrt().mul(1 / scale);
      const none = r.equal(0);
      return where(none, 1, where(none, 1, r).reciprocal().mul(psi(r))).mul(1 / gradients.samples);
    });
  return defineAggregator("psi-of-norms", (gradients) => gradients.combine(weights(gradients)), { weights });
}
