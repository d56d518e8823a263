import { scatterAdd as scatterTensors, type Tensor } from "@robgrad/tensor";
import { normalizeAxis, sizeOf } from "@robgrad/tensor/kernels";
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

  /** Row n adds up sample n's slices: a table of embeddings. */
  override backwardSamples(
    [gy]: readonly [Variable],
    { samples, inputs: [from], outputs: [state], flow }: SampleContext,
  ) {
    const axis = this.#axis;
    const rank = this.#indices.shape.length;
    if (from?.kind !== "none" || !isCarried(state) || state.axis < axis || state.axis >= axis + rank) return [null];
    return [
      () => {
        const shape = this.inputShape(0);
        const size = shape[axis] as number;
        const depth = shape.slice(0, axis).length;
        // [N, T·rest of indices, before, after] of both, then one scatter over sample and index together.
        const values = flow.bySample(gy.value, state, samples);
        const places = flow.bySample(this.#indices, { ...state, axis: state.axis - axis }, samples);
        const chosen = places.reshape([samples, -1]);
        const count = chosen.shape[1] as number;
        const first = gy.device.arange(samples, { dtype: "int32" }).mul(size).reshape([samples, 1]);
        const order = [
          0,
          1,
          ...values.shape.map((_, k) => k).slice(2 + depth, 2 + depth + rank - 1),
          ...values.shape.map((_, k) => k).slice(2, 2 + depth),
          ...values.shape.map((_, k) => k).slice(2 + depth + rank - 1),
        ];
        const before = shape.slice(0, axis);
        const after = shape.slice(axis + 1);
        const updates = values.permute(order).reshape([samples * count, sizeOf(before), sizeOf(after)]);
        const rows = scatterTensors(chosen.add(first).reshape([samples * count]), updates, { size: samples * size });
        return flow.denseSamples(
          rows
            .reshape([samples, size, sizeOf(before), sizeOf(after)])
            .permute([0, 2, 1, 3])
            .reshape([samples, ...shape]),
        );
      },
    ];
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
