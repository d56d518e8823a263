import { codedError, Tensor, type SampleMatrix } from "@robgrad/tensor";
import { formatShape, isFloating, ownedTensors, sameShape } from "@robgrad/tensor/kernels";
import { forwardMode, isFollowed, isTaped, nextSequence, tensorsOf } from "./recording.js";
import type { SampleAxis, SampleContext, SampleTracking } from "./sample-axis.js";
import type { Variable } from "./variable.js";
import { isVariable, makeVariable, type VariableNode } from "./variable-node.js";

/** @internal Where a node keeps its place in the graph; a symbol, so that fields of subclasses are free. */
export const place: unique symbol = Symbol.for("robgrad.node");

/** A retained Variable with the version of its cell at that time. */
interface Retained {
  readonly variable: Variable;
  readonly version: number;
}

/** @internal The place of a node in the graph. */
export interface Place {
  /** 0 until the node is applied. */
  sequence: number;
  recorded: boolean;
  /** Per input, whether a gradient or a tangent may be asked of it. */
  wanted: readonly boolean[];
  inputs: readonly VariableNode[];
  outputs: readonly VariableNode[];
  retainedInputs: Map<number, Retained>;
  retainedOutputs: Map<number, Retained>;
  wantedInputs: readonly number[];
  wantedOutputs: readonly number[];
  kept: Tensor[];
}

/** A gradient that is computed only when it is wanted; null where there is none. */
export type GradientThunk = (() => Variable) | null;

/**
 * A differentiable function in the graph: one object per application.
 *
 * A subclass says how to compute and how to go back. `forward` names the inputs it needs later with `retainInputs`;
 * `backward` reads them with `retained` and returns one thunk per input. Thunks that nobody wants never run. Because
 * `backward` works on Variables, its result can be differentiated again.
 *
 * @see  Chainer, `FunctionNode`; tutorial, §3.2 (Listings 2 and 3).
 * @example
 * class ScaleFunction extends FunctionNode {
 *   forward([x]: readonly [Tensor]) { return [x.mul(3)]; }
 *   backward([gy]: readonly [Variable]) { return [() => gy.mul(3)]; }
 * }
 * new ScaleFunction().apply(new Variable(device.ones([2])));
 */
export abstract class FunctionNode {
  /** @internal */
  readonly [place]: Place = {
    sequence: 0,
    recorded: false,
    wanted: [],
    inputs: [],
    outputs: [],
    retainedInputs: new Map(),
    retainedOutputs: new Map(),
    wantedInputs: [],
    wantedOutputs: [],
    kept: [],
  };

  /** Shown in graphs and errors: the class name without "Function" unless overridden. */
  get label(): string {
    const name = this.constructor.name.replace(/Function$/, "");
    return name.charAt(0).toLowerCase() + name.slice(1) || "function";
  }

  /** y = f(x) on tensors. */
  abstract forward(inputs: readonly Tensor[]): readonly Tensor[];

  /**
   * One thunk per input that makes the gradient in it, given those in the outputs; null where there is none. An output
   * that no gradient reached has zeros.
   */
  abstract backward(gradOutputs: readonly Variable[]): readonly GradientThunk[];

  /**
   * Tangents of the outputs, ẏ = J ẋ, given those of the inputs; null stands for a tangent of zeros, and one at least
   * is not null. Runs once, right after `forward`, and reads what it needs with `retained` and `retainedOutput`.
   *
   * A node without it is differentiated forward by two walks back, which needs a `backward` that works on Variables.
   */
  forwardTangent?(tangents: readonly (Tensor | null)[]): readonly (Tensor | null)[];

  /**
   * One thunk per input that makes its per-sample gradients: `backward` before its sum over samples. null where rows
   * cannot be told apart, which costs one backward pass per sample.
   *
   * Without a `sampleAxis` beside it, samples lie on axis 0 of every input of length N and of every output.
   *
   * @param context  Where samples lie on each input and output.
   */
  backwardSamples?(gradOutputs: readonly Variable[], context: SampleContext): readonly ((() => SampleMatrix) | null)[];

  /** Where the samples lie on the outputs, given where they lie on each input. */
  sampleAxis?(inputs: readonly SampleAxis[], tracking: SampleTracking): SampleAxis;

