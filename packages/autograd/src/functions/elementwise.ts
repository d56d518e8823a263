import { codedError, Tensor, type Scalar, type ScalarFunction } from "@robgrad/tensor";
import {
  apply,
  constant,
  differentiate,
  input,
  mapExpression,
  reduceFormula,
  repeatedAxes,
  substitute,
  traceScalar,
  type Expression,
  type OperationName,
} from "@robgrad/tensor/kernels";
import { FunctionNode, place } from "../function-node.js";
import { isFollowed, isRecording } from "../recording.js";
import type { SampleAxis, SampleContext, SampleTracking } from "../sample-axis.js";
import type { Operand, Variable } from "../variable.js";
import { isVariable, makeVariable } from "../variable-node.js";
import { sumTo } from "./sum-to.js";

/** gᵧ · ∂f/∂xₖ as a formula of the operands it reads. */
interface Partial {
  readonly body: Expression;
  readonly reads: readonly Read[];
}

/** gᵧ, the result y, or input k. */
type Read = "gradOutput" | "output" | number;

const partials = new WeakMap<Expression, (Partial | null)[]>();

/** null where the derivative is zero everywhere. */
export function partial(e: Expression, index: number): Partial | null {
  let known = partials.get(e);
  if (known === undefined) partials.set(e, (known = []));
  return (known[index] ??= derive(e, index));
}

function derive(e: Expression, index: number): Partial | null {
  const derivative = differentiate(e, index);
  if (derivative.kind === "constant" && derivative.value === 0) return null;
  // A derivative that the result alone tells (exp, tanh, relu) lets the inputs go.
  const result = arity(e);
  const told = replaced(derivative, e, input(result));
  const reads: Read[] = [];
  const place = (read: Read): Expression => {
    const at = reads.indexOf(read);
    return input(at < 0 ? reads.push(read) - 1 : at);
  };
  const chosen = inputsOf(told).some((k) => k !== result) ? derivative : told;
  const body = apply(
    "mul",
    place("gradOutput"),
    substitute(chosen, (k) => place(k === result ? "output" : k)),
  );
  return { body, reads };
}

/** Indices of the inputs that a formula reads. */
function inputsOf(e: Expression, seen = new Set<Expression>(), found = new Set<number>()): readonly number[] {
  if (e.kind === "input") found.add(e.index);
  else if (e.kind === "apply" && !seen.has(e)) {
    seen.add(e);
    for (const argument of e.arguments) inputsOf(argument, seen, found);
  }
  return [...found];
}

/** One more than the largest input that a formula reads. */
const arity = (e: Expression): number => Math.max(-1, ...inputsOf(e)) + 1;

/** The formula with every occurrence of one of its parts replaced. */
function replaced(
  e: Expression,
  part: Expression,
  by: Expression,
  done = new Map<Expression, Expression>(),
): Expression {
  if (e === part) return by;
  if (e.kind !== "apply") return e;
  let result = done.get(e);
  if (result === undefined) {
    result = apply(e.operation, ...e.arguments.map((argument) => replaced(argument, part, by, done)));
    done.set(e, result);
  }
  return result;
}

/**
 * y[i] = f(a[i], b[i], …) with NumPy's broadcasting: one node for every operation of the scalar table and for formulas
 * of the user's own. Its gradients are formulas too, so that derivatives of all orders exist.
 */
export class ElementwiseFunction extends FunctionNode {
  readonly #name: string;
  /** @internal Of the operands that are Variables and tensors. */
  readonly formula: Expression;
  readonly #evaluate: (tensors: readonly Tensor[]) => Tensor;

  constructor(name: string, formula: Expression, evaluate?: (tensors: readonly Tensor[]) => Tensor) {
    super();
    this.#name = name;
    this.formula = formula;
    this.#evaluate = evaluate ?? ((tensors) => mapExpression(name, formula, tensors));
  }

