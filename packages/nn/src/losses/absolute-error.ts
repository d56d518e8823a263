import type { Variable } from "@robgrad/autograd";
import type { Tensor } from "@robgrad/tensor";
import { elementwiseLoss } from "./elementwise-loss.js";

/**
 * Sum of absolute differences of prediction and target, one value per sample.
 *
 *   lₙ = Σ_q |y[n, q] − t[n, q]|
 *
 * Its derivative is 0 where prediction and target are equal.
 *
 * @param predictions  y [N, …], floating, N ≥ 1.
 * @param targets      t of the same shape and dtype.
 * @returns            [N], in units of the target.
 * @throws             SHAPE_MISMATCH, DTYPE_MISMATCH.
 * @see                P. Huber, E. Ronchetti (2009), Robust Statistics, §7.11.
 * @example            absoluteError(new Variable(device.ones([2, 1])), device.zeros([2, 1]))
 */
export function absoluteError(predictions: Variable | Tensor, targets: Variable | Tensor): Variable {
  return elementwiseLoss("absoluteError", predictions, targets, (y, t) => y.sub(t).abs());
}
