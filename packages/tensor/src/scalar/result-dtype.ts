import { checkNumber, isFloating, type DType } from "../dtype.js";
import { codedError } from "../errors.js";
import { isConstant, type Expression } from "./expression.js";
import { operation } from "./operations.js";

type Kind = "test" | "number" | "either";

const known = new WeakMap<Expression, Map<string, DType>>();

/**
 * The dtype of a formula's values: bool for a test or a choice between tests, else that of its numeric operands, or
 * float32 without any. In arithmetic a test counts as 1 or 0.
 *
 * @param operands  dtype of each input; those that are not bool are one dtype.
 * @throws          DTYPE_MISMATCH for a number used as a test and for floating operations on integers, BAD_ARGUMENT for
 *                  a fractional constant among integers.
 */
export function resultDType(subject: string, e: Expression, operands: readonly DType[]): DType {
  let perOperands = known.get(e);
  if (perOperands === undefined) known.set(e, (perOperands = new Map()));
  const key = operands.join();
  let result = perOperands.get(key);
  if (result === undefined) perOperands.set(key, (result = infer(subject, e, operands)));
  return result;
}

function infer(subject: string, e: Expression, operands: readonly DType[]): DType {
  const dtype = operands.find((operand) => operand !== "bool") ?? "float32";
  const done = new Map<Expression, Kind>();
  const visit = (node: Expression): Kind => {
    if (node.kind === "input") return operands[node.index] === "bool" ? "test" : "number";
    if (node.kind === "constant") {
      checkNumber(subject, node.value, dtype);
      return isConstant(node, 0) || isConstant(node, 1) ? "either" : "number";
    }
    let kind = done.get(node);
    if (kind !== undefined) return kind;
    const { result, domain } = operation(node.operation);
    const kinds = node.arguments.map(visit);
    const tests = node.operation === "where" ? kinds.slice(0, 1) : isLogical(node.operation) ? kinds : [];
    if (tests.includes("number")) {
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected ${node.operation} to be given tests such as u.greater(0), found a ${dtype} number`,
      );
    }
    if (domain === "floating" && !isFloating(dtype)) {
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected a floating dtype for ${node.operation}, found ${dtype}; cast it`,
      );
    }
    if (node.operation === "where") {
      const [, a, b] = kinds;
      kind = a === "number" || b === "number" || (a === "either" && b === "either") ? "number" : "test";
    } else kind = result === "bool" ? "test" : "number";
    done.set(node, kind);
    return kind;
  };
  return visit(e) === "test" ? "bool" : dtype;
}

export function isLogical(name: string): boolean {
  return name === "and" || name === "or" || name === "not";
}
