import type { Tensor } from "@robgrad/tensor";
import { variableOf } from "../functions/operand.js";
import type { Variable } from "../variable.js";
import { pullback } from "./pullback.js";

/** A value and the map from gradients in it to gradients in what it was computed from. */
export interface VectorJacobian<G> {
  readonly value: Variable;
  /** v ↦ vᵀ J, for v in the shape of the value; may be called any number of times. */
  readonly pullback: (v: Variable | Tensor) => G;
}

/**
 * A function's value with its vector-Jacobian product.
 *
 *   pullback(v) = Jᵀ v,   J = ∂f/∂x
 *
 * @param f  Of one Variable, or of several where x is a list; returns a Variable of any shape.
 * @param x  Where: a Variable or tensor, or a list of them.
 * @returns  `value` and `pullback`, which returns one gradient, or a list where x is one.
 * @throws   SHAPE_MISMATCH when v has another shape than the value.
 * @example  const { value, pullback } = vjp((x) => x.square(), device.tensor([1, 2])); pullback(device.ones([2]));
 */
export function vjp(f: (x: Variable) => Variable, x: Variable | Tensor): VectorJacobian<Variable>;
export function vjp<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  x: { readonly [K in keyof A]: Variable | Tensor },
): VectorJacobian<Variable[]>;
export function vjp(
  f: (...args: Variable[]) => Variable,
  x: Variable | Tensor | readonly (Variable | Tensor)[],
): VectorJacobian<Variable | Variable[]> {
  const args = isList(x) ? x : [x];
  const { value, pull } = pullback("vjp", f, args);
  return {
    value,
    pullback: (v) => {
      const gradients = pull(
        variableOf("vjp", v),
        args.map((_, k) => k),
      );
      return isList(x) ? gradients : (gradients[0] as Variable);
    },
  };
}

function isList(x: Variable | Tensor | readonly (Variable | Tensor)[]): x is readonly (Variable | Tensor)[] {
  return Array.isArray(x);
}
