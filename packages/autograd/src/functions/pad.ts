import { pad as padTensor, Tensor } from "@robgrad/tensor";
import { FunctionNode } from "../function-node.js";
import { isCarried, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";

type Widths = readonly (readonly [before: number, after: number])[];

/** x within a border of one value. */
export class PadFunction extends FunctionNode {
  readonly widths: Widths;
  readonly #value: number;

  constructor(widths: Widths, value: number) {
    super();
    this.widths = widths;
    this.#value = value;
  }

  override get label(): string {
    return "pad";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    return [padTensor(x, this.widths, this.#value)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const shape = this.inputShape(0);
    return [
      () => gy.slice(...this.widths.map(([before], axis) => [before, before + (shape[axis] as number)] as const)),
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    const widths = isCarried(state) ? this.widths[state.axis] : undefined;
    return widths === undefined ? state : flow.padSamples(state, widths, samples);
  }
}

/**
 * A Variable with a border of one value.
 *
 * @param widths  `[before, after]` for each leading axis; missing axes get none.
 * @param value   What the border holds, 0 unless given.
 * @throws        BAD_ARGUMENT for negative widths or more of them than axes.
 * @example       pad(new Variable(device.ones([2, 2])), [[1, 1], [0, 2]])
 */
export function pad(x: Variable | Tensor, widths: Widths, value = 0): Variable {
  return new PadFunction(widths, value).apply(Tensor.is(x) ? makeVariable(x) : x)[0] as Variable;
}
