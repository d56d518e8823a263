import { codedError, Tensor } from "@robgrad/tensor";
import { describe } from "../aggregator.js";
import { attack, type Attack } from "./attack.js";

/**
 * The mean gradient of samples whose labels were changed.
 *
 *   b = (1/M) Σₘ fₘ
 *
 * Labels are changed before there are gradients, so the attack is told what came of it. ByzFL's function sees the flipped
 * gradients where others see the honest ones; without `flipped` this one does so, too.
 *
 * @param flipped  Gradients [M, D] of the changed samples; those that the attack is called with unless given.
 * @returns        Attack, [H, D] → [count, D].
 * @throws         BAD_ARGUMENT for flipped gradients of another width.
 * @see            ByzFL, LabelFlipping.
 * @example        await labelFlipping({ flipped: honest.neg() })(honest, 2).toArray()
 */
export function labelFlipping({ flipped }: { readonly flipped?: Tensor } = {}): Attack {
  return attack("LabelFlipping", (honest) => {
    const rows = flipped ?? honest;
    if (!Tensor.is(rows) || rows.shape.length !== 2 || rows.shape[1] !== honest.shape[1]) {
      throw codedError(
        "BAD_ARGUMENT",
        `LabelFlipping: expected flipped gradients [M, ${String(honest.shape[1])}], found ${describe(rows)}`,
      );
    }
    return rows.mean({ axis: 0 });
  });
}
