import { codedError, type Cell, type Tensor } from "@robgrad/tensor";
import { apply, constant, input } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import { checkGradients, checkStepSize, type Optimizer } from "./optimizer.js";

/**
 * Gradient descent with momentum.
 *
 *   v ← μ v + g,   w ← w − α v
 *
 * @param stepSize  α ≥ 0, finite.
 * @param momentum  μ in [0, 1), 0.9 unless given.
 * @returns         An optimizer with one velocity cell per parameter.
 * @throws          BAD_ARGUMENT for values out of range.
 * @see             B. Polyak (1964), Some methods of speeding up the convergence of iteration methods.
 * @example         const optimizer = momentum({ stepSize: 0.1 });
 */
export function momentum({
  stepSize,
  momentum: rate = 0.9,
}: {
  readonly stepSize: number;
  readonly momentum?: number;
}): Optimizer {
  checkStepSize("momentum", stepSize);
  if (!(rate >= 0 && rate < 1))
    throw codedError("BAD_ARGUMENT", `momentum: expected momentum in [0, 1), found ${rate}`);
  const accumulate = apply("add", apply("mul", constant(rate), input(0)), input(1));
  const next = apply("sub", input(0), apply("mul", constant(stepSize), input(1)));
  const velocities = new Map<Parameter, Cell>();
  const velocityOf = (parameter: Parameter): Cell => {
    let velocity = velocities.get(parameter);
    if (velocity === undefined) {
      const { device, shape, dtype } = parameter.cell;
      velocity = device.beforeStep(() => {
        const zeros = device.zeros(shape, { dtype });
        const cell = device.cell(zeros);
        zeros.dispose();
        return cell;
      });
      velocities.set(parameter, velocity);
    }
    return velocity;
  };
  return {
    update(gradients: ReadonlyMap<Parameter, Tensor>) {
      checkGradients("momentum", gradients);
      for (const [parameter, gradient] of gradients) {
        const velocity = velocityOf(parameter);
        velocity.update(accumulate, [gradient]);
        parameter.cell.update(next, [velocity.current]);
      }
    },
    dispose() {
      for (const velocity of velocities.values()) velocity.dispose();
      velocities.clear();
    },
  };
}
