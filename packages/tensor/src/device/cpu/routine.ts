import type { TypedArray } from "../../dtype.js";
import type { RoutineKernel, View } from "../../kernel/kernel.js";
import { sizeOf } from "../../shape.js";

/** The elements of a view's storage. */
export type ElementsOf = (view: View) => TypedArray;

/** A routine in JavaScript. */
export type Routine = (kernel: RoutineKernel, elementsOf: ElementsOf) => void;

/** Elements of a view in row-major order. */
export function elements(view: View, source: TypedArray): Float64Array {
  const result = new Float64Array(sizeOf(view.shape));
  let next = 0;
  const visit = (axis: number, pointer: number) => {
    if (axis === view.shape.length) {
      result[next++] = source[pointer] as number;
      return;
    }
    const stride = view.strides[axis] as number;
    for (let i = 0; i < (view.shape[axis] as number); i++) visit(axis + 1, pointer + i * stride);
  };
  visit(0, view.offset);
  return result;
}
