import type { DType, Tensor } from "@robgrad/tensor";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { isFloating } from "@robgrad/tensor/kernels";

/** The same values in another floating dtype. */
export class CastFunction extends FunctionNode {
  readonly #from: DType;
  readonly #to: DType;

  constructor(from: DType, to: DType) {
    super();
    this.#from = from;
    this.#to = to;
  }

  override get label(): string {
    return "cast";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.cast(this.#to)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => cast(gy, this.#from)];
  }

  override sampleAxis([state]: readonly [SampleAxis]): SampleAxis {
    return state;
  }
}

export function cast(x: Variable, dtype: DType): Variable {
  if (x.dtype === dtype) return x;
  if (!isFloating(x.dtype) || !isFloating(dtype)) return makeVariable(x.current.cast(dtype));
  return new CastFunction(x.dtype, dtype).apply(x)[0] as Variable;
}
