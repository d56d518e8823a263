import type { Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { tensorOf } from "./operand.js";
import { scatterAdd } from "./scatter-add.js";

/** Elements chosen one by one along an axis. */
export class TakeAlongAxisFunction extends FunctionNode {
  readonly #indices: Tensor;
  readonly #axis: number;

  constructor(indices: Tensor, axis: number) {
    super();
    this.#indices = this.keep(indices);
    this.#axis = axis;
  }

  override get label(): string {
    return "takeAlongAxis";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.takeAlongAxis(this.#indices, { axis: this.#axis })];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const size = this.inputShape(0)[this.#axis] as number;
    return [() => scatterAdd(this.#indices, gy, { axis: this.#axis, size, mode: "elements" })];
  }

  override sampleAxis([state]: readonly [SampleAxis], { flow }: SampleTracking): SampleAxis {
    return flow.alongSamples("takeAlongAxis", state, this.#axis);
  }
}

export function takeAlongAxis(x: Variable, indices: Variable | Tensor, { axis }: { readonly axis: number }): Variable {
  const along = normalizeAxis("takeAlongAxis", axis, x.shape.length);
  return new TakeAlongAxisFunction(tensorOf("takeAlongAxis", indices), along).apply(x)[0] as Variable;
}
