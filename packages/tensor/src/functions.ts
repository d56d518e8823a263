import type { SliceRange } from "./layout.js";
import type { AxisOptions } from "./ops/reduction.js";
import type { VarianceOptions } from "./ops/statistics.js";
import type { Tensor } from "./tensor.js";

interface AlongOptions {
  readonly axis: number;
}

/** Whatever has a method of that name: tensors, Variables, traced scalars. */
type With<Name extends string, Args extends readonly unknown[] = readonly []> = {
  readonly [K in Name]: (...args: Args) => unknown;
};
type Result<T, Name extends keyof T> = T[Name] extends (...args: never[]) => infer R ? R : never;

/**
 * −u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  neg(device.tensor([1, -2]))
 */
export function neg<T extends With<"neg">>(u: T): Result<T, "neg"> {
  return u.neg() as Result<T, "neg">;
}

/**
 * |u|, with derivative 0 at 0, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  abs(device.tensor([1, -2]))
 */
export function abs<T extends With<"abs">>(u: T): Result<T, "abs"> {
  return u.abs() as Result<T, "abs">;
}

/**
 * −1, 0 or 1, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  sign(device.tensor([3, -2]))
 */
export function sign<T extends With<"sign">>(u: T): Result<T, "sign"> {
  return u.sign() as Result<T, "sign">;
}

/**
 * The largest whole number ≤ u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  floor(device.tensor([1.5]))
 */
export function floor<T extends With<"floor">>(u: T): Result<T, "floor"> {
  return u.floor() as Result<T, "floor">;
}

/**
 * The smallest whole number ≥ u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  ceil(device.tensor([1.5]))
 */
export function ceil<T extends With<"ceil">>(u: T): Result<T, "ceil"> {
  return u.ceil() as Result<T, "ceil">;
}

/**
 * u without its fraction, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  trunc(device.tensor([-1.5]))
 */
export function trunc<T extends With<"trunc">>(u: T): Result<T, "trunc"> {
  return u.trunc() as Result<T, "trunc">;
}

/**
 * The nearest whole number, halves to even, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  round(device.tensor([2.5]))
 */
export function round<T extends With<"round">>(u: T): Result<T, "round"> {
  return u.round() as Result<T, "round">;
}

/**
 * eᵘ, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  exp(device.tensor([0, 1]))
 */
export function exp<T extends With<"exp">>(u: T): Result<T, "exp"> {
  return u.exp() as Result<T, "exp">;
}

/**
 * eᵘ − 1, accurate near 0, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  expm1(device.tensor([1e-6]))
 */
export function expm1<T extends With<"expm1">>(u: T): Result<T, "expm1"> {
  return u.expm1() as Result<T, "expm1">;
}

/**
 * ln u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  log(device.tensor([1, 2]))
 */
export function log<T extends With<"log">>(u: T): Result<T, "log"> {
  return u.log() as Result<T, "log">;
}

/**
 * ln(1 + u), accurate near 0, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  log1p(device.tensor([1e-6]))
 */
export function log1p<T extends With<"log1p">>(u: T): Result<T, "log1p"> {
  return u.log1p() as Result<T, "log1p">;
}

/**
 * √u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  sqrt(device.tensor([4]))
 */
export function sqrt<T extends With<"sqrt">>(u: T): Result<T, "sqrt"> {
  return u.sqrt() as Result<T, "sqrt">;
}

/**
 * u², element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  square(device.tensor([3]))
 */
export function square<T extends With<"square">>(u: T): Result<T, "square"> {
  return u.square() as Result<T, "square">;
}

/**
 * 1/u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  reciprocal(device.tensor([4]))
 */
export function reciprocal<T extends With<"reciprocal">>(u: T): Result<T, "reciprocal"> {
  return u.reciprocal() as Result<T, "reciprocal">;
}

/**
 * sin u, u in radians, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  sin(device.tensor([0, 1.5]))
 */
export function sin<T extends With<"sin">>(u: T): Result<T, "sin"> {
  return u.sin() as Result<T, "sin">;
}

/**
 * cos u, u in radians, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  cos(device.tensor([0, 1.5]))
 */
export function cos<T extends With<"cos">>(u: T): Result<T, "cos"> {
  return u.cos() as Result<T, "cos">;
}

/**
 * tan u, u in radians, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  tan(device.tensor([0.5]))
 */
export function tan<T extends With<"tan">>(u: T): Result<T, "tan"> {
  return u.tan() as Result<T, "tan">;
}

/**
 * arctan u in (−π/2, π/2), element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  atan(device.tensor([1]))
 */
