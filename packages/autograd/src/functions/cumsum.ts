import type { Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { gather } from "./gather.js";

/** Running sums along an axis. */
export class CumsumFunction extends FunctionNode {
  readonly #axis: number;

  constructor(axis: number) {
    super();
    this.#axis = axis;
  }

  override get label(): string {
    return "cumsum";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.cumsum({ axis: this.#axis })];
  }

  /** Running sums from the other end: turned round by indices, since a total minus a running sum would cancel. */
  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const axis = this.#axis;
    return [
      () => {
        const extent = gy.shape[axis] as number;
        const backwards = gy.device.arange(-1, { start: extent - 1, step: -1, dtype: "int32" });
        return gather(cumsum(gather(gy, backwards, { axis }), { axis }), backwards, { axis });
      },
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { flow }: SampleTracking): SampleAxis {
    return flow.alongSamples("cumsum", state, this.#axis);
  }
}

export function cumsum(x: Variable, { axis }: { readonly axis: number }): Variable {
  return new CumsumFunction(normalizeAxis("cumsum", axis, x.shape.length)).apply(x)[0] as Variable;
}
