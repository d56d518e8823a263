import { codedError, type Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { onesFor } from "../backward.js";
import type { Variable } from "../variable.js";
import { jacobianForward } from "./jacobian.js";
import { pullback } from "./pullback.js";

/**
 * The Hessian of a scalar function, as a function: the Jacobian of its gradient, forward over reverse.
 *
 *   hessian(f)(x)[i, j] = ∂²f/∂xᵢ∂xⱼ,   i and j over the axes of x
 *
 * One tangent per element of x: for its product with a vector, `hvp` is cheaper.
 *
 * @param f  Of one Variable; returns one element.
 * @returns  A function of a Variable or tensor: [...x.shape, ...x.shape].
 * @throws   SHAPE_MISMATCH when f returns more than one element.
 * @example  hessian((x) => x.pow(3).sum())(device.tensor([1, 2]))
 */
export function hessian(f: (x: Variable) => Variable): (x: Variable | Tensor) => Variable {
  const gradient = gradientOf("hessian", f as (...args: Variable[]) => Variable);
  return jacobianForward((x) => gradient(x)[0] as Variable);
}

/** The gradients of a scalar function in all of its arguments. */
export function gradientOf(
  subject: string,
  f: (...args: Variable[]) => Variable,
): (...args: Variable[]) => readonly Variable[] {
  return (...args) => {
    const { value, pull } = pullback(subject, f, args);
    if (value.size !== 1) {
      throw codedError(
        "SHAPE_MISMATCH",
        `${subject}: expected the function to return one element, found ${value.dtype} ${formatShape(value.shape)}`,
      );
    }
    return pull(onesFor(value.node), [...args.keys()]);
  };
}
