import { codedError } from "../errors.js";
import type { Device } from "../device/device.js";
import { checkNumber, isFloating, type DType } from "../dtype.js";
import { broadcastStrides } from "../layout.js";
import type { View } from "../kernel/kernel.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { operation, type OperationName } from "../scalar/operations.js";
import { isLogical, resultDType } from "../scalar/result-dtype.js";
import { combine, Scalar, traceScalar, type ScalarFunction } from "../scalar/scalar.js";
import { broadcastShapes, formatShape, sameShape, type Shape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { empty } from "./creation.js";

export function describe(x: Tensor): string {
  return `${x.dtype} ${formatShape(x.shape)}`;
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" ? constructor.name : "object";
}

/** Operands that all have to be tensors: live, on one device. */
export function tensorsOf(subject: string, operands: readonly unknown[]): readonly [Tensor, ...Tensor[]] {
  for (const operand of operands) {
    if (!Tensor.is(operand)) {
      throw codedError("BAD_ARGUMENT", `${subject}: expected tensors, found ${nameOf(operand)}`);
    }
  }
  return operandsOf(subject, operands);
}

/** The tensors among operands, checked to be live, on one device. */
export function operandsOf(subject: string, operands: readonly unknown[]): readonly [Tensor, ...Tensor[]] {
  const tensors: Tensor[] = [];
  for (const operand of operands) {
    if (Tensor.is(operand)) tensors.push(operand.live(subject));
    else if (typeof operand !== "number") {
      throw codedError("BAD_ARGUMENT", `${subject}: expected tensors and numbers, found ${nameOf(operand)}`);
    }
  }
  const [first] = tensors;
  if (first === undefined) throw codedError("BAD_ARGUMENT", `${subject}: expected at least one tensor`);
  for (let k = 1; k < tensors.length; k++) {
    const other = tensors[k] as Tensor;
    if (other.device !== first.device) {
      throw codedError(
        "DEVICE_MISMATCH",
        `${subject}: expected operands on one device, found ${describe(first)} on ${first.device.name} and ${describe(other)} on another ${other.device.name}`,
      );
    }
  }
  return tensors as [Tensor, ...Tensor[]];
}

export function sameDType(subject: string, tensors: readonly Tensor[]): DType {
  const [first] = tensors as [Tensor];
  for (const other of tensors) {
    if (other.dtype !== first.dtype) {
      throw codedError(
        "DTYPE_MISMATCH",
        `${subject}: expected operands of one dtype, found ${first.dtype} ≠ ${other.dtype} (${tensors.map(describe).join(", ")}); cast one of them`,
      );
    }
  }
  return first.dtype;
}

/** The shape that tensors broadcast to. */
export function commonShape(subject: string, tensors: readonly Tensor[]): Shape {
  const [{ shape }] = tensors as [Tensor];
  if (tensors.every((x) => sameShape(x.shape, shape))) return shape;
  return broadcastShapes(
    subject,
    tensors.map((x) => x.shape),
  );
}

/** The view of a tensor repeated over `shape`. */
export function viewOver(x: Tensor, shape: Shape): View {
  if (sameShape(x.shape, shape)) return x;
  return { storage: x.storage, dtype: x.dtype, shape, strides: broadcastStrides(x, shape), offset: x.offset };
}

export function runMap(device: Device, dtype: DType, shape: Shape, f: Expression, tensors: readonly Tensor[]): Tensor {
  const out = empty(device, dtype, shape);
  device.run({ form: "map", out, f, operands: tensors.map((x) => viewOver(x, shape)) });
  return out;
}

const allTensors = new Map<OperationName, Expression>();

/** The formula of an operation on operands of which `count` are tensors and the others numbers. */
function formulaOf(name: OperationName, operands: readonly (Tensor | number)[], count: number): Expression {
  if (count === operands.length) {
    let f = allTensors.get(name);
    if (f === undefined) allTensors.set(name, (f = apply(name, ...operands.map((_, k) => input(k)))));
    return f;
  }
  let next = 0;
  return apply(name, ...operands.map((operand) => (typeof operand === "number" ? constant(operand) : input(next++))));
}

/** An operation of the scalar table on tensors and numbers. */
export function elementwise(name: OperationName, operands: readonly (Tensor | number)[]): Tensor {
  const tensors = operandsOf(name, operands);
  const record = operation(name);
  if (operands.length !== record.arity) {
    throw codedError("BAD_ARGUMENT", `${name}: expected ${record.arity} operands, found ${operands.length}`);
  }
  let dtype: DType;
  if (name === "where") {
    dtype = whereDType(operands);
  } else {
    dtype = sameDType(name, tensors);
    const allowed = isLogical(name)
      ? dtype === "bool"
      : record.domain === "floating"
        ? isFloating(dtype)
        : record.domain === "numeric"
          ? dtype !== "bool"
          : true;
    if (!allowed) {
      const wanted =
        record.domain === "floating" ? "a floating dtype" : record.domain === "numeric" ? "a numeric dtype" : "bool";
      throw codedError(
        "DTYPE_MISMATCH",
        `${name}: expected ${wanted}, found ${tensors.map(describe).join(", ")}; cast it`,
      );
    }
  }
  if (tensors.length < operands.length) {
    for (const operand of operands) if (typeof operand === "number") checkNumber(name, operand, dtype);
  }
  const shape = commonShape(name, tensors);
  return runMap(
    tensors[0].device,
    record.result === "bool" ? "bool" : dtype,
    shape,
    formulaOf(name, operands, tensors.length),
    tensors,
  );
}

function whereDType([condition, a, b]: readonly (Tensor | number)[]): DType {
  if (!Tensor.is(condition) || condition.dtype !== "bool") {
    throw codedError(
      "DTYPE_MISMATCH",
      `where: expected a bool condition, found ${Tensor.is(condition) ? describe(condition) : "a number"}`,
    );
  }
  const branches = [a, b].filter((branch): branch is Tensor => Tensor.is(branch));
  return branches.length === 0 ? "float32" : sameDType("where", branches);
}

/** A traced scalar function of tensors and numbers, as one kernel. */
export function mapTensor(subject: string, f: ScalarFunction, operands: readonly (Tensor | number)[]): Tensor {
  const tensors = operandsOf(subject, operands);
  let next = 0;
  const formula = traceScalar(
    subject,
    (...symbols) => {
      const { trace } = symbols[0];
      const [u, ...rest] = operands.map((operand) =>
        typeof operand === "number" ? new Scalar(constant(operand), trace) : (symbols[next++] as Scalar),
      );
      return f(u as Scalar, ...rest);
    },
    tensors.length,
  );
  return mapExpression(subject, formula, tensors);
}

/** A formula of broadcast tensors; its result is bool if it is a test. */
export function mapExpression(subject: string, formula: Expression, tensors: readonly Tensor[]): Tensor {
  const checked = tensorsOf(subject, tensors);
  const dtype = formulaDType(subject, formula, checked);
  const shape = commonShape(subject, checked);
  return runMap(checked[0].device, dtype, shape, formula, checked);
}

/** The dtype of a formula of tensors that are bool or of one dtype. */
export function formulaDType(subject: string, formula: Expression, tensors: readonly Tensor[]): DType {
  const values = tensors.filter((x) => x.dtype !== "bool");
  if (values.length > 0) sameDType(subject, values);
  return resultDType(
    subject,
    formula,
    tensors.map((x) => x.dtype),
  );
}

/**
 * condition ? a : b, element by element.
 *
 * @param condition  bool, or a traced scalar.
 * @param a          Taken where the condition holds; broadcasts.
 * @param b          Taken elsewhere.
 * @returns          A tensor of the broadcast shape, or a scalar inside a traced function.
 * @throws           DTYPE_MISMATCH unless the condition is bool and the branches agree.
 * @example          where(device.tensor([true, false]), device.tensor([1, 2]), 0)
 */
export function where(condition: Scalar, a: Scalar | number, b: Scalar | number): Scalar;
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor;
export function where(
  condition: Tensor | Scalar,
  a: Tensor | Scalar | number,
  b: Tensor | Scalar | number,
): Tensor | Scalar {
  if (Scalar.is(condition)) return combine("where", [condition, a as Scalar | number, b as Scalar | number]);
  return elementwise("where", [condition, a as Tensor | number, b as Tensor | number]);
}
