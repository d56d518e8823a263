import type { Tensor } from "@robgrad/tensor";
import { attack, type Attack } from "./attack.js";
import { checkSearch, worstFactor, type OptimalAttackOptions } from "./worst-factor.js";

/**
 * Inner product manipulation with the factor that harms a rule most (Opt-IPM).
 *
 *   b = −τ ḡ,   τ by a line search for the largest ‖A(g, b, …, b) − ḡ‖
 *
 * @param options  `rule`, and the line search: `evaluations`, `start`, `delta`, `ratio`.
 * @returns        Attack, [H, D] → [count, D].
 * @throws         BAD_PLUGIN for what is no rule, BAD_ARGUMENT when an option is out of range.
 * @see            ByzFL, Optimal_InnerProductManipulation; Y. Allouah et al. (2023), Fixing by mixing, §6.
 * @example        await optimalInnerProductManipulation({ rule: median() })(honest, 2).toArray()
 */
export function optimalInnerProductManipulation(options: OptimalAttackOptions): Attack {
  const search = checkSearch("optimalInnerProductManipulation", options);
  return attack("Optimal_InnerProductManipulation", (honest, count) => {
    const mean = honest.mean({ axis: 0 });
    const row = (tau: Tensor) => mean.mul(tau).neg();
    return row(worstFactor(honest, count, row, search));
  });
}
