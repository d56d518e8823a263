import { codedError } from "@robgrad/tensor";
import {
  ConditionalNode,
  derivative as differentiated,
  isConditionalNode,
  isParenthesisNode,
  type MathNode,
} from "mathjs/number";
import { variable } from "./formula.js";

/** The derivative of a checked formula; mathjs's, branch by branch where the formula is a choice. */
export function derivative(subject: string, node: MathNode): MathNode {
  if (isParenthesisNode(node)) return derivative(subject, node.content);
  if (isConditionalNode(node)) {
    return new ConditionalNode(node.condition, derivative(subject, node.trueExpr), derivative(subject, node.falseExpr));
  }
  try {
    // Simplifying takes time that grows without bound, and gains nothing: numbers are folded later.
    return differentiated(node, variable, { simplify: false });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected a formula that mathjs can differentiate, found ${JSON.stringify(node.toString())}: ${reason}; write its derivative with influence(…)`,
      { cause: error },
    );
  }
}