export function atan<T extends With<"atan">>(u: T): Result<T, "atan"> {
  return u.atan() as Result<T, "atan">;
}

/**
 * sinh u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  sinh(device.tensor([1]))
 */
export function sinh<T extends With<"sinh">>(u: T): Result<T, "sinh"> {
  return u.sinh() as Result<T, "sinh">;
}

/**
 * cosh u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  cosh(device.tensor([1]))
 */
export function cosh<T extends With<"cosh">>(u: T): Result<T, "cosh"> {
  return u.cosh() as Result<T, "cosh">;
}

/**
 * tanh u, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  tanh(device.tensor([0.5]))
 */
export function tanh<T extends With<"tanh">>(u: T): Result<T, "tanh"> {
  return u.tanh() as Result<T, "tanh">;
}

/**
 * 1/(1 + e⁻ᵘ), element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  sigmoid(device.tensor([0]))
 */
export function sigmoid<T extends With<"sigmoid">>(u: T): Result<T, "sigmoid"> {
  return u.sigmoid() as Result<T, "sigmoid">;
}

/**
 * ln(1 + eᵘ), without overflow, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  softplus(device.tensor([1]))
 */
export function softplus<T extends With<"softplus">>(u: T): Result<T, "softplus"> {
  return u.softplus() as Result<T, "softplus">;
}

/**
 * ln cosh u, without overflow, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  logCosh(device.tensor([1]))
 */
export function logCosh<T extends With<"logCosh">>(u: T): Result<T, "logCosh"> {
  return u.logCosh() as Result<T, "logCosh">;
}

/**
 * max(u, 0), with derivative 0 at 0, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  relu(device.tensor([-1, 2]))
 */
export function relu<T extends With<"relu">>(u: T): Result<T, "relu"> {
  return u.relu() as Result<T, "relu">;
}

/**
 * True where u is neither NaN nor infinite, as bool, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  isFinite(device.tensor([1]))
 */
export function isFinite<T extends With<"isFinite">>(u: T): Result<T, "isFinite"> {
  return u.isFinite() as Result<T, "isFinite">;
}

/**
 * True where u is NaN, as bool, element by element.
 *
 * @param u  A tensor, Variable or traced scalar.
 * @returns  The same kind, with the shape of u.
 * @example  isNaN(device.tensor([1]))
 */
export function isNaN<T extends With<"isNaN">>(u: T): Result<T, "isNaN"> {
  return u.isNaN() as Result<T, "isNaN">;
}

/**
 * a + b, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  add(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function add<T extends With<"add", readonly [never]>>(
  a: T,
  b: Parameters<T["add"]>[0] | number,
): Result<T, "add"> {
  return a.add(b as never) as Result<T, "add">;
}

/**
 * a − b, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  sub(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function sub<T extends With<"sub", readonly [never]>>(
  a: T,
  b: Parameters<T["sub"]>[0] | number,
): Result<T, "sub"> {
  return a.sub(b as never) as Result<T, "sub">;
}

/**
 * a · b, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  mul(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function mul<T extends With<"mul", readonly [never]>>(
  a: T,
  b: Parameters<T["mul"]>[0] | number,
): Result<T, "mul"> {
  return a.mul(b as never) as Result<T, "mul">;
}

/**
 * a / b, for floating dtypes, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  div(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function div<T extends With<"div", readonly [never]>>(
  a: T,
  b: Parameters<T["div"]>[0] | number,
): Result<T, "div"> {
  return a.div(b as never) as Result<T, "div">;
}

/**
 * aᵇ, for floating dtypes, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  pow(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function pow<T extends With<"pow", readonly [never]>>(
  a: T,
  b: Parameters<T["pow"]>[0] | number,
): Result<T, "pow"> {
  return a.pow(b as never) as Result<T, "pow">;
}

/**
 * a − ⌊a/b⌋·b, with the sign of b, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  remainder(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function remainder<T extends With<"remainder", readonly [never]>>(
  a: T,
  b: Parameters<T["remainder"]>[0] | number,
): Result<T, "remainder"> {
  return a.remainder(b as never) as Result<T, "remainder">;
}

/**
 * The larger of two, NaN if either is; a tie halves the derivative, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  maximum(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function maximum<T extends With<"maximum", readonly [never]>>(
  a: T,
  b: Parameters<T["maximum"]>[0] | number,
): Result<T, "maximum"> {
  return a.maximum(b as never) as Result<T, "maximum">;
}

/**
 * The smaller of two, NaN if either is; a tie halves the derivative, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  minimum(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function minimum<T extends With<"minimum", readonly [never]>>(
  a: T,
  b: Parameters<T["minimum"]>[0] | number,
): Result<T, "minimum"> {
  return a.minimum(b as never) as Result<T, "minimum">;
}

/**
 * a = b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  equal(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function equal<T extends With<"equal", readonly [never]>>(
  a: T,
  b: Parameters<T["equal"]>[0] | number,
): Result<T, "equal"> {
  return a.equal(b as never) as Result<T, "equal">;
}

/**
 * a ≠ b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  notEqual(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function notEqual<T extends With<"notEqual", readonly [never]>>(
  a: T,
  b: Parameters<T["notEqual"]>[0] | number,
): Result<T, "notEqual"> {
  return a.notEqual(b as never) as Result<T, "notEqual">;
}

/**
 * a < b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  less(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function less<T extends With<"less", readonly [never]>>(
  a: T,
  b: Parameters<T["less"]>[0] | number,
): Result<T, "less"> {
  return a.less(b as never) as Result<T, "less">;
}

/**
 * a ≤ b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  lessEqual(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function lessEqual<T extends With<"lessEqual", readonly [never]>>(
  a: T,
  b: Parameters<T["lessEqual"]>[0] | number,
): Result<T, "lessEqual"> {
  return a.lessEqual(b as never) as Result<T, "lessEqual">;
}

/**
 * a > b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  greater(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function greater<T extends With<"greater", readonly [never]>>(
  a: T,
  b: Parameters<T["greater"]>[0] | number,
): Result<T, "greater"> {
  return a.greater(b as never) as Result<T, "greater">;
}

/**
 * a ≥ b, as bool, element by element with NumPy's broadcasting.
 *
 * @returns  The kind of a, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example  greaterEqual(device.tensor([1, 2]), device.tensor([[2], [1]]))
 */
