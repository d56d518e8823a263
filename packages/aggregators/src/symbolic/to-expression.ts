import { input, type Expression, type OperationName } from "@robgrad/tensor/kernels";
import {
  isConditionalNode,
  isConstantNode,
  isFunctionNode,
  isOperatorNode,
  isParenthesisNode,
  isSymbolNode,
  type MathNode,
} from "mathjs/number";
import { namedNumbers, variable } from "./formula.js";
import { StableForm } from "./stable-form.js";

/** mathjs's names of what has another name here. */
const operations: Readonly<Record<string, OperationName>> = {
  add: "add",
  subtract: "sub",
  multiply: "mul",
  divide: "div",
  unaryMinus: "neg",
  smaller: "less",
  smallerEq: "lessEqual",
  larger: "greater",
  largerEq: "greaterEqual",
  max: "maximum",
  min: "minimum",
};

/** A checked formula, or a derivative of one, as a scalar formula of input 0. */
export function toExpression(node: MathNode): Expression {
  const form = new StableForm();
  const build = (part: MathNode): Expression => {
    if (isParenthesisNode(part)) return build(part.content);
    if (isConstantNode(part)) return form.constant(part.value as number);
    if (isSymbolNode(part)) {
      return part.name === variable ? form.one(input(0)) : form.constant(namedNumbers[part.name] as number);
    }
    if (isConditionalNode(part)) {
      return form.apply("where", build(part.condition), build(part.trueExpr), build(part.falseExpr));
    }
    if (!isOperatorNode(part) && !isFunctionNode(part)) {
      throw new Error(`expected a part of a formula, found ${part.type}`);
    }
    const name = isOperatorNode(part) ? part.fn : (part.fn as { name: string }).name;
    const args = (part.args as MathNode[]).map(build);
    if (name === "unaryPlus") return args[0] as Expression;
    if (name === "max" || name === "min") return args.reduce((a, b) => form.apply(operations[name]!, a, b));
    if (name === "square") return form.apply("mul", args[0]!, args[0]!);
    return form.apply(operations[name] ?? (name as OperationName), ...args);
  };
  return build(node);
}
