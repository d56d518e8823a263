import type { Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { scatterAdd } from "./scatter-add.js";

/** Elements in ascending order; equal elements keep theirs, and so does their gradient. */
export class SortFunction extends FunctionNode {
  readonly axis: number;
  order: Tensor | undefined;

  constructor(axis: number) {
    super();
    this.axis = axis;
  }

  override get label(): string {
    return "sort";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    if (!this.requiresGrad(0)) return [x.sort({ axis: this.axis })];
    this.order = x.argsort({ axis: this.axis });
    return [x.takeAlongAxis(this.order, { axis: this.axis })];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const size = this.inputShape(0)[this.axis] as number;
    return [() => scatterAdd(this.order as Tensor, gy, { axis: this.axis, size, mode: "elements" })];
  }

  override sampleAxis([state]: readonly [SampleAxis], { flow }: SampleTracking): SampleAxis {
    return flow.alongSamples("sort", state, this.axis);
  }
}

/**
 * Elements in ascending order along `axis` (the last by default).
 *
 * @returns  A Variable of the same shape.
 * @example  sort(new Variable(device.tensor([3, 1, 2])))
 */
export function sort(x: Variable, { axis = -1 }: { readonly axis?: number } = {}): Variable {
  return new SortFunction(normalizeAxis("sort", axis, x.shape.length)).apply(x)[0] as Variable;
}
