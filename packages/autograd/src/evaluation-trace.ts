import { codedError, type Nested, type Tensor } from "@robgrad/tensor";
import { isFloating, type Expression } from "@robgrad/tensor/kernels";
import { onesFor, propagate, zerosFor } from "./backward.js";
import { annotatedGraph, type ComputationalGraph } from "./computational-graph.js";
import { TangentSweep } from "./forward-mode.js";
import { checkGradient, type FunctionNode } from "./function-node.js";
import { ElementwiseFunction } from "./functions/elementwise.js";
import { variableOf } from "./functions/operand.js";
import { noGrad, withForward, withGrad } from "./recording.js";
import { isVariable, type VariableNode } from "./variable-node.js";
import { Variable } from "./variable.js";

/** One step of an evaluation: an input, or what one node made. */
export interface TraceRow {
  /** Its Variable's name, or "u1", "u2", … in the order of the computation; inputs are "x", or "x1", "x2", …. */
  readonly name: string;
  /** The label of the node that made it; null for an input. */
  readonly operation: string | null;
  /** Names of what it was made of; constants are "c1", "c2", …. */
  readonly operands: readonly string[];
  /** What it is in terms of its operands: "u1 / x2". */
  readonly formula: string;
  readonly value: Nested;
  /** Derivative of the value along the direction. */
  readonly tangent: Nested;
  /** ∂y/∂u, the gradient of the result in it. */
  readonly adjoint: Nested;
}

/** What happens at every step when a function is evaluated and differentiated. */
export interface EvaluationTrace {
  /** In the order of the computation, inputs first. The walk back meets them in reverse. */
  readonly rows: readonly TraceRow[];
  /** The rows as three tables: evaluation, forward mode, reverse mode. */
  toText(options?: {
    /** Digits behind the point, 4 unless given. */
    readonly digits?: number;
  }): string;
  /** The computational graph with value, tangent and adjoint on every Variable. */
  readonly graph: ComputationalGraph;
}

/** Where a trace starts. */
export interface TraceOptions {
  /** A tangent for every input: ones in the first and null, which stands for zeros, in the others unless given. */
  readonly direction?: readonly (Variable | Tensor | null)[];
  /** Gradient in the result: ones unless given. */
  readonly gradOutput?: Variable | Tensor;
}

/** A node as it was applied. */
interface Step {
  readonly node: FunctionNode;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
}

/** A sweep that remembers every step. */
class TracingSweep extends TangentSweep {
  readonly steps: Step[] = [];

  override applied(node: FunctionNode, inputs: readonly Variable[], outputs: readonly Variable[]): boolean {
    this.steps.push({ node, inputs, outputs });
    return super.applied(node, inputs, outputs);
  }
}

/**
 * Evaluates a function and differentiates it forward and backward, and tells every step: what a teacher shows.
 *
 *   uᵢ = fᵢ(uⱼ, …)      u̇ᵢ = Σⱼ ∂uᵢ/∂uⱼ u̇ⱼ      ūⱼ = Σᵢ ūᵢ ∂uᵢ/∂uⱼ
 *
 * Variables that f names show under their names.
 *
 * @param f        Of one Variable, or of several where x is a list; returns a Variable.
 * @param x        Where: a Variable or tensor, or a list of them.
 * @param options  `direction` of the tangents, `gradOutput` of the adjoints.
 * @returns        Resolves to the rows as data, as tables in text and as an annotated graph.
 * @throws         Rejects with SHAPE_MISMATCH or DTYPE_MISMATCH for a direction or gradient of another form,
 *                 BAD_ARGUMENT when f returns no Variable.
 * @see            Tutorial, §1.1, Tables 1, 2 and 3.
 * @example
 * const trace = await evaluationTrace((x) => sin(x.square()), device.tensor([1.5]));
 * console.log(trace.toText());
 */
