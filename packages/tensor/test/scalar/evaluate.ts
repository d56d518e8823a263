import type { Expression } from "../../src/scalar/expression.js";
import { operation } from "../../src/scalar/operations.js";

/** A formula's value by recursion over its definition. */
export function evaluate(e: Expression, inputs: readonly number[]): number {
  if (e.kind === "constant") return e.value;
  if (e.kind === "input") return inputs[e.index]!;
  return operation(e.operation).js.evaluate(...e.arguments.map((argument) => evaluate(argument, inputs)));
}

/** How many distinct nodes a formula has. */
export function sizeOfFormula(e: Expression): number {
  const seen = new Set<Expression>();
  const visit = (node: Expression) => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "apply") node.arguments.forEach(visit);
  };
  visit(e);
  return seen.size;
}
