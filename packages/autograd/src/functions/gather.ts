import type { Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isCarried, moveTo, none, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { tensorOf } from "./operand.js";
import { scatterAdd } from "./scatter-add.js";

/** Slices of an axis chosen by indices. */
export class GatherFunction extends FunctionNode {
  readonly #indices: Tensor;
  readonly #axis: number;

  constructor(indices: Tensor, axis: number) {
    super();
    this.#indices = this.keep(indices);
    this.#axis = axis;
  }

  override get label(): string {
    return "gather";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.gather(this.#indices, { axis: this.#axis })];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const size = this.inputShape(0)[this.#axis] as number;
    return [() => scatterAdd(this.#indices, gy, { axis: this.#axis, size })];
  }

  /** Row n adds up sample n's slices. */
  override backwardSamples(
    [gy]: readonly [Variable],
    { samples, inputs: [from], outputs: [state], flow }: SampleContext,
  ) {
    const axis = this.#axis;
    const rank = this.#indices.shape.length;
    if (from?.kind !== "none" || !isCarried(state) || state.axis < axis || state.axis >= axis + rank) return [null];
    return [() => flow.gatheredRows(gy.value, this.#indices, axis, this.inputShape(0), state, samples)];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    const axis = this.#axis;
    if (state.kind === "none")
      return this.#indices.shape[0] === samples ? { kind: "axis", axis, assumed: "length" } : none;
    if (!isCarried(state)) return state;
    if (state.axis === axis) return flow.alongSamples("gather", state, axis);
    return state.axis < axis ? state : moveTo(state, state.axis + this.#indices.shape.length - 1);
  }
}

export function gather(
  x: Variable,
  indices: Variable | Tensor,
  { axis = 0 }: { readonly axis?: number } = {},
): Variable {
  return new GatherFunction(tensorOf("gather", indices), normalizeAxis("gather", axis, x.shape.length)).apply(
    x,
  )[0] as Variable;
}