export function greaterEqual<T extends With<"greaterEqual", readonly [never]>>(
  a: T,
  b: Parameters<T["greaterEqual"]>[0] | number,
): Result<T, "greaterEqual"> {
  return a.greaterEqual(b as never) as Result<T, "greaterEqual">;
}

/**
 * Both of two bools, element by element with NumPy's broadcasting.
 *
 * @returns  bool, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH unless both are bool.
 * @example  and(device.tensor([true, false]), device.tensor([[true], [false]]))
 */
export function and<T extends With<"and", readonly [never]>>(a: T, b: Parameters<T["and"]>[0]): Result<T, "and"> {
  return a.and(b as never) as Result<T, "and">;
}

/**
 * Either of two bools, element by element with NumPy's broadcasting.
 *
 * @returns  bool, with the broadcast shape.
 * @throws   SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH unless both are bool.
 * @example  or(device.tensor([true, false]), device.tensor([[true], [false]]))
 */
export function or<T extends With<"or", readonly [never]>>(a: T, b: Parameters<T["or"]>[0]): Result<T, "or"> {
  return a.or(b as never) as Result<T, "or">;
}

/**
 * The opposite of a bool, element by element.
 *
 * @returns  bool, with the shape of u.
 * @throws   DTYPE_MISMATCH unless u is bool.
 * @example  not(device.tensor([true, false]))
 */
export function not<T extends With<"not">>(u: T): Result<T, "not"> {
  return u.not() as Result<T, "not">;
}

/**
 * u held within [low, high], element by element; derivative 1 on the closed interval.
 *
 * @param low   A number or what broadcasts with u; `high` as well. Where low > high the result is high.
 * @returns     The kind of u, with the broadcast shape.
 * @throws      SHAPE_MISMATCH when the shapes do not broadcast, DTYPE_MISMATCH for operands of two dtypes.
 * @example     clamp(device.tensor([-3, 0.5]), -1, 1)
 */
export function clamp<T extends With<"clamp", readonly [never, never]>>(
  u: T,
  low: Parameters<T["clamp"]>[0] | number,
  high: Parameters<T["clamp"]>[1] | number,
): Result<T, "clamp"> {
  return u.clamp(low as never, high as never) as Result<T, "clamp">;
}

/**
 * Σ over axes; over all of them unless given.
 *
 * @param options  `axis`, one or several, negative from the end; `keepdims` leaves them with extent 1.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        sum(device.tensor([[1, 2], [3, 4]]), { axis: 0 })
 */
export function sum<T extends With<"sum", readonly [AxisOptions?]>>(x: T, options?: AxisOptions): Result<T, "sum"> {
  return x.sum(options) as Result<T, "sum">;
}

/**
 * The mean over axes; over all of them unless given.
 *
 * @param options  `axis`, one or several, negative from the end; `keepdims` leaves them with extent 1.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        mean(device.tensor([[1, 2], [3, 4]]), { axis: 0 })
 */
