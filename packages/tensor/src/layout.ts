import { codedError } from "./errors.js";
import { broadcastPair, formatShape, sameShape, sizeOf, type Shape } from "./shape.js";

/** Where the elements of an n-d array lie in its storage: index i is at offset + Σ iₖ·strideₖ. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

export function rowMajor(shape: Shape): Layout {
  return { shape, strides: rowMajorStrides(shape), offset: 0 };
}

/** True when the elements lie in row-major order without gaps (the offset may be anything). */
export function isRowMajor({ shape, strides }: Layout): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] as number;
    if (extent !== 1 && strides[axis] !== stride) return false;
    stride *= extent;
  }
  return true;
}

export function permuteLayout(layout: Layout, order: readonly number[]): Layout {
  return {
    shape: order.map((axis) => layout.shape[axis] as number),
    strides: order.map((axis) => layout.strides[axis] as number),
    offset: layout.offset,
  };
}

export function broadcastLayout(subject: string, layout: Layout, shape: Shape): Layout {
  if (sameShape(layout.shape, shape)) return layout;
  const target = broadcastPair(layout.shape, shape);
  if (target === undefined || !sameShape(target, shape)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected a shape that broadcasts to ${formatShape(shape)}, found ${formatShape(layout.shape)}`,
    );
  }
  return { shape, strides: broadcastStrides(layout, shape), offset: layout.offset };
}

/** Strides that repeat `layout` over `shape`; the caller knows that it broadcasts. */
export function broadcastStrides(layout: Layout, shape: Shape): number[] {
  const lead = shape.length - layout.shape.length;
  const strides = new Array<number>(shape.length);
  for (let axis = 0; axis < shape.length; axis++) {
    const from = axis - lead;
    strides[axis] = from < 0 || (layout.shape[from] === 1 && shape[axis] !== 1) ? 0 : (layout.strides[from] as number);
  }
  return strides;
}

/** The same elements under another shape, or undefined where that needs a copy. */
export function reshapeLayout(layout: Layout, shape: Shape): Layout | undefined {
  if (isRowMajor(layout)) return { shape, strides: rowMajorStrides(shape), offset: layout.offset };
  if (sizeOf(shape) === 0) return { ...rowMajor(shape), offset: layout.offset };
  const strides = new Array<number>(shape.length);
  let from = layout.shape.length - 1;
  let to = shape.length - 1;
  while (from >= 0 || to >= 0) {
    if (from >= 0 && layout.shape[from] === 1) {
      from--;
      continue;
    }
    if (to >= 0 && shape[to] === 1) {
      strides[to--] = 0;
      continue;
    }
    // Grow a group of old axes that lie densely in each other until it has the extent of a group of new axes.
    let old = layout.shape[from] as number;
    let fresh = shape[to] as number;
    let stride = layout.strides[from] as number;
    strides[to] = stride;
    let span = stride * old;
    while (old !== fresh) {
      if (old < fresh) {
        from--;
        if (from < 0) return undefined;
        const extent = layout.shape[from] as number;
        if (extent !== 1 && layout.strides[from] !== span) return undefined;
        old *= extent;
        span *= extent;
      } else {
        stride *= shape[to] as number;
        to--;
        if (to < 0) return undefined;
        strides[to] = stride;
        fresh *= shape[to] as number;
      }
    }
    from--;
    to--;
  }
  return { shape, strides, offset: layout.offset };
}

/** One slice per leading axis; missing ones take the whole axis. Bounds follow NumPy (clipped, negative from the end). */
export function sliceLayout(subject: string, layout: Layout, ranges: readonly SliceRange[]): Layout {
  if (ranges.length > layout.shape.length) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected at most ${layout.shape.length} ranges for shape ${formatShape(layout.shape)}, found ${ranges.length}`,
    );
  }
  const shape = [...layout.shape];
  let offset = layout.offset;
  ranges.forEach((range, axis) => {
    const { start, stop } = resolveRange(subject, range, layout.shape[axis] as number);
    shape[axis] = stop - start;
    offset += start * (layout.strides[axis] as number);
  });
  return { shape, strides: layout.strides, offset };
}

/** `[start, stop)` of one axis; null or a missing stop means to the end, a lone null the whole axis. */
export type SliceRange = readonly [start: number, stop?: number | null] | null;

export function resolveRange(subject: string, range: SliceRange, extent: number): { start: number; stop: number } {
  if (range === null) return { start: 0, stop: extent };
  if (!Array.isArray(range)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected ranges such as [0, 2] or null, found ${String(range)}`);
  }
  const [first, last = null] = range;
  if (!Number.isInteger(first) || (last !== null && !Number.isInteger(last))) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected whole numbers in the range, found [${first}, ${String(last)}]`,
    );
  }
  const clip = (index: number) => Math.min(extent, Math.max(0, index < 0 ? index + extent : index));
  const start = clip(first);
  return { start, stop: Math.max(start, last === null ? extent : clip(last)) };
}
