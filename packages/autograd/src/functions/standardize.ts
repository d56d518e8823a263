import { codedError, type Tensor } from "@robgrad/tensor";
import { apply, input, normalizeAxes, reduceFormula, sizeOf } from "@robgrad/tensor/kernels";
import { FunctionNode } from "../function-node.js";
import { isRecording, noGrad } from "../recording.js";
import { unknown, type SampleAxis, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { variableOf } from "./operand.js";
import { mean } from "./sum.js";
import { variance } from "./variance.js";

/** Over which axes values are standardized, and how. */
export interface StandardizeOptions {
  /** Axis or axes of which the mean and the variance are taken, negative from the end. */
  readonly axis: number | readonly number[];
  /** ε > 0, added to the variance; 1e-5 unless given. */
  readonly epsilon?: number;
  /** What errors and graphs call it; standardize unless given. */
  readonly label?: string;
}

/** Standardized values, and what was taken out of them. */
export interface Standardized {
  readonly values: Variable;
  /** The means, without history; the standardized axes have extent 1. */
  readonly mean: Tensor;
  /** The variances with divisor n, without history; the standardized axes have extent 1. */
  readonly variance: Tensor;
}

const squaredDeviation = apply("square", apply("sub", input(0), input(1)));

/** y = (x − x̄) / √(s² + ε) */
class StandardizeFunction extends FunctionNode {
  mean!: Tensor;
  variance!: Tensor;
  readonly #axes: readonly number[];
  readonly #epsilon: number;
  readonly #label: string;

  constructor(axes: readonly number[], epsilon: number, label: string) {
    super();
    this.#axes = axes;
    this.#epsilon = epsilon;
    this.#label = label;
  }

  override get label(): string {
    return this.#label;
  }

  get #options() {
    return { axis: this.#axes, keepdims: true };
  }

  forward([x]: readonly [Tensor]): readonly Tensor[] {
    this.retainInputs(0);
    this.retainOutputs(0);
    this.mean = x.mean(this.#options);
    this.variance = reduceFormula("mean", squaredDeviation, [x, this.mean], this.#options);
    return [x.map((u, m, v) => u.sub(m).div(v.add(this.#epsilon).sqrt()), this.mean, this.variance)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [() => this.#project(gy)];
  }

  /** The Jacobian is symmetric. */
  override forwardTangent([tangent]: readonly [Tensor]): readonly Tensor[] {
    return [noGrad(() => this.#project(makeVariable(tangent))).value];
  }

  /** (g − ḡ − y · mean(g y)) / √(s² + ε) */
  #project(g: Variable): Variable {
    const y = this.retainedOutput(0);
    const spread = isRecording() ? variance(this.retained(0), this.#options) : this.variance;
    return g.map(
      (g, first, second, y, v) => g.sub(first).sub(y.mul(second)).div(v.add(this.#epsilon).sqrt()),
      mean(g, this.#options),
      mean(g.mul(y), this.#options),
      y,
      spread,
    );
  }

  override sampleAxis([state]: readonly [SampleAxis], { samples, flow }: SampleTracking): SampleAxis {
    const after = flow.reduceSamples(this.#label, state, this.#axes, true, this.inputShape(0), samples);
    return state.kind === "scattered" && after.kind !== "mixed" ? unknown : after;
  }
}

/**
 * Zero mean and unit variance over axes: what batch, layer and group normalization have in common.
 *
 *   y = (x − x̄) / √(s² + ε),   x̄ = mean x,   s² = mean (x − x̄)²
 *
 * @param x        Floating; at least one element along the axes.
 * @param options  `axis`, one or several; `epsilon` ε > 0; `label` for errors and graphs.
 * @returns        `values` of x's shape; `mean` and `variance`, tensors without history.
 * @throws         BAD_ARGUMENT for an axis out of range or given twice, or ε ≤ 0; SHAPE_MISMATCH for no elements.
 * @see            S. Ioffe, C. Szegedy (2015), Batch normalization, Algorithm 1.
 * @example        standardize(new Variable(device.tensor([[1, 2, 3]])), { axis: 1 }).values
 */
export function standardize(
  x: Variable | Tensor,
  { axis, epsilon = 1e-5, label = "standardize" }: StandardizeOptions,
): Standardized {
  const from = variableOf(label, x);
  const axes = normalizeAxes(label, axis, from.shape.length);
  if (!(Number.isFinite(epsilon) && epsilon > 0))
    throw codedError("BAD_ARGUMENT", `${label}: expected a finite epsilon > 0, found ${epsilon}`);
  if (sizeOf(axes.map((k) => from.shape[k] as number)) === 0) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${label}: expected at least one element to average, found shape [${from.shape.join(", ")}]`,
    );
  }
  const node = new StandardizeFunction(axes, epsilon, label);
  const [values] = node.apply(from) as [Variable];
  return { values, mean: node.mean, variance: node.variance };
}
