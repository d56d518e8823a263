import { repeatedAxes, sameShape } from "@robgrad/tensor/kernels";
import type { Variable } from "../variable.js";
import { reshape } from "./reshape.js";
import { sum } from "./sum.js";

/** The gradient in an operand of this shape that was repeated to the gradient's: its sum over what was repeated. */
export function sumTo(gradient: Variable, shape: readonly number[]): Variable {
  if (sameShape(gradient.shape, shape)) return gradient;
  const axes = repeatedAxes(shape, gradient.shape);
  const summed = axes.length === 0 ? gradient : sum(gradient, { axis: axes });
  return reshape(summed, shape);
}