export async function evaluationTrace(
  f: (x: Variable) => Variable,
  x: Variable | Tensor,
  options?: TraceOptions,
): Promise<EvaluationTrace>;
export async function evaluationTrace<A extends readonly Variable[]>(
  f: (...args: A) => Variable,
  x: { readonly [K in keyof A]: Variable | Tensor },
  options?: TraceOptions,
): Promise<EvaluationTrace>;
export async function evaluationTrace(
  f: (...args: Variable[]) => Variable,
  x: Variable | Tensor | readonly (Variable | Tensor)[],
  { direction, gradOutput }: TraceOptions = {},
): Promise<EvaluationTrace> {
  const args = (Array.isArray(x) ? x : [x]) as readonly (Variable | Tensor)[];
  const sweep = new TracingSweep(1);
  const leaves = args.map((arg, k) => {
    const from = variableOf("evaluationTrace", arg);
    const given = direction === undefined ? (k === 0 ? onesFor(from.node) : null) : (direction[k] ?? null);
    const leaf = new Variable(from.value, {
      name: from.name ?? (args.length === 1 ? "x" : `x${k + 1}`),
    });
    if (given !== null) {
      const tangent = variableOf("evaluationTrace", given);
      checkGradient("evaluationTrace", tangent, leaf.node, "a tangent");
      sweep.start(leaf, [tangent]);
    }
    return leaf;
  });
  const y = withGrad(() => withForward(sweep, () => f(...leaves)));
  if (!isVariable(y)) {
    throw codedError(
      "BAD_ARGUMENT",
      `evaluationTrace: expected the function to return a Variable, found ${y === null ? "null" : typeof y}`,
    );
  }
  const adjoints = new Map<VariableNode, Variable>();
  const seed = gradOutput === undefined ? onesFor(y.node) : variableOf("evaluationTrace", gradOutput);
  checkGradient("evaluationTrace", seed, y.node);
  if (y.requiresGrad) {
    const all = new Set([...leaves, ...sweep.steps.flatMap(({ outputs }) => outputs)].map(({ node }) => node));
    for (const [node, gradient] of noGrad(() => propagate(y.node, seed, all))) adjoints.set(node, gradient);
  }
  return described(leaves, sweep, y, adjoints);
}

async function described(
  leaves: readonly Variable[],
  sweep: TracingSweep,
  y: Variable,
  adjoints: ReadonlyMap<VariableNode, Variable>,
): Promise<EvaluationTrace> {
  const made = sweep.steps.flatMap((step) => step.outputs.map((u) => ({ u, step: step as Step | null })));
  const shown = [...leaves.map((u) => ({ u, step: null as Step | null })), ...made];
  const names = new Map<VariableNode, string>();
  let count = 0;
  for (const { u, step } of shown) {
    if (step !== null) count++;
    names.set(u.node, u.name ?? `u${count}`);
  }
  let constants = 0;
  const nameOf = ({ node, name }: Variable) => {
    let known = names.get(node) ?? name;
    if (known === undefined) names.set(node, (known = `c${++constants}`));
    return known;
  };
  const rows: TraceRow[] = [];
  for (const { u, step } of shown) {
    const operands = step?.inputs.map(nameOf) ?? [];
    const differentiable = isFloating(u.dtype);
    const tangent = (differentiable && sweep.tangentsOf(u)[0]) || zerosFor(u.node);
    const adjoint = adjoints.get(u.node) ?? zerosFor(u.node);
    rows.push({
      name: nameOf(u),
      operation: step?.node.label ?? null,
      operands,
      formula: step === null ? nameOf(u) : formulaOf(step.node, operands),
      value: await u.toArray(),
      tangent: await tangent.toArray(),
      adjoint: await adjoint.toArray(),
    });
  }
  const notes = new Map(
    shown.map(({ u }, k) => {
      const { name, value, tangent, adjoint } = rows[k] as TraceRow;
      u.name ??= name;
      return [u.node, [`value ${brief(value)}`, `tangent ${brief(tangent)}`, `adjoint ${brief(adjoint)}`]] as const;
    }),
  );
  return {
    rows,
    toText: ({ digits = 4 } = {}) => tables(rows, nameOf(y), digits),
    graph: annotatedGraph([y.node], notes),
  };
}

