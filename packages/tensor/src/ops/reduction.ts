import { codedError } from "../errors.js";
import { isFloating } from "../dtype.js";
import type { Monoid } from "../kernel/kernel.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { formatShape, normalizeAxes } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { empty } from "./creation.js";
import { describe, operandsOf, sameDType, viewOver } from "./elementwise.js";
import { broadcastShapes, type Shape } from "../shape.js";

export interface AxisOptions {
  /** Axis or axes to reduce, negative from the end; all of them unless given. */
  readonly axis?: number | readonly number[] | undefined;
  /** Leave reduced axes in place with extent 1. */
  readonly keepdims?: boolean | undefined;
}

export type ReductionName = "sum" | "mean" | "product" | "max" | "min" | "argmax" | "argmin";

export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): number[] {
  return keepdims
    ? shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    : shape.filter((_, axis) => !axes.includes(axis));
}

export function reduce(name: ReductionName, x: Tensor, options: AxisOptions = {}): Tensor {
  const [checked] = operandsOf(name, [x]);
  const arg = name === "argmax" || name === "argmin";
  if (x.dtype === "bool" && name !== "max" && name !== "min") {
    throw codedError("DTYPE_MISMATCH", `${name}: expected a numeric dtype, found ${describe(x)}; cast it`);
  }
  if (name === "mean" && !isFloating(x.dtype)) {
    throw codedError("DTYPE_MISMATCH", `mean: expected a floating dtype, found ${describe(x)}; cast it`);
  }
  const source = checked;
  if (arg && options.axis === undefined) {
    const flat = source.reshape([source.size]);
    const result = reduceFormula(name, input(0), [flat], { axis: 0 });
    return options.keepdims === true ? result.reshape(x.shape.map(() => 1)) : result;
  }
  if (arg && typeof options.axis !== "number") {
    throw codedError(
      "BAD_ARGUMENT",
      `${name}: expected one axis, found ${formatShape(options.axis as readonly number[])}`,
    );
  }
  return reduceFormula(name, input(0), [source], options);
}

/** ⊕ over axes of a formula of broadcast tensors: no intermediate of the full shape is formed. */
export function reduceFormula(
  name: ReductionName,
  f: Expression,
  operands: readonly Tensor[],
  { axis, keepdims = false }: AxisOptions = {},
): Tensor {
  const tensors = operandsOf(name, operands);
  const shape = broadcastShapes(
    name,
    tensors.map((x) => x.shape),
  );
  const axes = normalizeAxes(name, axis, shape.length);
  const count = axes.reduce((product, k) => product * (shape[k] as number), 1);
  const arg = name === "argmax" || name === "argmin";
  if (count === 0 && (arg || name === "max" || name === "min" || name === "mean")) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${name}: expected at least one element to reduce, found shape ${formatShape(shape)} over axes ${formatShape(axes)}`,
    );
  }
  const dtype = arg
    ? "int32"
    : sameDType(
        name,
        tensors.filter((x) => x.dtype !== "bool" || tensors.length === 1),
      );
  const monoid: Monoid = name === "mean" ? "sum" : name;
  const out = empty(tensors[0].device, dtype, reducedShape(shape, axes, false));
  out.device.run({
    form: "reduce",
    out,
    shape,
    axes,
    monoid,
    f,
    epilogue: name === "mean" ? apply("div", input(0), constant(count)) : null,
    operands: tensors.map((x) => viewOver(x, shape)),
  });
  return keepdims ? out.reshape(reducedShape(shape, axes, true)) : out;
}
