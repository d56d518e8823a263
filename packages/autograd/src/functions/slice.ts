import type { SliceRange, Tensor } from "@robgrad/tensor";
import { resolveRange } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isCarried, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { pad } from "./pad.js";

type Range = readonly [start: number, stop: number];

/** Indices [start, stop) of every axis. */
export class SliceFunction extends FunctionNode {
  readonly #ranges: readonly Range[];

  constructor(ranges: readonly Range[]) {
    super();
    this.#ranges = ranges;
  }

  override get label(): string {
    return "slice";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [x.slice(...this.#ranges)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const shape = this.inputShape(0);
    return [
      () =>
        pad(
          gy,
          this.#ranges.map(([start, stop], axis) => [start, (shape[axis] as number) - stop] as const),
        ),
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    const range = isCarried(state) ? this.#ranges[state.axis] : undefined;
    return range === undefined || !isCarried(state)
      ? state
      : flow.sliceSamples(state, range, this.inputShape(0)[state.axis] as number, samples);
  }
}

export function slice(x: Variable, ranges: readonly SliceRange[]): Variable {
  // Too many ranges are left to the tensor's own check.
  const resolved = ranges.map((range, axis): Range => {
    const { start, stop } = resolveRange("slice", range, x.shape[axis] ?? 0);
    return [start, stop];
  });
  return new SliceFunction(resolved).apply(x)[0] as Variable;
}
