import type { AxisOptions, Tensor } from "@robgrad/tensor";
import { normalizeAxes } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { reshape } from "./reshape.js";
import { keptShape } from "./sum.js";

/** The largest or smallest element over axes. Elements that share it share its gradient equally. */
export class ExtremumFunction extends FunctionNode {
  readonly #name: "max" | "min";
  readonly axes: readonly number[];
  readonly keepdims: boolean;
  shares: Tensor | undefined;

  constructor(name: "max" | "min", axes: readonly number[], keepdims: boolean) {
    super();
    this.#name = name;
    this.axes = axes;
    this.keepdims = keepdims;
  }

  override get label(): string {
    return this.#name;
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    const best = x[this.#name]({ axis: this.axes, keepdims: true });
    if (this.requiresGrad(0)) {
      const winners = x.equal(best).cast(x.dtype);
      this.shares = winners.div(winners.sum({ axis: this.axes, keepdims: true }));
    }
    return [this.keepdims ? best : best.reshape(x.shape.filter((_, axis) => !this.axes.includes(axis)))];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => reshape(gy, keptShape(this.inputShape(0), this.axes)).mul(this.shares as Tensor)];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    return flow.reduceSamples(this.#name, state, this.axes, this.keepdims, this.inputShape(0), samples);
  }
}

export function max(x: Variable, { axis, keepdims = false }: AxisOptions = {}): Variable {
  return new ExtremumFunction("max", normalizeAxes("max", axis, x.shape.length), keepdims).apply(x)[0] as Variable;
}

export function min(x: Variable, { axis, keepdims = false }: AxisOptions = {}): Variable {
  return new ExtremumFunction("min", normalizeAxes("min", axis, x.shape.length), keepdims).apply(x)[0] as Variable;
}
