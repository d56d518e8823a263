import { codedError } from "./errors.js";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function checkShape(subject: string, shape: Shape): void {
  if (!Array.isArray(shape)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected a shape such as [2, 3], found ${String(shape)}`);
  }
  for (const extent of shape as Shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected a shape of whole numbers ≥ 0, found ${formatShape(shape)}`,
      );
    }
  }
}

/** Axis counted from the front; negative axes count from the end, as in NumPy. */
export function normalizeAxis(subject: string, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || found < 0 || found >= rank) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected axis in [${-rank}, ${rank}) for rank ${rank}, found ${axis}`,
    );
  }
  return found;
}

/** Sorted, distinct, non-negative axes; undefined means all of them. */
export function normalizeAxes(subject: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const given = Array.isArray(axes) ? (axes as readonly number[]) : [axes as number];
  const list = given.map((axis) => normalizeAxis(subject, axis, rank));
  if (new Set(list).size !== list.length) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected distinct axes, found ${formatShape(list)}`);
  }
  return list.sort((a, b) => a - b);
}

/** The shape two operands broadcast to by NumPy's rule, or undefined when they do not. */
export function broadcastPair(a: Shape, b: Shape): Shape | undefined {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let k = 1; k <= rank; k++) {
    const p = a[a.length - k] ?? 1;
    const q = b[b.length - k] ?? 1;
    if (p !== q && p !== 1 && q !== 1) return undefined;
    result[rank - k] = p === 1 ? q : p;
  }
  return result;
}

/**
 * The shape that all operands broadcast to (NumPy's rule: align at the end, extents equal or 1).
 *
 * @throws  SHAPE_MISMATCH naming `subject` and every shape.
 */
export function broadcastShapes(subject: string, shapes: readonly Shape[]): Shape {
  let result: Shape | undefined = shapes[0] ?? [];
  for (let i = 1; i < shapes.length && result !== undefined; i++) result = broadcastPair(result, shapes[i] ?? []);
  if (result === undefined) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected shapes that broadcast together, found ${shapes.map(formatShape).join(" and ")}`,
    );
  }
  return result;
}

/** Axes of `to` along which an operand of shape `from` was repeated; leading missing axes count. */
export function repeatedAxes(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  const axes: number[] = [];
  for (let axis = 0; axis < to.length; axis++) {
    if (axis < lead || (from[axis - lead] === 1 && to[axis] !== 1)) axes.push(axis);
  }
  return axes;
}
