import { apply, constant, isConstant, type Expression } from "./expression.js";
import { operation } from "./operations.js";

const known = new WeakMap<Expression, Map<number, Expression>>();

/**
 * The partial derivative of a formula with respect to one of its inputs, as a formula of the same inputs.
 * Shared parts stay shared, so the result grows linearly with the formula.
 */
export function differentiate(e: Expression, index: number): Expression {
  let perInput = known.get(e);
  if (perInput === undefined) known.set(e, (perInput = new Map()));
  let result = perInput.get(index);
  if (result === undefined) perInput.set(index, (result = derive(e, index)));
  return result;
}

function derive(e: Expression, index: number): Expression {
  const zero = constant(0);
  const done = new Map<Expression, Expression>();
  const visit = (node: Expression): Expression => {
    if (node.kind === "constant") return zero;
    if (node.kind === "input") return node.index === index ? constant(1) : zero;
    let total = done.get(node);
    if (total !== undefined) return total;
    total = zero;
    const rules = operation(node.operation).derivative;
    node.arguments.forEach((argument, k) => {
      const rule = rules[k];
      if (rule === null || rule === undefined) return;
      const inner = visit(argument);
      if (isConstant(inner, 0)) return;
      const term = apply("mul", inner, rule(node.arguments, node));
      total = total === zero ? term : apply("add", total as Expression, term);
    });
    done.set(node, total);
    return total;
  };
  return visit(e);
}