  override get label(): string {
    return this.#name;
  }

  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const read = new Set<Read>();
    for (let k = 0; k < inputs.length; k++) {
      if (!this.requiresGrad(k)) continue;
      for (const operand of partial(this.formula, k)?.reads ?? []) read.add(operand);
    }
    this.retainInputs(...[...read].filter((operand) => typeof operand === "number"));
    if (read.has("output")) this.retainOutputs(0);
    return [this.#evaluate(inputs)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return Array.from({ length: this.inputCount }, (_, k) => () => {
      const shape = this.inputShape(k);
      const derivative = partial(this.formula, k);
      if (derivative === null) return makeVariable(zeros(gy, shape));
      const { body, reads } = derivative;
      if (body.kind === "input") return sumTo(gy, shape);
      const operands = this.#operands(reads, gy);
      if (isRecording())
        return sumTo(new ElementwiseFunction(`${this.#name}Gradient`, body).apply(...operands)[0] as Variable, shape);
      const tensors = operands.map((operand) => operand.current);
      const axes = repeatedAxes(shape, gy.shape);
      if (axes.length === 0) return makeVariable(mapExpression(this.#name, body, tensors));
      return makeVariable(reduceFormula("sum", body, tensors, { axis: axes }).reshape(shape));
    });
  }

  override backwardSamples([gy]: readonly [Variable], { samples, outputs: [state], flow }: SampleContext) {
    return Array.from({ length: this.inputCount }, (_, k) =>
      flow.repeatedRows(gy, state, samples, this.inputShape(k), () => {
        const derivative = partial(this.formula, k);
        if (derivative === null) return null;
        const tensors = this.#operands(derivative.reads, gy).map((operand) => operand.value);
        return { label: this.#name, formula: derivative.body, tensors };
      }),
    );
  }

  #operands(reads: readonly Read[], gy: Variable): Variable[] {
    return reads.map((read) => {
      if (read === "gradOutput") return gy;
      return read === "output" ? this.retainedOutput(0) : this.retained(read);
    });
  }

  override sampleAxis(states: readonly SampleAxis[], tracking: SampleTracking): SampleAxis {
    return tracking.flow.alignSamples(this.#name, states, this[place].inputs, this.outputShape(0), tracking);
  }
}

/** Zeros in the memory of one number. */
function zeros({ device, dtype }: Variable, shape: readonly number[]): Tensor {
  return device.zeros([], { dtype }).broadcastTo(shape);
}

const formulas = new Map<OperationName, Expression>();

function formulaOf(name: OperationName, operands: readonly unknown[]): Expression {
  if (operands.every((operand) => typeof operand !== "number")) {
    let formula = formulas.get(name);
    if (formula === undefined) formulas.set(name, (formula = apply(name, ...operands.map((_, k) => input(k)))));
    return formula;
  }
  let next = 0;
  return apply(name, ...operands.map((operand) => (typeof operand === "number" ? constant(operand) : input(next++))));
}

type TensorMethod = (...rest: readonly (Tensor | number)[]) => Tensor;

/** A method of the scalar table on a Variable, which comes first, and other operands. */
export function elementwise(name: Exclude<OperationName, "where">, operands: readonly Operand[]): Variable {
  const evaluate = (values: readonly (Tensor | number)[]) => {
    const [first, ...rest] = values as [Tensor, ...(Tensor | number)[]];
    return (first[name] as TensorMethod).apply(first, rest);
  };
  if (!operands.some((operand) => isVariable(operand) && isFollowed(operand)))
    return makeVariable(evaluate(operands.map((operand) => valueOf(name, operand))));
  const variables = operands.filter((operand) => typeof operand !== "number");
  const node = new ElementwiseFunction(name, formulaOf(name, operands), (tensors) => {
    if (tensors.length === operands.length) return evaluate(tensors);
    let next = 0;
    return evaluate(operands.map((operand) => (typeof operand === "number" ? operand : (tensors[next++] as Tensor))));
  });
  return node.apply(...variables)[0] as Variable;
}

/** A scalar function of the user's own, on Variables, tensors and numbers. */
export function mapVariables(subject: string, f: ScalarFunction, operands: readonly Operand[]): Variable {
  const variables = operands.filter((operand) => typeof operand !== "number");
  let next = 0;
  const formula = traceScalar(
    subject,
    (...symbols) => {
      const [u, ...rest] = operands.map((operand) => (typeof operand === "number" ? operand : symbols[next++]));
      return f(u as Scalar, ...(rest as Scalar[]));
    },
    variables.length,
  );
  return new ElementwiseFunction(subject, formula).apply(...variables)[0] as Variable;
}

export function valueOf(subject: string, operand: unknown): Tensor | number {
  if (isVariable(operand)) return operand.current;
  if (Tensor.is(operand) || typeof operand === "number") return operand;
  throw codedError(
    "BAD_ARGUMENT",
    `${subject}: expected Variables, tensors and numbers, found ${operand === null ? "null" : typeof operand}`,
  );
}
