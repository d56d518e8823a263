import type { Tensor } from "@robgrad/tensor";
import { input, repeatedAxes, sameShape } from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import type { SampleAxis, SampleContext, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { sumTo } from "./sum-to.js";

/** Repeats axes of extent 1 and missing leading ones. */
export class BroadcastToFunction extends FunctionNode {
  readonly #shape: readonly number[];

  constructor(shape: readonly number[]) {
    super();
    this.#shape = shape;
  }

  override get label(): string {
    return "broadcastTo";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.broadcastTo(this.#shape)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => sumTo(gy, this.inputShape(0))];
  }

  override backwardSamples([gy]: readonly [Variable], { samples, outputs: [state], flow }: SampleContext) {
    const label = this.label;
    return [
      flow.repeatedRows(gy, state, samples, this.inputShape(0), () => ({
        label,
        formula: input(0),
        tensors: [gy.value],
      })),
    ];
  }

  /** A parameter repeated N times along one axis stands for one copy per sample, unless something contradicts. */
  override sampleAxis(states: readonly [SampleAxis], tracking: SampleTracking): SampleAxis {
    const [state] = states;
    const shape = this.outputShape(0);
    if (state.kind !== "none")
      return tracking.flow.alignSamples("broadcastTo", states, this[place].inputs, shape, tracking);
    const axis = repeatedAxes(this.inputShape(0), shape).find((axis) => shape[axis] === tracking.samples);
    return axis === undefined ? state : { kind: "axis", axis, assumed: "copies" };
  }
}

export function broadcastTo(x: Variable, shape: readonly number[]): Variable {
  if (sameShape(x.shape, shape)) return x;
  return new BroadcastToFunction(shape).apply(x)[0] as Variable;
}
