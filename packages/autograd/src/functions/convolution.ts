import { codedError, Tensor, type SampleMatrix } from "@robgrad/tensor";
import {
  convolutionInputGradient,
  convolutionWeightGradients,
  convolve,
  convolved,
  formatShape,
  isFloating,
  windowCounts,
  type Convolution,
} from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isCarried, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { variableOf } from "./operand.js";
import { pad } from "./pad.js";
import { sum } from "./sum.js";
import { borders, windowsOf, type WindowOptions } from "./window-options.js";

// y = conv(x, W) is linear in both, and so are the gradients in them: each of the three has the other two for gradients.

/** y[n, q, o] = b[q] + Σ_{c,k} W[q, c, k] · x[n, c, o·s + k·d] */
class ConvolutionFunction extends FunctionNode {
  readonly #label: string;
  readonly #windows: Convolution;

  constructor(label: string, windows: Convolution) {
    super();
    this.#label = label;
    this.#windows = windows;
  }

  override get label(): string {
    return this.#label;
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const [x, W, b] = inputs as readonly [Tensor, Tensor, Tensor?];
    this.retainInputs(...(this.requiresGrad(0) ? [1] : []), ...(this.requiresGrad(1) ? [0] : []));
    const y = convolve(x, W, this.#windows);
    return [b === undefined ? y : y.add(perChannel(b, this.#windows))];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => inputGradient(gy, this.retained(1), this.inputShape(0), this.#windows),
      () => weightGradient(gy, this.retained(0), this.#windows),
      () => sum(gy, { axis: channelsApart(gy.shape) }),
    ].slice(0, this[place].inputs.length);
  }

  override forwardTangent([x, W, b]: readonly (Tensor | null | undefined)[]): readonly Tensor[] {
    return [
      added([
        x && convolve(x, this.retained(1).value, this.#windows),
        W && convolve(this.retained(0).value, W, this.#windows),
        b && perChannel(b, this.#windows).broadcastTo(this.outputShape(0)),
      ]),
    ];
  }

  /** Row n is Σₜ δₙₜ ⊗ windowₙₜ for W and Σₜ δₙₜ for b. */
  override backwardSamples(
    [gy]: readonly [Variable],
    { samples, outputs: [state], flow }: SampleContext,
  ): ((() => SampleMatrix) | null)[] {
    if (!isCarried(state) || state.axis !== 0) return [null, null, null];
    const grouped = (x: Variable) => flow.bySample(x.value, state, samples);
    return [
      null,
      () => convolved(grouped(gy), grouped(this.retained(0)), this.#windows),
      () => {
        const delta = gy.value.sum({ axis: channelsApart(gy.shape).slice(1) });
        return flow.denseSamples(flow.rowsOf(delta, state, samples, [gy.shape[1] as number]));
      },
    ];
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    return imageSamples(this.label, states, this.inputShape(0), tracking);
  }
}

/** The gradient of ⟨δ, conv(x, W)⟩ in x, of δ and W. */
class ConvolutionInputGradientFunction extends FunctionNode {
  readonly #shape: readonly number[];
  readonly #windows: Convolution;

  constructor(shape: readonly number[], windows: Convolution) {
    super();
    this.#shape = shape;
    this.#windows = windows;
  }

  forward([delta, W]: readonly [Tensor, Tensor]): readonly Tensor[] {
    this.retainInputs(...(this.requiresGrad(0) ? [1] : []), ...(this.requiresGrad(1) ? [0] : []));
    return [convolutionInputGradient(delta, W, this.#shape, this.#windows)];
  }

  backward([gx]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => new ConvolutionFunction("convolution", this.#windows).apply(gx, this.retained(1))[0] as Variable,
      () => weightGradient(this.retained(0), gx, this.#windows),
    ];
  }

  override forwardTangent([delta, W]: readonly (Tensor | null)[]): readonly Tensor[] {
    const of = (d: Tensor, w: Tensor) => convolutionInputGradient(d, w, this.#shape, this.#windows);
    return [added([delta && of(delta, this.retained(1).value), W && of(this.retained(0).value, W)])];
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    return imageSamples(this.label, states, this.inputShape(0), tracking);
  }
}

/** The gradient of ⟨δ, conv(x, W)⟩ in W, of δ and x. */
class ConvolutionWeightGradientFunction extends FunctionNode {
  readonly #windows: Convolution;

  constructor(windows: Convolution) {
    super();
    this.#windows = windows;
  }

  forward([delta, x]: readonly [Tensor, Tensor]): readonly Tensor[] {
    this.retainInputs(...(this.requiresGrad(0) ? [1] : []), ...(this.requiresGrad(1) ? [0] : []));
    return [weightGradientOf(delta, x, this.#windows)];
  }

  backward([gW]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => new ConvolutionFunction("convolution", this.#windows).apply(this.retained(1), gW)[0] as Variable,
      () => inputGradient(this.retained(0), gW, this.inputShape(1), this.#windows),
    ];
  }

  override forwardTangent([delta, x]: readonly (Tensor | null)[]): readonly Tensor[] {
    return [
      added([
        delta && weightGradientOf(delta, this.retained(1).value, this.#windows),
        x && weightGradientOf(this.retained(0).value, x, this.#windows),
      ]),
    ];
  }

  override sampleAxis(states: readonly SampleAxis[], { samples, flow }: SampleTracking): SampleAxis {
    const known = flow.settled(states);
    if (known !== undefined) return known;
    const state = states.find(isCarried) as SampleAxis;
    return flow.reduceSamples(this.label, state, [0], false, this.inputShape(states.indexOf(state)), samples);
  }
}

/** Samples lie on axis 0 of images, which meet nothing there; windows join what lies on any other axis. */
function imageSamples(
  label: string,
  states: readonly SampleAxis[],
  shape: readonly number[],
  tracking: SampleTracking,
): SampleAxis {
  const { flow, samples } = tracking;
  const known = flow.settled(states);
  if (known !== undefined) return known;
  const [images] = states as [SampleAxis];
  if (states.some((state, k) => k > 0 && isCarried(state) && state.assumed === undefined)) return { kind: "unknown" };
  states.forEach((state, k) => {
    if (k > 0 && isCarried(state)) tracking.disregard(k);
  });
  if (!isCarried(images)) return images;
  if (images.axis !== 0) return flow.reduceSamples(label, images, [images.axis], false, shape, samples);
  // Images that a layer maps are samples: the axis is more than a guess from here on.
  return images.assumed === "copies" ? images : flow.assume(images, undefined);
}

function inputGradient(delta: Variable, W: Variable, shape: readonly number[], windows: Convolution): Variable {
  return new ConvolutionInputGradientFunction(shape, windows).apply(delta, W)[0] as Variable;
}

function weightGradient(delta: Variable, x: Variable, windows: Convolution): Variable {
  return new ConvolutionWeightGradientFunction(windows).apply(delta, x)[0] as Variable;
}

function weightGradientOf(delta: Tensor, x: Tensor, windows: Convolution): Tensor {
  const all = (factor: Tensor) => factor.reshape([1, ...factor.shape]);
  const gradients = convolutionWeightGradients(all(delta), all(x), windows);
  return gradients.reshape(gradients.shape.slice(1));
}

function added(terms: readonly (Tensor | null | undefined)[]): Tensor {
  return terms.filter((term) => Tensor.is(term)).reduce((a, b) => a.add(b));
}

/** b [Q] as it meets [N, Q, …counts]. */
function perChannel(b: Tensor, { kernel }: Convolution): Tensor {
  return b.reshape([b.shape[0] as number, ...kernel.map(() => 1)]);
}

/** All axes but the channels'. */
function channelsApart(shape: readonly number[]): number[] {
  return shape.map((_, axis) => axis).filter((axis) => axis !== 1);
}

/** How a convolution's windows lie, and which channels meet. */
export interface ConvolutionOptions extends WindowOptions {
  /** Equal parts of the channels that do not meet, ≥ 1: a divisor of C and of Q; 1 unless given. */
  readonly groups?: number;
}

/**
 * A convolution with several spatial axes.
 *
 * @param rank  How many.
 */
export function convolution(
  subject: string,
  rank: number,
  x: Variable | Tensor,
  W: Variable | Tensor,
  b: Variable | Tensor | undefined,
  options: ConvolutionOptions,
): Variable {
  const inputs = [x, W, ...(b === undefined ? [] : [b])].map((operand) => variableOf(subject, operand));
  const [from, weights, bias] = inputs as [Variable, Variable, Variable?];
  const operands = inputs.map(({ dtype, shape }, k) => `${["x", "W", "b"][k]}: ${dtype} ${formatShape(shape)}`);
  const found = `(${operands.join(", ")})`;
  if (inputs.some(({ dtype }) => dtype !== from.dtype)) {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected operands of one dtype, found ${found}`);
  }
  if (!isFloating(from.dtype)) {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected a floating dtype, found ${found}`);
  }
  const space = ["L", "H, W"][rank - 1];
  if (from.shape.length !== 2 + rank || weights.shape.length !== 2 + rank || weights.shape.slice(2).includes(0)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected x [N, C, ${space}] and W [Q, C / groups, …kernel] with a kernel of at least 1, found ${found}`,
    );
  }
  const { groups = 1 } = options;
  const [channels, outputs] = [from.shape[1] as number, weights.shape[0] as number];
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0 || outputs % groups !== 0) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected groups to be a whole number ≥ 1 that divides C = ${channels} and Q = ${outputs}, found ${groups} ${found}`,
    );
  }
  if (weights.shape[1] !== channels / groups) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected W.shape[1] = x.shape[1] / groups, found ${weights.shape[1]} ≠ ${channels / groups} ${found}`,
    );
  }
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) {
    throw codedError("SHAPE_MISMATCH", `${subject}: expected b of shape [${outputs}], found ${found}`);
  }
  const { padding, ...windows } = windowsOf(subject, weights.shape.slice(2), options, 1);
  windowCounts(
    subject,
    padding.map((width, axis) => (from.shape[2 + axis] as number) + 2 * width),
    windows,
  );
  const padded = padding.some((width) => width > 0) ? pad(from, borders(padding)) : from;
  return new ConvolutionFunction(subject, { ...windows, groups }).apply(padded, ...inputs.slice(1))[0] as Variable;
}
