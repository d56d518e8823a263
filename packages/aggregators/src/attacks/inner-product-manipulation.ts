import { checkOption, isPositive } from "../option.js";
import { attack, type Attack } from "./attack.js";

/**
 * A multiple of the opposite of the honest mean (IPM, Fall of Empires).
 *
 *   b = −τ ḡ
 *
 * @param tau  τ > 0.
 * @returns    Attack, [H, D] → [count, D].
 * @throws     BAD_ARGUMENT unless τ is positive and finite.
 * @see        ByzFL, InnerProductManipulation; C. Xie et al. (2019), Fall of empires.
 * @example    await innerProductManipulation({ tau: 2 })(honest, 2).toArray()
 */
export function innerProductManipulation({ tau = 2 }: { readonly tau?: number } = {}): Attack {
  checkOption("innerProductManipulation", "tau", tau, isPositive(tau), "> 0 and finite");
  return attack("InnerProductManipulation", (honest) => honest.mean({ axis: 0 }).mul(-tau));
}
