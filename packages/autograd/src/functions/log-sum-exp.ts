import { where, type AxisOptions, type Tensor } from "@robgrad/tensor";
import { apply, input, normalizeAxes, reduceFormula } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { variableOf } from "./operand.js";
import { reshape } from "./reshape.js";
import { keptShape } from "./sum.js";

const shifted = apply("exp", apply("sub", input(0), input(1)));

/** y = m + ln Σ exp(x − m), m the largest element. */
export class LogSumExpFunction extends FunctionNode {
  readonly axes: readonly number[];
  readonly keepdims: boolean;

  constructor(axes: readonly number[], keepdims: boolean) {
    super();
    this.axes = axes;
    this.keepdims = keepdims;
  }

  override get label(): string {
    return "logSumExp";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    this.retainInputs(0);
    this.retainOutputs(0);
    const largest = x.max({ axis: this.axes, keepdims: true });
    // Where every element is −∞ there is nothing to take out.
    const m = where(largest.isFinite(), largest, 0);
    const y = reduceFormula("sum", shifted, [x, m], { axis: this.axes, keepdims: true }).log().add(m);
    return [this.keepdims ? y : y.reshape(x.shape.filter((_, axis) => !this.axes.includes(axis)))];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const kept = keptShape(this.inputShape(0), this.axes);
    return [
      () =>
        this.retained(0).map(
          (x, y, g) => x.sub(y).exp().mul(g),
          reshape(this.retainedOutput(0), kept),
          reshape(gy, kept),
        ),
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    return flow.reduceSamples("logSumExp", state, this.axes, this.keepdims, this.inputShape(0), samples);
  }
}

/**
 * ln Σ eˣ over axes, without overflow.
 *
 *   y = m + ln Σ exp(x − m),   m = max x
 *
 * @param options  `axis`, one or several, negative from the end, all of them unless given; `keepdims`.
 * @returns        A Variable without the reduced axes.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice.
 * @example        logSumExp(new Variable(device.tensor([[1000, 1000]])), { axis: 1 })
 */
export function logSumExp(x: Variable | Tensor, { axis, keepdims = false }: AxisOptions = {}): Variable {
  const from = variableOf("logSumExp", x);
  return new LogSumExpFunction(normalizeAxes("logSumExp", axis, from.shape.length), keepdims).apply(
    from,
  )[0] as Variable;
}
