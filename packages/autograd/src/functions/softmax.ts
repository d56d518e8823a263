import { max as maxTensor, type Tensor } from "@robgrad/tensor";
import { apply, input, normalizeAxis, reduceFormula } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import type { SampleAxis, SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { variableOf } from "./operand.js";
import { sum } from "./sum.js";

/** Along which axis softmax works. */
export interface SoftmaxOptions {
  /** The axis whose elements sum to 1; the last unless given. */
  readonly axis?: number;
}

const shifted = apply("exp", apply("sub", input(0), input(1)));

/** y = x − ln Σ eˣ along an axis, or its exponential. */
export class SoftmaxFunction extends FunctionNode {
  readonly log: boolean;
  readonly axis: number;

  constructor(log: boolean, axis: number) {
    super();
    this.log = log;
    this.axis = axis;
  }

  override get label(): string {
    return this.log ? "logSoftmax" : "softmax";
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    this.retainOutputs(0);
    const m = maxTensor(x, { axis: this.axis, keepdims: true });
    const total = reduceFormula("sum", shifted, [x, m], { axis: this.axis, keepdims: true });
    return [
      this.log
        ? x.map((u, largest, s) => u.sub(largest).sub(s.log()), m, total)
        : x.map((u, largest, s) => u.sub(largest).exp().div(s), m, total),
    ];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const options = { axis: this.axis, keepdims: true };
    return [
      () => {
        const y = this.retainedOutput(0);
        if (this.log) return gy.map((g, y, total) => g.sub(y.exp().mul(total)), y, sum(gy, options));
        return y.map((y, g, total) => y.mul(g.sub(total)), gy, sum(gy.mul(y), options));
      },
    ];
  }

  override sampleAxis([state]: readonly [SampleAxis], { flow }: SampleTracking): SampleAxis {
    return flow.alongSamples(this.label, state, this.axis);
  }
}

/**
 * Probabilities from logits along an axis, without overflow.
 *
 *   yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ)
 *
 * @returns  A Variable of the same shape; slices along `axis` sum to 1.
 * @example  softmax(new Variable(device.tensor([[1, 2, 3]])))
 */
export function softmax(x: Variable | Tensor, { axis = -1 }: SoftmaxOptions = {}): Variable {
  const from = variableOf("softmax", x);
  return new SoftmaxFunction(false, normalizeAxis("softmax", axis, from.shape.length)).apply(from)[0] as Variable;
}

/**
 * Logarithms of probabilities from logits along an axis, without overflow.
 *
 *   yᵢ = xᵢ − ln Σⱼ exp(xⱼ)
 *
 * @returns  A Variable of the same shape.
 * @example  logSoftmax(new Variable(device.tensor([[1, 2, 3]])))
 */
export function logSoftmax(x: Variable | Tensor, { axis = -1 }: SoftmaxOptions = {}): Variable {
  const from = variableOf("logSoftmax", x);
  return new SoftmaxFunction(true, normalizeAxis("logSoftmax", axis, from.shape.length)).apply(from)[0] as Variable;
}
