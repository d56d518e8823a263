import { codedError, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isCarried, none, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { matmul } from "./matmul.js";
import { variableOf } from "./operand.js";
import { transpose } from "./permute.js";
import { reshape } from "./reshape.js";
import { sum } from "./sum.js";

/** y = x Wᵀ + b (tutorial, Listings 2 and 3). */
export class LinearFunction extends FunctionNode {
  override get label(): string {
    return "linear";
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const [x, W, b] = inputs as readonly [Tensor, Tensor, Tensor?];
    this.retainInputs(...(this.requiresGrad(0) ? [1] : []), ...(this.requiresGrad(1) ? [0] : []));
    const product = x.matmul(W.transpose());
    return [b === undefined ? product : product.add(b)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => matmul(gy, this.retained(1)),
      () => matmul(transpose(rows(gy)), rows(this.retained(0))),
      () => sum(rows(gy), { axis: 0 }),
    ].slice(0, this[place].inputs.length);
  }

  /** Row n is Σₜ δₙₜ ⊗ xₙₜ for W and Σₜ δₙₜ for b. */
  override backwardSamples(
    [gy]: readonly [Variable],
    { samples, outputs: [state], flow }: SampleContext,
  ): ((() => SampleMatrix) | null)[] {
    const last = gy.shape.length - 1;
    if (!isCarried(state) || state.axis === last) return [null, null, null];
    const between = gy.shape.map((_, axis) => axis).filter((axis) => axis !== state.axis && axis !== last);
    return [
      null,
      () => flow.productRows(gy.value, this.retained(0).value, state, samples),
      () => {
        const delta = between.length === 0 ? gy.value : gy.value.sum({ axis: between, keepdims: true });
        return flow.denseSamples(flow.rowsOf(delta, state, samples, [gy.shape[last] as number]));
      },
    ];
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    const [x, W, b] = states as [SampleAxis, SampleAxis, SampleAxis?];
    // A constant vector of length N is the features of one x, not a batch.
    if (x.kind === "axis" && this.inputShape(0).length === 1 && !this[place].inputs[0]?.requiresGrad) return none;
    const y = tracking.flow.productSamples("linear", b === undefined ? [x, W] : [x, W, b], this, tracking, (k, rank) =>
      k === 2 ? -1 : rank - 1,
    );
    // Rows that a layer maps are samples: the axis is more than a guess from here on.
    return isCarried(y) && isCarried(x) && y.assumed !== "copies" ? tracking.flow.assume(y, undefined) : y;
  }
}

function rows(x: Variable): Variable {
  return reshape(x, [-1, x.shape[x.shape.length - 1] as number]);
}

/**
 * A linear map of the last axis.
 *
 *   y = x Wᵀ + b
 *
 * @param x  [N, …, P]
 * @param W  [Q, P]
 * @param b  [Q]
 * @returns  [N, …, Q]
 * @throws   SHAPE_MISMATCH, DTYPE_MISMATCH.
 * @see      Tutorial, Listings 2 and 3; its per-sample gradients are §3.2.3.
 * @example  linear(device.ones([4, 3]), new Variable(device.ones([2, 3])), new Variable(device.zeros([2])))
 */
export function linear(x: Variable | Tensor, W: Variable | Tensor, b?: Variable | Tensor): Variable {
  const inputs = [x, W, ...(b === undefined ? [] : [b])].map((operand) => variableOf("linear", operand));
  const [from, weights, bias] = inputs as [Variable, Variable, Variable?];
  const p = from.shape[from.shape.length - 1];
  const operands = ["x", "W", "b"]
    .slice(0, inputs.length)
    .map((name, k) => `${name}: ${inputs[k]?.dtype} ${formatShape(inputs[k]?.shape ?? [])}`);
  if (inputs.some(({ dtype }) => dtype !== from.dtype)) {
    throw codedError("DTYPE_MISMATCH", `linear: expected operands of one dtype, found (${operands.join(", ")})`);
  }
  if (weights.shape.length !== 2 || p === undefined) {
    throw codedError("SHAPE_MISMATCH", `linear: expected x [N, …, P] and W [Q, P], found (${operands.join(", ")})`);
  }
  if (p !== weights.shape[1]) {
    throw codedError(
      "SHAPE_MISMATCH",
      `linear: expected x.shape[${from.shape.length - 1}] = W.shape[1], found ${p} ≠ ${weights.shape[1]} (${operands.join(", ")})`,
    );
  }
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== weights.shape[0])) {
    throw codedError(
      "SHAPE_MISMATCH",
      `linear: expected b of shape [${weights.shape[0]}], found (${operands.join(", ")})`,
    );
  }
  return new LinearFunction().apply(...inputs)[0] as Variable;
}
