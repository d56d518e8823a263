import type { Operand, View } from "../kernel/kernel.js";
import { rowMajorStrides } from "../layout.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { empty, full } from "./creation.js";
import { areApart, eachPosition, reordered, spaceOf, span, windowCounts, windowView, type Windows } from "./windows.js";

// Windows of a tensor [N, C, …space] and one number for each: [N, C, …counts]. Elements of a window count from 0, row by row.

/** x by window: [N, C, …counts, …kernel]. */
function byWindow(x: View, windows: Windows, counts: readonly number[]): View {
  const rank = counts.length;
  return reordered(windowView(x, windows, counts), [0, 1, ...span(2 + rank, rank), ...span(2, rank)]);
}

/** What belongs to a window, repeated for its elements. */
function repeated({ storage, dtype, strides, offset }: View, shape: readonly number[]): View {
  return {
    storage,
    dtype,
    shape,
    strides: shape.map((_, axis) => strides[axis] ?? 0),
    offset,
  };
}

/** The number of a window's element, from its indices as inputs `first`, `first` + 1, … */
function elementNumber(kernel: readonly number[], first: number): Expression {
  return rowMajorStrides(kernel)
    .map((stride, axis) => apply("mul", input(first + axis), constant(stride)))
    .reduce((a, b) => apply("add", a, b));
}

const indices = (counts: readonly number[]): Operand[] => counts.map((_, axis) => ({ axis: 2 + counts.length + axis }));

function reduceWindows(
  x: Tensor,
  windows: Windows,
  monoid: "max" | "min" | "sum",
  f: Expression,
  {
    dtype = x.dtype,
    others = [],
    epilogue = null,
  }: Partial<{
    readonly dtype: Tensor["dtype"];
    readonly others: readonly Tensor[];
    readonly epilogue: Expression | null;
  }> = {},
): Tensor {
  const counts = windowCounts("pool", spaceOf(x), windows);
  const from = byWindow(x, windows, counts);
  const out = empty(x.device, dtype, [...x.shape.slice(0, 2), ...counts]);
  x.device.run({
    form: "reduce",
    out,
    shape: from.shape,
    axes: span(2 + counts.length, counts.length),
    monoid,
    f,
    epilogue,
    operands: [
      from,
      ...others.map((other) => repeated(other, from.shape)),
      ...(others.length > 0 ? indices(counts) : []),
    ],
  });
  return out;
}

/** The largest element of every window; NaN where there is one. */
export function windowMaxima(x: Tensor, windows: Windows): Tensor {
  return reduceWindows(x, windows, "max", input(0));
}

/** The number of the first element of every window that is its largest, or NaN: int32. */
export function windowWinners(x: Tensor, maxima: Tensor, windows: Windows): Tensor {
  const { kernel } = windows;
  const wins = apply("or", apply("equal", input(0), input(1)), apply("isNaN", input(0)));
  const number = apply("where", wins, elementNumber(kernel, 2), constant(sizeOf(kernel)));
  return reduceWindows(x, windows, "min", number, { dtype: "int32", others: [maxima] });
}

/** The mean of every window. */
export function windowMeans(x: Tensor, windows: Windows): Tensor {
  const epilogue = apply("mul", input(0), constant(1 / sizeOf(windows.kernel)));
  return reduceWindows(x, windows, "sum", input(0), { epilogue });
}

/** The element of every window that a number names. */
export function windowElements(x: Tensor, winners: Tensor, windows: Windows): Tensor {
  const chosen = apply("equal", input(1), elementNumber(windows.kernel, 2));
  return reduceWindows(x, windows, "sum", apply("where", chosen, input(0), constant(0)), { others: [winners] });
}

/**
 * Adds to every element of a window what the window has for it.
 *
 * @param y        [N, C, …counts]
 * @param shape    [N, C, …space]
 * @param winners  Elements that get all of y, the others nothing; null for all elements an equal share.
 */
export function spreadOverWindows(
  y: Tensor,
  winners: Tensor | null,
  shape: readonly number[],
  windows: Windows,
): Tensor {
  const { device, dtype } = y;
  const { kernel } = windows;
  const counts = spaceOf(y);
  const out = full(device, shape, 0, { dtype });
  if (y.size === 0) return out;
  const value = (number: Expression) =>
    winners === null
      ? apply("mul", input(0), constant(1 / sizeOf(kernel)))
      : apply("where", apply("equal", input(1), number), input(0), constant(0));
  const read = winners === null ? [y] : [y, winners];
  if (areApart(windows)) {
    const place = byWindow(out, windows, counts);
    const operands = [
      ...read.map((other) => repeated(other, place.shape)),
      ...(winners === null ? [] : indices(counts)),
    ];
    device.run({ form: "map", out: place, f: value(elementNumber(kernel, read.length)), operands });
    return out;
  }
  const steps = rowMajorStrides(kernel);
  eachPosition(out, windows, counts, (place, position) => {
    const number = position.reduce((sum, index, axis) => sum + index * (steps[axis] as number), 0);
    const f = apply("add", input(read.length), value(constant(number)));
    device.run({ form: "map", out: place, f, operands: [...read, place] });
  });
  return out;
}
