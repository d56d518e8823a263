import { where as whereTensors, type Tensor } from "@robgrad/tensor";
import { apply, constant, input } from "@robgrad/tensor/kernels";
import type { Operand, Variable } from "../variable.js";
import { ElementwiseFunction, valueOf } from "./elementwise.js";

/**
 * condition ? a : b, element by element; the gradient goes to whichever was taken.
 *
 * @param condition  bool.
 * @param a          Taken where the condition holds: a Variable, a tensor or a number; broadcasts.
 * @param b          Taken elsewhere.
 * @returns          A Variable of the broadcast shape.
 * @throws           DTYPE_MISMATCH unless the condition is bool and the branches agree.
 * @example          const x = new Variable(device.tensor([1, -2])); where(x.greater(0), x, 0)
 */
export function where(condition: Variable | Tensor, a: Operand, b: Operand): Variable {
  const operands = [condition, a, b];
  let next = 0;
  const formula = apply(
    "where",
    ...operands.map((operand) => (typeof operand === "number" ? constant(operand) : input(next++))),
  );
  const node = new ElementwiseFunction("where", formula, (tensors) => {
    let used = 0;
    const [chosen, first, second] = operands.map((operand) =>
      typeof operand === "number" ? operand : (tensors[used++] as Tensor),
    );
    return whereTensors(chosen as Tensor, first as Tensor | number, second as Tensor | number);
  });
  for (const operand of operands) valueOf("where", operand);
  return node.apply(...operands.filter((operand) => typeof operand !== "number"))[0] as Variable;
}
