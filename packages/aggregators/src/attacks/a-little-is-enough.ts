import { checkOption } from "../option.js";
import { attack, deviation, type Attack } from "./attack.js";

/**
 * The honest mean, moved by so little that it hides among the honest gradients (ALIE).
 *
 *   b = ḡ + τ s,   s the standard deviation of every coordinate
 *
 * @param tau  τ.
 * @returns    Attack, [H, D] → [count, D].
 * @throws     BAD_ARGUMENT unless τ is finite.
 * @see        ByzFL, ALittleIsEnough (its code divides by H − 1); M. Baruch, G. Baruch, Y. Goldberg (2019), A little is
 *             enough: circumventing defenses for distributed learning.
 * @example    await aLittleIsEnough({ tau: 1.5 })(honest, 2).toArray()
 */
export function aLittleIsEnough({ tau = 1.5 }: { readonly tau?: number } = {}): Attack {
  checkOption("aLittleIsEnough", "tau", tau, Number.isFinite(tau), "to be finite");
  return attack("ALittleIsEnough", (honest) => honest.mean({ axis: 0 }).add(deviation(honest).mul(tau)));
}
