import { codedError, Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { isVariable, makeVariable } from "../variable-node.js";

/** The shape of a Variable or tensor; BAD_ARGUMENT for anything else. */
export function shapeOfOperand(subject: string, operand: unknown): readonly number[] {
  return variableOf(subject, operand).shape;
}

/** A Variable, or a tensor as a constant; BAD_ARGUMENT for anything else. */
export function variableOf(subject: string, operand: unknown): Variable {
  if (isVariable(operand)) return operand;
  if (Tensor.is(operand)) return makeVariable(operand);
  throw codedError(
    "BAD_ARGUMENT",
    `${subject}: expected a Variable or a tensor, found ${operand === null ? "null" : typeof operand}`,
  );
}

/** The tensor of a Variable or tensor, for operands that carry no gradient, such as indices. */
export function tensorOf(subject: string, operand: unknown): Tensor {
  return variableOf(subject, operand).value;
}
