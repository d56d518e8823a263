import { scatterAdd as scatterTensors, type Tensor } from "@robgrad/tensor";
import { normalizeAxis } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isCarried, mixedAlong, moveTo, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { tensorOf, variableOf } from "./operand.js";

type Mode = "slices" | "elements";

/** Updates added up at indexed places: the transpose of gather and takeAlongAxis. */
export class ScatterAddFunction extends FunctionNode {
  readonly #indices: Tensor;
  readonly #axis: number;
  readonly #size: number;
  readonly #mode: Mode;

  constructor(indices: Tensor, axis: number, size: number, mode: Mode) {
    super();
    this.#indices = this.keep(indices);
    this.#axis = axis;
    this.#size = size;
    this.#mode = mode;
  }

  override get label(): string {
    return "scatterAdd";
  }

  forward([updates]: readonly [Tensor]): readonly Tensor[] {
    return [scatterTensors(this.#indices, updates, { axis: this.#axis, size: this.#size, mode: this.#mode })];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const options = { axis: this.#axis };
    return [
      () => (this.#mode === "slices" ? gy.gather(this.#indices, options) : gy.takeAlongAxis(this.#indices, options)),
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { flow }: SampleTracking): SampleAxis {
    if (this.#mode === "elements") return flow.alongSamples("scatterAdd", state, this.#axis);
    if (!isCarried(state) || state.axis < this.#axis) return state;
    const { length } = this.#indices.shape;
    return state.axis < this.#axis + length ? mixedAlong("scatterAdd", state) : moveTo(state, state.axis - length + 1);
  }
}

/**
 * Adds up updates at indexed places of an otherwise zero Variable: the transpose of `gather` or `takeAlongAxis`.
 *
 * @param updates  With `indices` as in `gather`, slices: shape[:axis] + indices.shape + shape[axis + 1:]; with `indices`
 *                 of the same shape and mode "elements", element by element along `axis`.
 * @param options  `axis` of the result, its extent `size` there, and `mode`: "slices" (gather) or "elements".
 * @returns        The updates' shape with `size` along `axis`.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
 * @example        scatterAdd(device.tensor([0, 2, 0], { dtype: "int32" }), new Variable(device.ones([3, 4])), { size: 3 })
 */
export function scatterAdd(
  indices: Variable | Tensor,
  updates: Variable | Tensor,
  { axis = 0, size, mode = "slices" }: { readonly axis?: number; readonly size: number; readonly mode?: Mode },
): Variable {
  const places = tensorOf("scatterAdd", indices);
  const from = variableOf("scatterAdd", updates);
  const rank = mode === "slices" ? from.shape.length - places.shape.length + 1 : from.shape.length;
  return new ScatterAddFunction(places, normalizeAxis("scatterAdd", axis, rank), size, mode).apply(from)[0] as Variable;
}
