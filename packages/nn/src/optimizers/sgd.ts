import type { Tensor } from "@robgrad/tensor";
import { apply, input } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import { checkGradients, type Optimizer } from "./optimizer.js";
import { rateConstant, withDecay, type Rate, type VaryingRate } from "./rate.js";

/**
 * Gradient descent.
 *
 *   w ← w − α (g + λ w)
 *
 * @param stepSize     α ≥ 0: a number, a schedule or `follow(cell)`.
 * @param weightDecay  λ ≥ 0, likewise; 0 unless given.
 * @returns            An optimizer whose only state is the number of updates, if a schedule asks for it.
 * @throws             BAD_ARGUMENT for other rates.
 * @see                Tutorial, §2.1.
 * @example            const optimizer = sgd({ stepSize: 0.5 });
 */
export function sgd({
  stepSize,
  weightDecay = 0,
}: {
  readonly stepSize: Rate;
  readonly weightDecay?: Rate;
}): Optimizer {
  const make = (stepSize as Partial<VaryingRate> | undefined)?.sgd ?? (weightDecay as Partial<VaryingRate> | null)?.sgd;
  if (make !== undefined) return make(stepSize, weightDecay);
  const next = apply(
    "sub",
    input(0),
    apply("mul", rateConstant("sgd", "stepSize", stepSize), withDecay(rateConstant("sgd", "weightDecay", weightDecay))),
  );
  return {
    update(gradients: ReadonlyMap<Parameter, Tensor>) {
      checkGradients("sgd", gradients);
      for (const [parameter, gradient] of gradients) parameter.cell.update(next, [gradient]);
    },
    state: () => new Map(),
    dispose() {},
  };
}
