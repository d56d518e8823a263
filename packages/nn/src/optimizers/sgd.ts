import type { Tensor } from "@robgrad/tensor";
import { apply, constant, input } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import { checkGradients, checkStepSize, type Optimizer } from "./optimizer.js";

/**
 * Gradient descent.
 *
 *   w ← w − α g
 *
 * @param stepSize  α ≥ 0, finite.
 * @returns         An optimizer without state.
 * @throws          BAD_ARGUMENT for another step size.
 * @see             Tutorial, §2.1.
 * @example         const optimizer = sgd({ stepSize: 0.5 });
 */
export function sgd({ stepSize }: { readonly stepSize: number }): Optimizer {
  checkStepSize("sgd", stepSize);
  const next = apply("sub", input(0), apply("mul", constant(stepSize), input(1)));
  return {
    update(gradients: ReadonlyMap<Parameter, Tensor>) {
      checkGradients("sgd", gradients);
      for (const [parameter, gradient] of gradients) parameter.cell.update(next, [gradient]);
    },
    dispose() {},
  };
}
