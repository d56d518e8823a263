import { attack, type Attack } from "./attack.js";

/**
 * The opposite of the honest mean.
 *
 *   b = −ḡ
 *
 * @returns  Attack, [H, D] → [count, D].
 * @see      ByzFL, SignFlipping; Z. Allen-Zhu et al. (2020), Byzantine-resilient non-convex stochastic gradient descent.
 * @example  await signFlipping()(honest, 2).toArray()
 */
export function signFlipping(): Attack {
  return attack("SignFlipping", (honest) => honest.mean({ axis: 0 }).neg());
}
