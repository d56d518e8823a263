import { codedError } from "@robgrad/tensor";
import {
  isConditionalNode,
  isConstantNode,
  isFunctionNode,
  isOperatorNode,
  isParenthesisNode,
  isSymbolNode,
  parse,
  type MathNode,
} from "mathjs/number";

/** The variable of a formula. */
export const variable = "x";

/** Numbers with a name. */
export const namedNumbers: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** Functions that a formula may call, and with how many arguments. */
const functions: Readonly<Record<string, readonly [least: number, most: number]>> = {
  abs: [1, 1],
  atan: [1, 1],
  cos: [1, 1],
  cosh: [1, 1],
  exp: [1, 1],
  expm1: [1, 1],
  log: [1, 1],
  log1p: [1, 1],
  max: [2, Infinity],
  min: [2, Infinity],
  pow: [2, 2],
  sign: [1, 1],
  sin: [1, 1],
  sinh: [1, 1],
  sqrt: [1, 1],
  square: [1, 1],
  tan: [1, 1],
  tanh: [1, 1],
};

const operators = new Set(["add", "subtract", "multiply", "divide", "pow", "unaryMinus", "unaryPlus"]);
export const comparisons = new Set(["smaller", "smallerEq", "larger", "largerEq", "and", "or", "not"]);

const [mostCharacters, mostNodes] = [1000, 200];

/**
 * A formula of x as a tree of nothing but numbers, x, pi, e, arithmetic, the functions above and `test ? a : b`. What else
 * mathjs can read (assignments, properties, strings, units, definitions …) is refused, so that no formula runs code.
 *
 * @throws  BAD_ARGUMENT naming the subject and the part that is not allowed.
 */
export function parseFormula(subject: string, text: unknown): MathNode {
  if (typeof text !== "string" || text.trim() === "") {
    throw codedError("BAD_ARGUMENT", `${subject}: expected a formula such as "x - x^3/6", found ${shown(text)}`);
  }
  if (text.length > mostCharacters) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected a formula of at most ${mostCharacters} characters, found ${text.length}`,
    );
  }
  let node: MathNode;
  try {
    node = parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw codedError("BAD_ARGUMENT", `${subject}: expected a formula, found ${shown(text)}: ${reason}`);
  }
  let nodes = 0;
  const check = (part: MathNode, asTest: boolean): void => {
    if (++nodes > mostNodes) {
      throw codedError("BAD_ARGUMENT", `${subject}: expected a formula of at most ${mostNodes} parts, found more`);
    }
    const refuse = (): never => {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected numbers, x, pi, e, + − * / ^, ${Object.keys(functions).join(", ")} and test ? a : b, found ${shown(part.toString())} in ${shown(text)}${isFunctionNode(part) && part.fn.name === variable ? "; write x * (…)" : ""}`,
      );
    };
    if (isParenthesisNode(part)) return check(part.content, asTest);
    if (isOperatorNode(part) && comparisons.has(part.fn)) {
      if (!asTest) refuse();
      const joins = part.fn === "and" || part.fn === "or" || part.fn === "not";
      return part.args.forEach((argument: MathNode) => check(argument, joins));
    }
    if (asTest) refuse();
    if (isConstantNode(part)) {
      if (typeof part.value !== "number" || !Number.isFinite(part.value)) refuse();
      return;
    }
    if (isSymbolNode(part)) {
      if (part.name !== variable && !Object.hasOwn(namedNumbers, part.name)) refuse();
      return;
    }
    if (isOperatorNode(part)) {
      if (!operators.has(part.fn)) refuse();
      return part.args.forEach((argument: MathNode) => check(argument, false));
    }
    if (isFunctionNode(part)) {
      const name: unknown = isSymbolNode(part.fn) ? part.fn.name : undefined;
      const range = typeof name === "string" && Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (range === undefined || part.args.length < range[0] || part.args.length > range[1]) return refuse();
      return part.args.forEach((argument) => check(argument, false));
    }
    if (isConditionalNode(part)) {
      check(part.condition, true);
      check(part.trueExpr, false);
      return check(part.falseExpr, false);
    }
    refuse();
  };
  check(node, false);
  return node;
}

const shown = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value));
