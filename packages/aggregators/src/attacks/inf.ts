import { attack, type Attack } from "./attack.js";

/**
 * Infinity everywhere: what `aggregate` rejects or drops, and a rule alone has no answer to.
 *
 *   b = (∞, …, ∞)
 *
 * @returns  Attack, [H, D] → [count, D].
 * @see      ByzFL, Inf.
 * @example  inf()(honest, 2).shape
 */
export function inf(): Attack {
  return attack("Inf", (honest) =>
    honest.device
      .tensor([Infinity], { dtype: honest.dtype, allowNonFinite: true })
      .broadcastTo([honest.shape[1] as number]),
  );
}
