import { codedError, type Tensor } from "@robgrad/tensor";
import { formatShape, normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isCarried, moveTo, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import { permuteScattered } from "../scattered-samples.js";
import type { Variable } from "../variable.js";

/** y's axis k is x's axis order[k]. */
export class PermuteFunction extends FunctionNode {
  readonly #order: readonly number[];
  readonly #label: string;

  constructor(order: readonly number[], label: string) {
    super();
    this.#order = order;
    this.#label = label;
  }

  override get label(): string {
    return this.#label;
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.permute(this.#order)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const inverse = this.#order.map((_, axis) => this.#order.indexOf(axis));
    return [() => new PermuteFunction(inverse, this.#label).apply(gy)[0] as Variable];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    if (state.kind === "scattered") {
      return flow.settleLabels(permuteScattered(state, this.inputShape(0), this.#order), this.outputShape(0), samples);
    }
    return isCarried(state) ? moveTo(state, this.#order.indexOf(state.axis)) : state;
  }
}

export function permute(x: Variable, order?: readonly number[]): Variable {
  const rank = x.shape.length;
  const axes =
    order === undefined
      ? x.shape.map((_, axis) => rank - 1 - axis)
      : order.map((axis) => normalizeAxis("permute", axis, rank));
  return new PermuteFunction(axes, "permute").apply(x)[0] as Variable;
}

export function transpose(x: Variable): Variable {
  const rank = x.shape.length;
  if (rank < 2)
    throw codedError(
      "SHAPE_MISMATCH",
      `transpose: expected at least two axes, found ${x.dtype} ${formatShape(x.shape)}`,
    );
  const order = x.shape.map((_, axis) => axis);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return new PermuteFunction(order, "transpose").apply(x)[0] as Variable;
}
