import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable } from "../link.js";
import { checkSamples } from "./check-samples.js";

/**
 * Squared distance of prediction and target, one value per sample.
 *
 *   lₙ = Σ_q (y[n, q] − t[n, q])²
 *
 * @param predictions  [N, …], floating, N ≥ 1.
 * @param targets      The same shape and dtype.
 * @returns            [N], in squared units of the target.
 * @throws             SHAPE_MISMATCH, DTYPE_MISMATCH.
 * @see                Tutorial, §2.1.
 * @example            squaredError(new Variable(device.ones([2, 1])), device.zeros([2, 1]))
 */
export function squaredError(predictions: Variable | Tensor, targets: Variable | Tensor): Variable {
  const y = asVariable("squaredError", predictions);
  const t = asVariable("squaredError", targets);
  checkSamples("squaredError", y.shape);
  if (y.shape.length !== t.shape.length || y.shape.some((extent, axis) => extent !== t.shape[axis])) {
    throw codedError(
      "SHAPE_MISMATCH",
      `squaredError: expected targets of shape [${y.shape.join(", ")}], found [${t.shape.join(", ")}]`,
    );
  }
  const squares = y.map((a, b) => a.sub(b).square(), t);
  return squares.shape.length === 1 ? squares : squares.sum({ axis: squares.shape.map((_, axis) => axis).slice(1) });
}
