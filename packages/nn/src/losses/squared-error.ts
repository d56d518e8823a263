import type { Variable } from "@robgrad/autograd";
import type { Tensor } from "@robgrad/tensor";
import { elementwiseLoss } from "./elementwise-loss.js";

/**
 * Squared distance of prediction and target, one value per sample.
 *
 *   lₙ = Σ_q (y[n, q] − t[n, q])²
 *
 * @param predictions  y [N, …], floating, N ≥ 1.
 * @param targets      t of the same shape and dtype.
 * @returns            [N], in squared units of the target.
 * @throws             SHAPE_MISMATCH, DTYPE_MISMATCH.
 * @see                Tutorial, §2.1.
 * @example            squaredError(new Variable(device.ones([2, 1])), device.zeros([2, 1]))
 */
export function squaredError(predictions: Variable | Tensor, targets: Variable | Tensor): Variable {
  return elementwiseLoss("squaredError", predictions, targets, (y, t) => y.sub(t).square());
}
