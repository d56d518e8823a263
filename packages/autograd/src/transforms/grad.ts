import { type Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { valueAndGrad, type GradOptions } from "./value-and-grad.js";

/**
 * The gradient of a scalar function, as a function.
 *
 *   grad(f)(x, …) = ∇ₓ f(x, …)
 *
 * The result is a Variable with its history: `grad(grad(f))` is the second derivative.
 *
 * @param f        Of Variables; returns one element.
 * @param options  `argument`: which argument to differentiate in, the first (0) unless given, or a list of them.
 * @returns        A function of Variables or tensors; the gradient, or a list for a list.
 * @throws         SHAPE_MISMATCH when f returns more than one element, BAD_ARGUMENT for an argument it does not have.
 * @example        grad(grad((x) => x.pow(3).sum()))(device.tensor([2]))
 */
export function grad<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  options?: GradOptions<number>,
): (...args: { [K in keyof A]: Variable | Tensor }) => Variable;
export function grad<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  options: GradOptions<readonly number[]>,
): (...args: { [K in keyof A]: Variable | Tensor }) => Variable[];
export function grad(
  f: (...args: Variable[]) => Variable,
  options: GradOptions<number> | GradOptions<readonly number[]> = {},
): (...args: (Variable | Tensor)[]) => Variable | Variable[] {
  const both = valueAndGrad(f, options as GradOptions<number>);
  return (...args) => both(...args)[1];
}