  /**
   * Computes the outputs and, if some input requires a gradient, records the node.
   *
   * @param inputs  Variables; tensors stand for constants.
   * @returns       One Variable per tensor that `forward` returned.
   * @throws        BAD_ARGUMENT for another operand, or when applied a second time.
   */
  apply(...inputs: readonly (Variable | Tensor)[]): readonly Variable[] {
    const own = this[place];
    if (own.sequence !== 0) {
      throw codedError(
        "BAD_ARGUMENT",
        `${this.label}: expected a node to be applied once, found a second call; make a new one`,
      );
    }
    const variables = inputs.map((input, k) => operandVariable(this.label, input, k));
    const forward = forwardMode();
    own.sequence = nextSequence();
    own.inputs = variables.map((variable) => variable.node);
    const taped = own.inputs.some(isTaped);
    own.wanted = variables.map(isFollowed);
    own.recorded = own.wanted.includes(true);
    const tensors = variables.map((variable) => variable.current);
    const outputs = this.#run(tensors).map((output) =>
      tensors.includes(output) ? output.reshape(output.shape) : output,
    );
    const results = outputs.map((output, k) => {
      const differentiable = taped && isFloating(output.dtype);
      return makeVariable(output, differentiable, differentiable ? this : null, k);
    });
    if (own.recorded) {
      own.outputs = results.map((result) => result.node);
      own.retainedInputs = retain(variables, own.wantedInputs);
      own.retainedOutputs = retain(results, own.wantedOutputs);
    }
    const used = own.recorded && forward !== null && forward.applied(this, variables, results);
    if (!taped && !used) {
      own.recorded = false;
      own.inputs = [];
      own.retainedInputs = own.retainedOutputs = new Map();
      own.kept = [];
    }
    return results;
  }

  /** Runs `forward` and disposes the temporaries it leaves: what it neither returns nor keeps. */
  #run(tensors: readonly Tensor[]): readonly Tensor[] {
    const device = tensors[0]?.device;
    if (device === undefined) return this.forward(tensors);
    const scope = device.openScope();
    let kept = new Set<Tensor>();
    try {
      const outputs = this.forward(tensors);
      kept = new Set(outputs);
      for (const tensor of fieldTensors(this)) kept.add(tensor);
      return outputs;
    } finally {
      device.closeScope(scope, kept);
    }
  }

  /** Called in `forward`: keeps these inputs for `backward`. */
  protected retainInputs(...indices: number[]): void {
    this[place].wantedInputs = indices;
  }

  /** Called in `forward`: keeps these outputs for `backward`. */
  protected retainOutputs(...indices: number[]): void {
    this[place].wantedOutputs = indices;
  }

  /**
   * Keeps a tensor of the node's own, such as a mask made in `forward` and held in a private field, alive with the
   * graph. Public fields are kept without it; any other temporary of `forward` is disposed.
   */
  protected keep<T extends Tensor>(tensor: T): T {
    this[place].kept.push(tensor);
    return tensor;
  }

  /**
   * Called in `backward`: a retained input.
   *
   * @throws  BAD_ARGUMENT unless `forward` retained it, STALE_VALUE when it is a parameter assigned since.
   */
  protected retained(index: number): Variable {
    return fresh(this, this[place].retainedInputs.get(index), "input", index);
  }

  /** Called in `backward` and `forwardTangent`: a retained output. */
  protected retainedOutput(index: number): Variable {
    return fresh(this, this[place].retainedOutputs.get(index), "output", index);
  }

  /** Whether a gradient in this input can be asked for, or its tangent passed on; known in `forward`. */
  protected requiresGrad(index: number): boolean {
    return this[place].wanted[index] === true;
  }

  /** How many inputs it was applied to. */
  protected get inputCount(): number {
    return this[place].inputs.length;
  }

  /** Shape of an input; known in `forward` and after. */
  protected inputShape(index: number): readonly number[] {
    return (this[place].inputs[index] as VariableNode).shape;
  }

  /** Shape of an output; known after `forward`. */
  protected outputShape(index: number): readonly number[] {
    return (this[place].outputs[index] as VariableNode).shape;
  }

  /** @internal Tensors that live with the node. */
  *[ownedTensors](): Generator<Tensor> {
    for (const { variable } of this[place].retainedInputs.values()) yield* tensorsOf(variable);
    for (const { variable } of this[place].retainedOutputs.values()) yield* tensorsOf(variable);
    yield* fieldTensors(this);
  }
}

function retain(variables: readonly Variable[], indices: readonly number[]): Map<number, Retained> {
  const retained = new Map<number, Retained>();
  for (const index of indices) {
    const variable = variables[index];
    if (variable !== undefined) retained.set(index, { variable, version: variable.version });
  }
  return retained;
}

function fresh(node: FunctionNode, retained: Retained | undefined, kind: "input" | "output", index: number): Variable {
  if (retained === undefined) {
    const method = kind === "input" ? "retainInputs" : "retainOutputs";
    throw codedError(
      "BAD_ARGUMENT",
      `${node.label}: expected ${kind} ${index} to be retained, found it dropped; call ${method}(${index}) in forward`,
    );
  }
  const { variable, version } = retained;
  if (variable.version !== version) {
    throw codedError(
      "STALE_VALUE",
      `${node.label}: expected ${variable.name ?? "a parameter"} (${variable.dtype} ${formatShape(variable.shape)}) to hold the value it had in forward, found it assigned ${variable.version - version} times since; go backward before the update`,
    );
  }
  return variable;
}

function* fieldTensors(node: FunctionNode): Generator<Tensor> {
  yield* node[place].kept;
  for (const name in node) {
    if (!Object.hasOwn(node, name)) continue;
    const value = (node as unknown as Record<string, unknown>)[name];
    if (Tensor.is(value)) yield value;
    else if (Array.isArray(value)) {
      for (const item of value) if (Tensor.is(item)) yield item;
    }
  }
}

function operandVariable(subject: string, operand: unknown, index: number): Variable {
  if (isVariable(operand)) return operand;
  if (Tensor.is(operand)) return makeVariable(operand);
  throw codedError(
    "BAD_ARGUMENT",
    `${subject}: expected Variables and tensors, found ${operand === null ? "null" : typeof operand} as operand ${index}`,
  );
}

/** @internal Checks a gradient or a tangent against the Variable it belongs to. */
export function checkGradient(
  subject: string,
  gradient: Variable | Tensor,
  node: VariableNode,
  what = "a gradient",
): void {
  if (!sameShape(gradient.shape, node.shape)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected ${what} of shape ${formatShape(node.shape)}, found ${formatShape(gradient.shape)}`,
    );
  }
  if (gradient.dtype !== node.dtype) {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected ${what} of dtype ${node.dtype}, found ${gradient.dtype}`);
  }
}