function tables(rows: readonly TraceRow[], result: string, digits: number): string {
  const made = rows.filter(({ operation }) => operation !== null);
  const inputs = rows.filter(({ operation }) => operation === null);
  const uses = (name: string) => made.filter(({ operands }) => operands.includes(name));
  const terms = (list: readonly string[]) => (list.length === 0 ? "0" : list.join(" + "));
  const unique = (list: readonly string[]) => [...new Set(list)];
  const known = new Set(rows.map(({ name }) => name));
  const table = (title: string, lines: readonly (readonly [string, string, Nested])[]) => {
    const [first, second] = [0, 1].map((column) =>
      Math.max(...lines.map((line) => [...(line[column] as string)].length)),
    );
    const pad = (text: string, width = 0) => text + " ".repeat(Math.max(0, width - [...text].length));
    return [
      title,
      ...lines.map(
        ([name, formula, value]) => `  ${pad(name, first)} = ${pad(formula, second)} = ${brief(value, digits)}`,
      ),
      "",
    ].join("\n");
  };
  const last = rows.find(({ name }) => name === result);
  return [
    table("Evaluation", [
      ...rows.map(({ name, formula, value }) => [name, formula, value] as const),
      ...(last === undefined ? [] : [["y", result, last.value] as const]),
    ]),
    table("Forward mode", [
      ...inputs.map(({ name, tangent }) => [`d${name}`, "seed", tangent] as const),
      ...made.map(
        ({ name, operands, tangent }) =>
          [
            `d${name}`,
            terms(unique(operands.filter((u) => known.has(u))).map((u) => `∂${name}/∂${u} d${u}`)),
            tangent,
          ] as const,
      ),
    ]),
    table(
      "Reverse mode",
      [...rows]
        .reverse()
        .map(
          ({ name, adjoint }) =>
            [
              `∂y/∂${name}`,
              name === result ? "seed" : terms(uses(name).map((u) => `∂y/∂${u.name} ∂${u.name}/∂${name}`)),
              adjoint,
            ] as const,
        ),
    ),
  ].join("\n");
}

const most = 6;

/** A number or nested arrays, shortened. */
function brief(value: Nested, digits = 4): string {
  if (!Array.isArray(value)) return Number.isInteger(value) && digits === 0 ? `${value}` : value.toFixed(digits);
  if (value.length === 1) return brief(value[0] as Nested, digits);
  const shown = value.slice(0, most).map((item) => brief(item, digits));
  return `[${[...shown, ...(value.length > most ? ["…"] : [])].join(", ")}]`;
}

const signs: Readonly<Partial<Record<string, readonly [sign: string, level: number]>>> = {
  add: ["+", 1],
  sub: ["-", 1],
  mul: ["*", 2],
  div: ["/", 2],
};

function formulaOf(node: FunctionNode, operands: readonly string[]): string {
  return node instanceof ElementwiseFunction
    ? written(node.formula, operands).text
    : `${node.label}(${operands.join(", ")})`;
}

/** A formula as text; the level says how strongly its last operation binds. */
function written(e: Expression, operands: readonly string[]): { readonly text: string; readonly level: number } {
  if (e.kind === "constant") return { text: `${e.value}`, level: e.value < 0 ? 1 : 4 };
  if (e.kind === "input") return { text: operands[e.index] ?? `c${e.index}`, level: 4 };
  const power = powerOf(e);
  if (power !== null) return { text: `${bound(written(power.base, operands), 4)}^${power.exponent}`, level: 3 };
  const parts = e.arguments.map((argument) => written(argument, operands));
  const [sign, level] = signs[e.operation] ?? [];
  if (sign === undefined || level === undefined)
    return { text: `${e.operation}(${parts.map(({ text }) => text).join(", ")})`, level: 4 };
  // The right operand of - and / needs brackets where it binds no stronger.
  const right = e.operation === "sub" || e.operation === "div" ? level + 1 : level;
  return {
    text: parts.map((part, k) => bound(part, k === 0 ? level : right)).join(` ${sign} `),
    level,
  };
}

const bound = ({ text, level }: { readonly text: string; readonly level: number }, least: number) =>
  level < least ? `(${text})` : text;

/** A product of one factor with itself: how the table writes whole powers. */
function powerOf(e: Expression): { readonly base: Expression; readonly exponent: number } | null {
  if (e.kind !== "apply" || e.operation !== "mul") return null;
  const [a, b] = e.arguments as [Expression, Expression];
  const left = powerOf(a);
  if (a === b) return left === null ? { base: a, exponent: 2 } : { base: left.base, exponent: 2 * left.exponent };
  return left !== null && left.base === b ? { base: b, exponent: left.exponent + 1 } : null;
}
