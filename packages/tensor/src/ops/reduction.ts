import { codedError } from "../errors.js";
import { isFloating, type DType } from "../dtype.js";
import type { Monoid } from "../kernel/kernel.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { formatShape, normalizeAxes } from "../shape.js";
import { withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { empty, shapedAs } from "./creation.js";
import { commonShape, describe, formulaDType, tensorsOf, viewOver } from "./elementwise.js";
import { type Shape } from "../shape.js";

/** What a reduction reduces, and the shape it leaves. */
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
  tensorsOf(name, [x]);
  const arg = name === "argmax" || name === "argmin";
  if (x.dtype === "bool" && name !== "max" && name !== "min") {
    throw codedError("DTYPE_MISMATCH", `${name}: expected a numeric dtype, found ${describe(x)}; cast it`);
  }
  if (name === "mean" && !isFloating(x.dtype)) {
    throw codedError("DTYPE_MISMATCH", `mean: expected a floating dtype, found ${describe(x)}; cast it`);
  }
  if (arg && options.axis === undefined) {
    return withoutTemporaries(x.device, () => {
      const result = reduceFormula(name, input(0), [x.reshape([x.size])], { axis: 0 });
      return options.keepdims === true ? result.reshape(x.shape.map(() => 1)) : result;
    });
  }
  if (arg && typeof options.axis !== "number") {
    throw codedError("BAD_ARGUMENT", `${name}: expected one axis, found ${JSON.stringify(options.axis)}`);
  }
  return reduceFormula(name, input(0), [x], options);
}

/**
 * epilogue(⊕ over axes of a formula of broadcast tensors): no intermediate of the full shape is formed.
 *
 * @param epilogue  A formula of input 0, the reduced value; for the mean its division unless given.
 */
export function reduceFormula(
  name: ReductionName,
  f: Expression,
  operands: readonly Tensor[],
  { axis, keepdims = false }: AxisOptions = {},
  epilogue: Expression | null = null,
): Tensor {
  const tensors = tensorsOf(name, operands);
  const shape = commonShape(name, tensors);
  const axes = normalizeAxes(name, axis, shape.length);
  const count = axes.reduce((product, k) => product * (shape[k] as number), 1);
  const arg = name === "argmax" || name === "argmin";
  if (count === 0 && (arg || name === "max" || name === "min" || name === "mean")) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${name}: expected at least one element to reduce, found shape ${formatShape(shape)} over axes ${formatShape(axes)}`,
    );
  }
  const monoid: Monoid = name === "mean" ? "sum" : name;
  const formed = formulaDType(name, f, tensors);
  const out = empty(
    tensors[0].device,
    arg ? "int32" : formed === "bool" ? dtypeOfTests(monoid, tensors) : formed,
    reducedShape(shape, axes, keepdims),
  );
  out.device.run({
    form: "reduce",
    out: shapedAs(out, reducedShape(shape, axes, false)),
    shape,
    axes,
    monoid,
    f,
    epilogue: epilogue ?? (name === "mean" ? apply("div", input(0), constant(count)) : null),
    operands: tensors.map((x) => viewOver(x, shape)),
  });
  return out;
}

/** Tests of numbers are counted in the numbers' dtype; of bools, the largest and smallest are bool. */
function dtypeOfTests(monoid: Monoid, tensors: readonly Tensor[]): DType {
  const numeric = tensors.find((x) => x.dtype !== "bool");
  return numeric?.dtype ?? (monoid === "max" || monoid === "min" ? "bool" : "float32");
}
