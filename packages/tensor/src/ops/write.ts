import { codedError } from "../errors.js";
import type { View } from "../kernel/kernel.js";
import type { Expression } from "../scalar/expression.js";
import { traceScalar, type ScalarFunction } from "../scalar/scalar.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { viewOver } from "./elementwise.js";

/** A function is traced once for each number of operands: a module's own functions, not closures made at every call. */
const formulas = new WeakMap<ScalarFunction, Expression[]>();

function formulaOf(f: ScalarFunction, arity: number): Expression {
  let known = formulas.get(f);
  if (known === undefined) formulas.set(f, (known = []));
  return (known[arity] ??= traceScalar("writeMap", f, arity));
}

/**
 * Writes f of broadcast operands over `out`, which nobody else has seen yet: a part of a tensor from `empty` that is
 * filled piece by piece. Operands may lie elsewhere in the same memory, or exactly where `out` does.
 *
 * @param f  A function that lives as long as its module.
 */
export function writeMap(out: Tensor, f: ScalarFunction, ...operands: readonly Tensor[]): void {
  out.device.run({
    form: "map",
    out,
    f: formulaOf(f, operands.length),
    operands: operands.map((x) => viewOver(x, out.shape)),
  });
}

/**
 * Writes f(a b, …operands) over `out` [M, N], which nobody else has seen yet; a [M, K], b [K, N]. Neither factor nor
 * operand may share memory with `out`, though they may be other parts of the same tensor.
 *
 * @param f  Of the product and broadcast operands: a function that lives as long as its module. The product unless given.
 */
export function writeProduct(
  out: Tensor,
  a: Tensor,
  b: Tensor,
  f: ScalarFunction | null = null,
  ...operands: readonly Tensor[]
): void {
  if (a.shape[1] !== b.shape[0]) {
    throw codedError(
      "SHAPE_MISMATCH",
      `writeProduct: expected a.shape[1] = b.shape[0], found ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  out.device.run({
    form: "contract",
    out: asBatch(out),
    a: asBatch(a),
    b: asBatch(b),
    epilogue: f === null ? null : formulaOf(f, 1 + operands.length),
    operands: operands.map((x) => asBatch(viewOver(x, out.shape))),
  });
}

const asBatch = ({ storage, dtype, shape, strides, offset }: View): View => ({
  storage,
  dtype,
  shape: [1, ...shape],
  strides: [0, ...strides],
  offset,
});
