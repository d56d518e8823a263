import type { Tensor } from "@robgrad/tensor";
import { attack, deviation, type Attack } from "./attack.js";
import { checkSearch, worstFactor, type OptimalAttackOptions } from "./worst-factor.js";

/**
 * A little is enough with the factor that harms a rule most (Opt-ALIE).
 *
 *   b = ḡ + τ s,   τ by a line search for the largest ‖A(g, b, …, b) − ḡ‖
 *
 * @param options  `rule`, and the line search: `evaluations`, `start`, `delta`, `ratio`.
 * @returns        Attack, [H, D] → [count, D].
 * @throws         BAD_PLUGIN for what is no rule, BAD_ARGUMENT when an option is out of range.
 * @see            ByzFL, Optimal_ALittleIsEnough; Y. Allouah et al. (2023), Fixing by mixing, §6.
 * @example        await optimalALittleIsEnough({ rule: median() })(honest, 2).toArray()
 */
export function optimalALittleIsEnough(options: OptimalAttackOptions): Attack {
  const search = checkSearch("optimalALittleIsEnough", options);
  return attack("Optimal_ALittleIsEnough", (honest, count) => {
    const [mean, spread] = [honest.mean({ axis: 0 }), deviation(honest)];
    const row = (tau: Tensor) => mean.add(spread.mul(tau));
    return row(worstFactor(honest, count, row, search));
  });
}