export function mean<T extends With<"mean", readonly [AxisOptions?]>>(x: T, options?: AxisOptions): Result<T, "mean"> {
  return x.mean(options) as Result<T, "mean">;
}

/**
 * The largest element over axes, NaN if any is; over all of them unless given.
 *
 * @param options  `axis`, one or several, negative from the end; `keepdims` leaves them with extent 1.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        max(device.tensor([[1, 2], [3, 4]]), { axis: 0 })
 */
export function max<T extends With<"max", readonly [AxisOptions?]>>(x: T, options?: AxisOptions): Result<T, "max"> {
  return x.max(options) as Result<T, "max">;
}

/**
 * The smallest element over axes, NaN if any is; over all of them unless given.
 *
 * @param options  `axis`, one or several, negative from the end; `keepdims` leaves them with extent 1.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        min(device.tensor([[1, 2], [3, 4]]), { axis: 0 })
 */
export function min<T extends With<"min", readonly [AxisOptions?]>>(x: T, options?: AxisOptions): Result<T, "min"> {
  return x.min(options) as Result<T, "min">;
}

/**
 * ∏ over axes; over all of them unless given.
 *
 * @param options  `axis`, one or several, negative from the end; `keepdims` leaves them with extent 1.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        product(device.tensor([[1, 2], [3, 4]]), { axis: 0 })
 */
export function product<T extends With<"product", readonly [AxisOptions?]>>(
  x: T,
  options?: AxisOptions,
): Result<T, "product"> {
  return x.product(options) as Result<T, "product">;
}

/**
 * Squared deviations from the mean, summed over axes and divided by n − correction.
 *
 *   Σ (x − x̄)² / (n − correction)
 *
 * @param options  `axis` and `keepdims` as in `sum`; `correction`, 0 unless given.
 * @returns        The kind of x, without the reduced axes.
 * @throws         BAD_ARGUMENT unless n > correction, DTYPE_MISMATCH unless floating.
 * @example        variance(device.tensor([1, 2, 3]), { correction: 1 })
 */
export function variance<T extends With<"variance", readonly [VarianceOptions?]>>(
  x: T,
  options?: VarianceOptions,
): Result<T, "variance"> {
  return x.variance(options) as Result<T, "variance">;
}

/**
 * Matrix product of the last two axes, batched over the broadcast of the others.
 *
 *   C[…, m, n] = Σₖ A[…, m, k] · B[…, k, n]
 *
 * @throws   SHAPE_MISMATCH unless the contracted extents agree.
 * @example  matmul(device.eye(2), device.ones([2, 3]))
 */
export function matmul<T extends With<"matmul", readonly [never]>>(
  a: T,
  b: Parameters<T["matmul"]>[0],
): Result<T, "matmul"> {
  return a.matmul(b as never) as Result<T, "matmul">;
}

/**
 * Index of the largest element along `axis`, the lowest on a tie.
 *
 * @returns  int32, without the axis; over all elements unless an axis is given.
 * @example  argmax(device.tensor([[1, 3], [4, 2]]), { axis: 1 })
 */
export function argmax(x: Tensor, options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
  return x.argmax(options);
}

/**
 * Index of the smallest element along `axis`, the lowest on a tie.
 *
 * @returns  int32, without the axis; over all elements unless an axis is given.
 * @example  argmin(device.tensor([[1, 3], [4, 2]]), { axis: 1 })
 */
export function argmin(x: Tensor, options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
  return x.argmin(options);
}

/**
 * Elements in ascending order along `axis` (the last by default), NaN last.
 *
 * @returns  A tensor of the same shape.
 * @example  sort(device.tensor([3, 1, 2]))
 */
export function sort(x: Tensor, options?: { readonly axis?: number }): Tensor {
  return x.sort(options);
}

/**
 * Indices that sort along an axis; equal elements keep their order, NaN comes last.
 *
 * @param options  `axis`, the last unless given.
 * @returns        int32, a tensor of the same shape.
 * @example        argsort(device.tensor([3, 1, 2]))
 */
export function argsort(x: Tensor, options?: { readonly axis?: number }): Tensor {
  return x.argsort(options);
}

/**
 * The k largest elements along an axis in descending order, the lowest index first on a tie and NaN last.
 *
 * @param options  `axis`, the last unless given.
 * @returns        `values` and their `indices` (int32), with extent k along the axis.
 * @throws         BAD_ARGUMENT unless 1 ≤ k ≤ extent.
 * @example        topk(device.tensor([3, 1, 2]), 2).values
 */
