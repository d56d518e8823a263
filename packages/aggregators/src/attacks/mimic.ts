import { codedError } from "@robgrad/tensor";
import { checkOption } from "../option.js";
import { attack, type Attack } from "./attack.js";

/**
 * The gradient of one honest sample, again and again: that sample counts too much.
 *
 *   b = g_ε
 *
 * @param epsilon  ε, 0 … H − 1.
 * @returns        Attack, [H, D] → [count, D].
 * @throws         BAD_ARGUMENT unless ε is a whole number ≥ 0; from the attack, unless ε < H.
 * @see            ByzFL, Mimic; S. Karimireddy, L. He, M. Jaggi (2022), Byzantine-robust learning on heterogeneous
 *                 datasets via bucketing, §3.
 * @example        await mimic({ epsilon: 1 })(honest, 2).toArray()
 */
export function mimic({ epsilon = 0 }: { readonly epsilon?: number } = {}): Attack {
  checkOption("mimic", "epsilon", epsilon, Number.isSafeInteger(epsilon) && epsilon >= 0, "to be a whole number ≥ 0");
  return attack("Mimic", (honest) => {
    const [count] = honest.shape as readonly [number, number];
    if (epsilon >= count)
      throw codedError("BAD_ARGUMENT", `Mimic: expected epsilon < ${count} honest gradients, found ${epsilon}`);
    return honest.slice([epsilon, epsilon + 1]);
  });
}
