import { codedError } from "../errors.js";
import {
  broadcastLayout,
  permuteLayout,
  reshapeLayout,
  rowMajor,
  sliceLayout,
  type Layout,
  type SliceRange,
} from "../layout.js";
import { checkShape, formatShape, normalizeAxis, sameShape, sizeOf } from "../shape.js";
import { Tensor } from "../tensor.js";
import { withoutTemporaries } from "../scope.js";
import { assignInto, castTo, empty, full } from "./creation.js";
import { describe, sameDType, tensorsOf } from "./elementwise.js";

/** Another tensor over the same memory. */
export function viewAs(x: Tensor, layout: Layout): Tensor {
  return new Tensor(x.device, x.storage, x.dtype, layout);
}

/** A shape with its one −1 replaced by what is left over. */
export function resolveShape(subject: string, size: number, shape: readonly number[]): number[] {
  const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
  if (open < 0) {
    checkShape(subject, shape);
    return [...shape];
  }
  const rest = shape.filter((_, axis) => axis !== open);
  checkShape(subject, rest);
  const known = sizeOf(rest);
  if (known === 0 || size % known !== 0) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected ${size} elements to fill ${formatShape(shape)}, found no whole number for −1`,
    );
  }
  return shape.map((extent, axis) => (axis === open ? size / known : extent));
}

export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  x.live("reshape");
  const resolved = resolveShape("reshape", x.size, shape);
  if (sizeOf(resolved) !== x.size) {
    throw codedError(
      "SHAPE_MISMATCH",
      `reshape: expected ${x.size} elements (x: ${describe(x)}), found shape ${formatShape(resolved)}`,
    );
  }
  const layout = reshapeLayout(x, resolved);
  if (layout !== undefined) return viewAs(x, layout);
  const dense = castTo(x, x.dtype, true);
  const result = viewAs(dense, rowMajor(resolved));
  dense.dispose();
  return result;
}

export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  x.live("broadcastTo");
  checkShape("broadcastTo", shape);
  return viewAs(x, broadcastLayout("broadcastTo", x, [...shape]));
}

export function permute(x: Tensor, order?: readonly number[]): Tensor {
  x.live("permute");
  const rank = x.shape.length;
  const axes =
    order === undefined
      ? x.shape.map((_, axis) => rank - 1 - axis)
      : order.map((axis) => normalizeAxis("permute", axis, rank));
  if (axes.length !== rank || new Set(axes).size !== rank) {
    throw codedError(
      "BAD_ARGUMENT",
      `permute: expected every axis of ${formatShape(x.shape)} once, found ${formatShape(order ?? [])}`,
    );
  }
  return viewAs(x, permuteLayout(x, axes));
}

export function transpose(x: Tensor): Tensor {
  const rank = x.shape.length;
  if (rank < 2) throw codedError("SHAPE_MISMATCH", `transpose: expected at least two axes, found ${describe(x)}`);
  const order = x.shape.map((_, axis) => axis);
  order[rank - 2] = rank - 1;
  order[rank - 1] = rank - 2;
  return permute(x, order);
}

export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  x.live("slice");
  return viewAs(x, sliceLayout("slice", x, ranges));
}

/**
 * Tensors joined along an existing axis.
 *
 * @param tensors  At least one; equal shapes but for `axis`, one dtype, one device.
 * @param options  `axis`, 0 unless given, negative from the end.
 * @returns        A new tensor with the extents of `axis` added up.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for an empty list.
 * @example        concat([device.ones([1, 2]), device.zeros([3, 2])])
 */
export function concat(tensors: readonly Tensor[], { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const [first] = tensorsOf("concat", tensors);
  const dtype = sameDType("concat", tensors);
  const along = normalizeAxis("concat", axis, first.shape.length);
  let extent = 0;
  for (const x of tensors) {
    const alike = x.shape.length === first.shape.length && x.shape.every((n, k) => k === along || n === first.shape[k]);
    if (!alike) {
      throw codedError(
        "SHAPE_MISMATCH",
        `concat: expected equal shapes but for axis ${along}, found ${formatShape(first.shape)} and ${formatShape(x.shape)}`,
      );
    }
    extent += x.shape[along] as number;
  }
  const out = empty(
    first.device,
    dtype,
    first.shape.map((n, k) => (k === along ? extent : n)),
  );
  let start = 0;
  for (const x of tensors) {
    const stop = start + (x.shape[along] as number);
    const place = viewAs(
      out,
      sliceLayout("concat", out, [...first.shape.slice(0, along).map(() => null), [start, stop]]),
    );
    assignInto(place, x);
    place.dispose();
    start = stop;
  }
  return out;
}

/**
 * Tensors of one shape joined along a new axis.
 *
 * @param options  `axis` of the result, 0 unless given, negative from the end.
 * @returns        A tensor with one axis more.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for an empty list.
 * @example        stack([device.ones([2]), device.zeros([2])])
 */
export function stack(tensors: readonly Tensor[], { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const [first] = tensorsOf("stack", tensors);
  for (const x of tensors) {
    if (!sameShape(x.shape, first.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `stack: expected equal shapes, found ${formatShape(first.shape)} and ${formatShape(x.shape)}`,
      );
    }
  }
  const along = normalizeAxis("stack", axis, first.shape.length + 1);
  const shape = [...first.shape.slice(0, along), 1, ...first.shape.slice(along)];
  const widened = () => tensors.map((x) => reshape(x, shape));
  return withoutTemporaries(first.device, () => concat(widened(), { axis: along }));
}

/**
 * A tensor with a border of one value.
 *
 * @param widths  `[before, after]` for each leading axis; missing axes get none.
 * @param value   What the border holds, 0 unless given.
 * @throws        BAD_ARGUMENT for negative widths or more of them than axes.
 * @example       pad(device.ones([2, 2]), [[1, 1], [0, 2]])
 */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[], value = 0): Tensor {
  tensorsOf("pad", [x]);
  const pairs = Array.isArray(widths) && widths.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (
    !pairs ||
    widths.length > x.shape.length ||
    widths.flat().some((width) => !Number.isInteger(width) || width < 0)
  ) {
    throw codedError(
      "BAD_ARGUMENT",
      `pad: expected whole widths ≥ 0 for at most ${x.shape.length} axes, found ${JSON.stringify(widths)}`,
    );
  }
  const [before, after] = [0, 1].map((side) => x.shape.map((_, axis) => widths[axis]?.[side] ?? 0)) as [
    number[],
    number[],
  ];
  const out = full(
    x.device,
    x.shape.map((n, axis) => n + (before[axis] as number) + (after[axis] as number)),
    value,
    { dtype: x.dtype },
  );
  const inner = viewAs(
    out,
    sliceLayout(
      "pad",
      out,
      x.shape.map((n, axis) => [before[axis] as number, (before[axis] as number) + n]),
    ),
  );
  assignInto(inner, x);
  inner.dispose();
  return out;
}
