import type { AxisOptions, Tensor } from "@robgrad/tensor";
import { normalizeAxes, sizeOf } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { broadcastTo } from "./broadcast-to.js";
import { reshape } from "./reshape.js";

/** A shape whose reduced axes have extent 1. */
export function keptShape(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
}

/** Σ or the mean over axes. */
export class SumFunction extends FunctionNode {
  readonly #name: "sum" | "mean";
  readonly #axes: readonly number[];
  readonly #keepdims: boolean;

  constructor(name: "sum" | "mean", axes: readonly number[], keepdims: boolean) {
    super();
    this.#name = name;
    this.#axes = axes;
    this.#keepdims = keepdims;
  }

  override get label(): string {
    return this.#name;
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x[this.#name]({ axis: this.#axes, keepdims: this.#keepdims })];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => {
        const shape = this.inputShape(0);
        const share = this.#name === "sum" ? gy : gy.mul(1 / sizeOf(this.#axes.map((axis) => shape[axis] as number)));
        return broadcastTo(reshape(share, keptShape(shape, this.#axes)), shape);
      },
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    return flow.reduceSamples(this.#name, state, this.#axes, this.#keepdims, this.inputShape(0), samples);
  }
}

export function sum(x: Variable, { axis, keepdims = false }: AxisOptions = {}): Variable {
  return new SumFunction("sum", normalizeAxes("sum", axis, x.shape.length), keepdims).apply(x)[0] as Variable;
}

export function mean(x: Variable, { axis, keepdims = false }: AxisOptions = {}): Variable {
  return new SumFunction("mean", normalizeAxes("mean", axis, x.shape.length), keepdims).apply(x)[0] as Variable;
}
