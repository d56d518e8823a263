import { codedError } from "../errors.js";
import type { View } from "../kernel/kernel.js";
import { rowMajorStrides } from "../layout.js";
import { formatShape, sizeOf } from "../shape.js";

/** Windows that slide over the spatial axes of [N, C, …space]: one number per axis each. */
export interface Windows {
  readonly kernel: readonly number[];
  /** From one window to the next, ≥ 1. */
  readonly stride: readonly number[];
  /** From one element of a window to the next, ≥ 1. */
  readonly dilation: readonly number[];
}

/**
 * How many windows fit along each axis.
 *
 *   ⌊(L − d(k − 1) − 1) / s⌋ + 1
 *
 * @param space  L, with any padding.
 * @throws       SHAPE_MISMATCH where none fits.
 */
export function windowCounts(subject: string, space: readonly number[], windows: Windows): number[] {
  return space.map((extent, axis) => {
    const reach = reachOf(windows, axis);
    if (reach > extent) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected windows of at most ${formatShape(space)} elements, padding included, found ${formatShape(space.map((_, k) => reachOf(windows, k)))}; use a smaller kernel or dilation, or more padding`,
      );
    }
    return Math.floor((extent - reach) / (windows.stride[axis] as number)) + 1;
  });
}

/** From the first to the last element of a window, both counted. */
function reachOf({ kernel, dilation }: Windows, axis: number): number {
  return (dilation[axis] as number) * ((kernel[axis] as number) - 1) + 1;
}

/** True where no two windows share an element. */
export function areApart(windows: Windows): boolean {
  return windows.kernel.every((_, axis) => reachOf(windows, axis) <= (windows.stride[axis] as number));
}

/** Elements of x [N, C, …space] by window: [N, C, …kernel, …counts], in place; windows may share elements. */
export function windowView(
  { storage, dtype, shape, strides, offset }: View,
  { kernel, stride, dilation }: Windows,
  counts: readonly number[],
): View {
  const [n, c, ...space] = strides as [number, number, ...number[]];
  return {
    storage,
    dtype,
    shape: [...shape.slice(0, 2), ...kernel, ...counts],
    strides: [
      n,
      c,
      ...space.map((step, axis) => step * (dilation[axis] as number)),
      ...space.map((step, axis) => step * (stride[axis] as number)),
    ],
    offset,
  };
}

/** The part of a view with index `start` … `stop` − 1 along an axis. */
export function part(view: View, axis: number, start: number, stop: number): View {
  const { storage, dtype, strides, offset } = view;
  const shape = view.shape.map((extent, k) => (k === axis ? stop - start : extent));
  return { storage, dtype, shape, strides, offset: offset + start * (strides[axis] as number) };
}

/** A view with its axes in another order. */
export function reordered({ storage, dtype, shape, strides, offset }: View, order: readonly number[]): View {
  return {
    storage,
    dtype,
    shape: order.map((axis) => shape[axis] as number),
    strides: order.map((axis) => strides[axis] as number),
    offset,
  };
}

/** Whole numbers from `first` on. */
export const span = (first: number, count: number): number[] => Array.from({ length: count }, (_, k) => first + k);

/** The indices of all elements of a window, row by row. */
export function positionsOf(kernel: readonly number[]): number[][] {
  const strides = rowMajorStrides(kernel);
  return span(0, sizeOf(kernel)).map((place) =>
    kernel.map((extent, axis) => Math.floor(place / (strides[axis] as number)) % extent),
  );
}

/** Space of a tensor [N, C, …space]. */
export const spaceOf = ({ shape }: { readonly shape: readonly number[] }): readonly number[] => shape.slice(2);

/** Visits, for every element of a window, where in `target` [N, C, …space] all windows have it: [N, C, …counts]. */
export function eachPosition(
  target: View,
  windows: Windows,
  counts: readonly number[],
  visit: (place: View, position: readonly number[]) => void,
): void {
  const all = windowView(target, windows, counts);
  const rank = counts.length;
  const order = [0, 1, ...span(2 + rank, rank)];
  positionsOf(windows.kernel).forEach((position) => {
    const offset = position.reduce((sum, index, axis) => sum + index * (all.strides[2 + axis] as number), all.offset);
    visit(reordered({ ...all, offset }, order), position);
  });
}
