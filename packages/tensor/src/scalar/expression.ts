import type { OperationName } from "./operations.js";

/**
 * A scalar formula as plain data. Kernels carry it; devices print or interpret it.
 * `input` k is the k-th operand of the kernel (or register k of a column program).
 */
export type Expression =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "apply"; readonly operation: OperationName; readonly arguments: readonly Expression[] };

export function constant(value: number): Expression {
  return { kind: "constant", value };
}

const inputs: Expression[] = [];

export function input(index: number): Expression {
  return (inputs[index] ??= { kind: "input", index });
}

/**
 * An operation applied to formulas. Constants that change nothing are simplified away; the result is the same for
 * every number, signed zeros, NaN and infinities included (so u + 0 stays: it turns −0 into 0).
 */
export function apply(operation: OperationName, ...args: readonly Expression[]): Expression {
  const [a, b] = args as [Expression, Expression | undefined];
  switch (operation) {
    case "sub":
      if (isConstant(b, 0) && !isNegativeZero(b)) return a;
      break;
    case "mul":
      if (isConstant(a, 1)) return b as Expression;
      if (isConstant(b, 1)) return a;
      if (isConstant(a, -1)) return apply("neg", b as Expression);
      if (isConstant(b, -1)) return apply("neg", a);
      break;
    case "div":
      if (isConstant(b, 1)) return a;
      break;
    case "pow":
      if (isConstant(b, 1)) return a;
      if (isConstant(b, 2)) return { kind: "apply", operation: "mul", arguments: [a, a] };
      if (isConstant(b, 3)) return apply("mul", apply("mul", a, a), a);
      break;
  }
  return { kind: "apply", operation, arguments: args };
}

/** True for a constant equal to `value`; the two zeros are equal. */
export function isConstant(e: Expression | undefined, value: number): boolean {
  return e?.kind === "constant" && e.value === value;
}

function isNegativeZero(e: Expression | undefined): boolean {
  return e?.kind === "constant" && Object.is(e.value, -0);
}

/** A formula in a normal form: nodes in evaluation order, shared ones once, constants taken out into slots. */
export interface Normalized {
  /** Equal keys mean equal formulas up to the values in `constants`. */
  readonly key: string;
  readonly constants: readonly number[];
  readonly nodes: readonly NormalNode[];
  /** How many inputs the formula reads: one more than the largest index. */
  readonly arity: number;
}

export type NormalNode =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "apply"; readonly operation: OperationName; readonly arguments: readonly number[] };

const normalForms = new WeakMap<Expression, Normalized>();
/** Forms of single operations, which eager code makes anew for every number, by `patternOf`. */
const singleForms = new Map<string, Normalized>();

export function normalize(e: Expression): Normalized {
  let result = normalForms.get(e);
  if (result !== undefined) return result;
  const pattern = patternOf(e);
  const form = pattern === null ? undefined : singleForms.get(pattern);
  if (form === undefined) {
    result = derive(e);
    if (pattern !== null) singleForms.set(pattern, result);
  } else result = { ...form, constants: constantsOf(e) };
  normalForms.set(e, result);
  return result;
}

/** An operation on inputs and constants as text without the constants; null for other formulas. */
function patternOf(e: Expression): string | null {
  if (e.kind !== "apply") return null;
  let pattern: string = e.operation;
  for (const argument of e.arguments) {
    if (argument.kind === "apply") return null;
    pattern += argument.kind === "input" ? ` ${argument.index}` : " k";
  }
  return pattern;
}

function constantsOf(e: Expression): number[] {
  const constants: number[] = [];
  if (e.kind === "apply")
    for (const argument of e.arguments) if (argument.kind === "constant") constants.push(argument.value);
  return constants;
}

function derive(e: Expression): Normalized {
  const constants: number[] = [];
  const nodes: NormalNode[] = [];
  const seen = new Map<Expression, number>();
  let key = "";
  let arity = 0;
  const visit = (node: Expression): number => {
    // A constant has a slot wherever it stands: whether two are one object is not part of the form.
    const at = node.kind === "constant" ? undefined : seen.get(node);
    if (at !== undefined) return at;
    let normal: NormalNode;
    if (node.kind === "input") {
      arity = Math.max(arity, node.index + 1);
      normal = node;
      key += `i${node.index};`;
    } else if (node.kind === "constant") {
      normal = { kind: "slot", slot: constants.push(node.value) - 1 };
      key += "k;";
    } else {
      const args = node.arguments.map(visit);
      normal = { kind: "apply", operation: node.operation, arguments: args };
      key += `${node.operation} ${args.join(",")};`;
    }
    const index = nodes.push(normal) - 1;
    seen.set(node, index);
    return index;
  };
  visit(e);
  return { key, constants, nodes, arity };
}

/** The formula with every input replaced. */
export function substitute(e: Expression, replace: (index: number) => Expression): Expression {
  const done = new Map<Expression, Expression>();
  const visit = (node: Expression): Expression => {
    if (node.kind === "constant") return node;
    if (node.kind === "input") return replace(node.index);
    let result = done.get(node);
    if (result === undefined) {
      result = apply(node.operation, ...node.arguments.map(visit));
      done.set(node, result);
    }
    return result;
  };
  return visit(e);
}
