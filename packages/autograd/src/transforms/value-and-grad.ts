import { codedError, type Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { onesFor } from "../backward.js";
import type { Variable } from "../variable.js";
import { pullback } from "./pullback.js";

/** Which arguments of a function are differentiated in. */
export interface GradOptions<Argument extends number | readonly number[]> {
  /** Which argument to differentiate in: the first (0) unless given, or a list of them. */
  readonly argument?: Argument;
}

/**
 * The value of a scalar function and its gradient, in one pass.
 *
 * @param f        Of Variables; returns one element.
 * @param options  `argument`: which argument to differentiate in, the first (0) unless given, or a list of them.
 * @returns        A function of Variables or tensors that returns [value, gradient].
 * @throws         SHAPE_MISMATCH when f returns more than one element, BAD_ARGUMENT for an argument it does not have.
 * @example        const [y, dy] = valueAndGrad((x) => x.square().sum())(device.tensor([1, 2]));
 */
export function valueAndGrad<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  options?: GradOptions<number>,
): (...args: { [K in keyof A]: Variable | Tensor }) => [value: Variable, gradient: Variable];
export function valueAndGrad<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  options: GradOptions<readonly number[]>,
): (...args: { [K in keyof A]: Variable | Tensor }) => [value: Variable, gradients: Variable[]];
export function valueAndGrad(
  f: (...args: Variable[]) => Variable,
  { argument = 0 }: GradOptions<number> | GradOptions<readonly number[]> = {},
): (...args: (Variable | Tensor)[]) => [Variable, Variable | Variable[]] {
  return (...args) => {
    const { value, pull } = pullback("grad", f, args);
    if (value.size !== 1) {
      throw codedError(
        "SHAPE_MISMATCH",
        `grad: expected the function to return one element, found ${value.dtype} ${formatShape(value.shape)}`,
      );
    }
    const gradients = pull(onesFor(value.node), typeof argument === "number" ? [argument] : argument);
    return [value, typeof argument === "number" ? (gradients[0] as Variable) : gradients];
  };
}
