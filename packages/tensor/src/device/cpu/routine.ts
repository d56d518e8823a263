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
  const last = view.shape.length - 1;
  const visit = (axis: number, pointer: number) => {
    const [extent, stride] = [view.shape[axis] ?? 1, view.strides[axis] ?? 0];
    if (axis >= last) for (let i = 0; i < extent; i++) result[next++] = source[pointer + i * stride] as number;
    else for (let i = 0; i < extent; i++) visit(axis + 1, pointer + i * stride);
  };
  visit(0, view.offset);
  return result;
}
