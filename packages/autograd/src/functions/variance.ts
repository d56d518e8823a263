import { codedError, type AxisOptions } from "@robgrad/tensor";
import { normalizeAxes, sizeOf } from "@robgrad/tensor/kernels";
import type { Variable } from "../variable.js";
import { mean, sum } from "./sum.js";

/** Σ (x − x̄)² / (n − correction) */
export function variance(
  x: Variable,
  { axis, keepdims = false, correction = 0 }: AxisOptions & { readonly correction?: number } = {},
): Variable {
  const axes = normalizeAxes("variance", axis, x.shape.length);
  const count = sizeOf(axes.map((k) => x.shape[k] as number));
  if (!(count - correction > 0)) {
    throw codedError(
      "BAD_ARGUMENT",
      `variance: expected more than ${correction} elements (correction), found ${count}`,
    );
  }
  const deviations = x.sub(mean(x, { axis: axes, keepdims: true }));
  return sum(deviations.square(), { axis: axes, keepdims }).mul(1 / (count - correction));
}
