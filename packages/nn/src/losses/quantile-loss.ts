import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { elementwiseLoss } from "./elementwise-loss.js";

/**
 * The pinball loss, which a quantile of the target minimizes, one value per sample.
 *
 *   lₙ = Σ_q max(τ r, (τ − 1) r),   r = t[n, q] − y[n, q]
 *
 * τ = ½ is half the absolute error. Its derivative where r = 0 is ½ − τ.
 *
 * @param predictions  y [N, …], floating, N ≥ 1.
 * @param targets      t of the same shape and dtype.
 * @param options      `quantile` τ in (0, 1).
 * @returns            [N], in units of the target.
 * @throws             SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for τ out of range.
 * @see                R. Koenker, G. Bassett (1978), Regression quantiles.
 * @example            quantileLoss(new Variable(device.ones([2, 1])), device.zeros([2, 1]), { quantile: 0.9 })
 */
export function quantileLoss(
  predictions: Variable | Tensor,
  targets: Variable | Tensor,
  { quantile }: { readonly quantile: number },
): Variable {
  if (!(quantile > 0 && quantile < 1))
    throw codedError("BAD_ARGUMENT", `quantileLoss: expected quantile in (0, 1), found ${quantile}`);
  return elementwiseLoss("quantileLoss", predictions, targets, (y, t) => {
    const r = t.sub(y);
    return r
      .abs()
      .mul(0.5)
      .add(r.mul(quantile - 0.5));
  });
}
