import type { Tensor } from "@robgrad/tensor";
import { sameShape } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";

/** The same elements in the same order under another shape. */
export class ReshapeFunction extends FunctionNode {
  readonly #shape: readonly number[];

  constructor(shape: readonly number[]) {
    super();
    this.#shape = shape;
  }

  override get label(): string {
    return "reshape";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.reshape(this.#shape)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => reshape(gy, this.inputShape(0))];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    return flow.reshapeSamples(state, this.inputShape(0), this.outputShape(0), samples);
  }
}

export function reshape(x: Variable, shape: readonly number[]): Variable {
  if (sameShape(x.shape, shape)) return x;
  return new ReshapeFunction(shape).apply(x)[0] as Variable;
}

/** The same value as another Variable: what is done to it can be told from what is done to x. */
export function alias(x: Variable): Variable {
  return new ReshapeFunction(x.shape).apply(x)[0] as Variable;
}
