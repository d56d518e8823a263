import type { Variable } from "@robgrad/autograd";
import { codedError, type Scalar, type ScalarFunction, type Tensor } from "@robgrad/tensor";
import { isFloating } from "@robgrad/tensor/kernels";
import { asVariable } from "../link.js";
import { checkSamples } from "./check-samples.js";

/**
 * Σ f(prediction, target, …) over all axes but that of the samples: [N, …] → [N].
 *
 * @throws  SHAPE_MISMATCH, DTYPE_MISMATCH: a forgotten axis would broadcast.
 */
export function elementwiseLoss(
  subject: string,
  predictions: Variable | Tensor,
  targets: Variable | Tensor,
  f: (y: Scalar, t: Scalar, ...rest: Scalar[]) => Scalar,
  ...rest: readonly Tensor[]
): Variable {
  const y = asVariable(subject, predictions);
  const t = asVariable(subject, targets);
  checkSamples(subject, y.shape);
  if (y.shape.length !== t.shape.length || y.shape.some((extent, axis) => extent !== t.shape[axis])) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected targets of shape [${y.shape.join(", ")}], found [${t.shape.join(", ")}]`,
    );
  }
  if (y.dtype !== t.dtype || !isFloating(y.dtype)) {
    throw codedError(
      "DTYPE_MISMATCH",
      `${subject}: expected predictions and targets of one floating dtype, found ${y.dtype} and ${t.dtype}`,
    );
  }
  const values = y.map(f as ScalarFunction, t, ...rest);
  return values.shape.length === 1 ? values : values.sum({ axis: values.shape.map((_, axis) => axis).slice(1) });
}
