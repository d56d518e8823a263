import { rowMajorStrides, type Layout } from "../layout.js";
import { sizeOf } from "../shape.js";
import { isIndex, type Operand, type View } from "./kernel.js";

/** True when a view covers its whole storage in row-major order. */
export function isWhole({ storage, shape, strides, offset }: View): boolean {
  const dense = rowMajorStrides(shape);
  return (
    offset === 0 &&
    sizeOf(shape) === storage.length &&
    shape.every((extent, axis) => extent === 1 || strides[axis] === dense[axis])
  );
}

/** One axis of a walk over elements numbered row by row. */
interface Axis {
  readonly extent: number;
  /** How far one step goes in the numbering. */
  readonly step: number;
  /** How far it goes in memory. */
  readonly stride: number;
}

/** Axes of `shape`, innermost last, those that lie densely in each other joined. */
function joined(shape: readonly number[], strides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] as number;
    const stride = strides[axis] as number;
    if (extent === 1) continue;
    const inner = axes[0];
    if (inner !== undefined && stride === inner.stride * inner.extent)
      axes[0] = { ...inner, extent: inner.extent * extent };
    else axes.unshift({ extent, step, stride });
    step *= extent;
  }
  return axes;
}

/**
 * `inner` tells where element e = 0, 1, … of an array of `shape` lies (numbered row by row). The result tells the same for
 * the elements that `outer` picks, whose strides and offset count e; null where that is no layout.
 */
export function composeLayouts(outer: Layout, shape: readonly number[], inner: Omit<Layout, "shape">): Layout | null {
  const axes = joined(shape, inner.strides);
  const reached = axes.map(() => 0);
  let offset = inner.offset;
  let rest = outer.offset;
  axes.forEach(({ step, stride, extent }, a) => {
    const index = Math.floor(rest / step);
    rest -= index * step;
    reached[a] = index;
    offset += index * stride;
    if (index >= extent) rest = NaN;
  });
  if (rest !== 0) return null;
  const strides: number[] = [];
  for (let axis = 0; axis < outer.shape.length; axis++) {
    const extent = outer.shape[axis] as number;
    const stride = outer.strides[axis] as number;
    if (extent === 1 || stride === 0) {
      strides.push(0);
      continue;
    }
    const a = axes.findIndex(({ step }) => step <= stride);
    const own = axes[a];
    if (stride < 0 || own === undefined || stride % own.step !== 0) return null;
    const steps = stride / own.step;
    reached[a] = (reached[a] as number) + steps * (extent - 1);
    strides.push(steps * own.stride);
  }
  // An index that leaves its axis would go on along the next one, where memory lies elsewhere.
  return axes.every(({ extent }, a) => (reached[a] as number) < extent)
    ? { shape: outer.shape, strides, offset }
    : null;
}

/**
 * What an operand of a map is to a reader of the map's result.
 *
 * @param view     How the reader looks at the result, which the map writes whole.
 * @param shape    Shape of the result.
 * @param operand  Of the map.
 * @returns        An operand in the shape of `view`; null where there is none.
 */
export function composeOperand(view: View, shape: readonly number[], operand: Operand): Operand | null {
  if (!isIndex(operand)) {
    const layout = composeLayouts(view, shape, operand);
    return layout && { ...layout, storage: operand.storage, dtype: operand.dtype };
  }
  const counting = composeLayouts(view, shape, {
    strides: shape.map((_, axis) => Number(axis === operand.axis)),
    offset: 0,
  });
  if (counting === null || counting.offset !== 0) return null;
  const moving = counting.strides.flatMap((stride, axis) => (stride === 0 ? [] : [axis]));
  const [axis] = moving;
  return axis !== undefined && moving.length === 1 && counting.strides[axis] === 1 ? { axis } : null;
}

/** True for two views of the same elements in the same order. */
export function sameView(a: View, b: View): boolean {
  return (
    a.storage === b.storage &&
    a.offset === b.offset &&
    a.shape.length === b.shape.length &&
    a.shape.every((extent, axis) => extent === b.shape[axis] && (extent === 1 || a.strides[axis] === b.strides[axis]))
  );
}
