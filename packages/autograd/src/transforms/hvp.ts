import type { Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { gradientOf } from "./hessian.js";
import { jvp } from "./jvp.js";

/**
 * The product of a scalar function's Hessian with a vector, forward over reverse: the tangent of the gradient. It costs
 * a few times the gradient, whatever the number of elements; no Hessian is formed.
 *
 *   H v,   H = ∂²f/∂x²
 *
 * @param f  Of one Variable, or of several where x is a list; returns one element.
 * @param x  Where: a Variable or tensor, or a list of them.
 * @param v  The vector, in the shape of x; in a list, null stands for zeros.
 * @returns  H v, in the shape of x; a list where x is one.
 * @throws   SHAPE_MISMATCH when f returns more than one element, or when v has another shape than x.
 * @see      B. Pearlmutter (1994), Fast Exact Multiplication by the Hessian.
 * @example  hvp((x) => x.pow(3).sum(), device.tensor([1, 2]), device.tensor([1, 0]))
 */
export function hvp(f: (x: Variable) => Variable, x: Variable | Tensor, v: Variable | Tensor): Variable;
export function hvp<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  x: { readonly [K in keyof A]: Variable | Tensor },
  v: { readonly [K in keyof A]: Variable | Tensor | null },
): Variable[];
export function hvp(
  f: (...args: Variable[]) => Variable,
  x: Variable | Tensor | readonly (Variable | Tensor)[],
  v: Variable | Tensor | readonly (Variable | Tensor | null)[],
): Variable | Variable[] {
  const isList = Array.isArray(x);
  const args = (isList ? x : [x]) as readonly (Variable | Tensor)[];
  const direction = (Array.isArray(v) ? v : [v]) as readonly (Variable | Tensor | null)[];
  const { tangent } = jvp(gradientOf("hvp", f), args, direction);
  return isList ? [...tangent] : (tangent[0] as Variable);
}
