import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { elementwiseLoss } from "./elementwise-loss.js";

/**
 * Huber's loss: squared near the target, linear beyond k, one value per sample.
 *
 *   lₙ = Σ_q ρ(y[n, q] − t[n, q]),   ρ(r) = r²/2 for |r| ≤ k,   k |r| − k²/2 beyond
 *
 * It bounds what a wrong target does to a row, not what a far-off input does.
 *
 * @param predictions  y [N, …], floating, N ≥ 1.
 * @param targets      t of the same shape and dtype.
 * @param options      `k` > 0, finite, in units of the target; 1 unless given.
 * @returns            [N]
 * @throws             SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for another k.
 * @see                P. Huber (1964), Robust estimation of a location parameter.
 * @example            huberLoss(new Variable(device.ones([2, 1])), device.zeros([2, 1]), { k: 0.5 })
 */
export function huberLoss(
  predictions: Variable | Tensor,
  targets: Variable | Tensor,
  { k = 1 }: { readonly k?: number } = {},
): Variable {
  if (!(Number.isFinite(k) && k > 0))
    throw codedError("BAD_ARGUMENT", `huberLoss: expected a finite k > 0, found ${k}`);
  return elementwiseLoss("huberLoss", predictions, targets, (y, t) => {
    const r = y.sub(t);
    const c = r.clamp(-k, k);
    // c r − c²/2 is r²/2 where c = r, and k |r| − k²/2 where c = ±k.
    return c.mul(r.sub(c.mul(0.5)));
  });
}