export function topk(
  x: Tensor,
  k: number,
  options?: { readonly axis?: number },
): { readonly values: Tensor; readonly indices: Tensor } {
  return x.topk(k, options);
}

/**
 * The middle element along an axis, or the mean of the two middle ones; NaN if any is.
 *
 * @param options  `axis`, without which over all elements; `keepdims` leaves it with extent 1.
 * @throws         SHAPE_MISMATCH over no elements, DTYPE_MISMATCH unless floating.
 * @example        median(device.tensor([5, 1, 3]))
 */
export function median(x: Tensor, options?: { readonly axis?: number; readonly keepdims?: boolean }): Tensor {
  return x.median(options);
}

/**
 * Running sums along an axis.
 *
 * @returns  The kind of x, with the same shape.
 * @throws   BAD_ARGUMENT for an axis out of range, DTYPE_MISMATCH for bool.
 * @example  cumsum(device.ones([2, 3]), { axis: 1 })
 */
export function cumsum<T extends With<"cumsum", readonly [AlongOptions]>>(
  x: T,
  options: AlongOptions,
): Result<T, "cumsum"> {
  return x.cumsum(options) as Result<T, "cumsum">;
}

/**
 * The same elements in row-major order under another shape; one extent may be −1.
 *
 * @throws   SHAPE_MISMATCH for another number of elements.
 * @example  reshape(device.arange(6), [2, -1])
 */
export function reshape<T extends With<"reshape", readonly [readonly number[]]>>(
  x: T,
  shape: readonly number[],
): Result<T, "reshape"> {
  return x.reshape(shape) as Result<T, "reshape">;
}

/**
 * Repeats axes of extent 1 and missing leading ones.
 *
 * @throws   SHAPE_MISMATCH where the shape does not broadcast to that.
 * @example  broadcastTo(device.tensor([1, 2]), [3, 2])
 */
export function broadcastTo<T extends With<"broadcastTo", readonly [readonly number[]]>>(
  x: T,
  shape: readonly number[],
): Result<T, "broadcastTo"> {
  return x.broadcastTo(shape) as Result<T, "broadcastTo">;
}

/**
 * Axes in another order; reversed unless an order is given.
 *
 * @throws   BAD_ARGUMENT unless every axis is there once.
 * @example  permute(device.zeros([2, 3, 4]), [2, 0, 1])
 */
export function permute<T extends With<"permute", readonly [(readonly number[])?]>>(
  x: T,
  order?: readonly number[],
): Result<T, "permute"> {
  return x.permute(order) as Result<T, "permute">;
}

/**
 * The last two axes exchanged.
 *
 * @throws   SHAPE_MISMATCH for fewer than two axes.
 * @example  transpose(device.zeros([2, 3]))
 */
export function transpose<T extends With<"transpose">>(x: T): Result<T, "transpose"> {
  return x.transpose() as Result<T, "transpose">;
}

/**
 * Part of the leading axes: `[start, stop]` per axis, stop left out; null takes the whole axis.
 *
 * @throws   BAD_ARGUMENT for more ranges than axes.
 * @example  slice(device.arange(12).reshape([3, 4]), [1], [0, -1])
 */
export function slice<T extends With<"slice", readonly SliceRange[]>>(
  x: T,
  ...ranges: readonly SliceRange[]
): Result<T, "slice"> {
  return x.slice(...ranges) as Result<T, "slice">;
}

/**
 * Slices of an axis chosen by int32 indices of any shape.
 *
 * @param options  `axis`, 0 unless given, negative from the end.
 * @returns        shape[:axis] + indices.shape + shape[axis + 1:].
 * @throws         DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
 * @example        gather(device.eye(3), device.tensor([2, 0], { dtype: "int32" }))
 */
export function gather<T extends With<"gather", readonly [Tensor, { readonly axis?: number }?]>>(
  x: T,
  indices: Tensor,
  options?: { readonly axis?: number },
): Result<T, "gather"> {
  return x.gather(indices, options) as Result<T, "gather">;
}

/**
 * Elements chosen one by one along an axis by int32 indices of the same shape but for that axis.
 *
 * @throws   SHAPE_MISMATCH, DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
 * @example  takeAlongAxis(device.eye(2), device.tensor([[1], [1]], { dtype: "int32" }), { axis: 1 })
 */
export function takeAlongAxis<T extends With<"takeAlongAxis", readonly [Tensor, AlongOptions]>>(
  x: T,
  indices: Tensor,
  options: AlongOptions,
): Result<T, "takeAlongAxis"> {
  return x.takeAlongAxis(indices, options) as Result<T, "takeAlongAxis">;
}
