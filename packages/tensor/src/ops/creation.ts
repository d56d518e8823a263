import { codedError } from "../errors.js";
import type { Device } from "../device/device.js";
import { checkDType, dtypeOf, toTyped, type DType, type TypedArray } from "../dtype.js";
import { rowMajor } from "../layout.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { checkShape, formatShape, sameShape, sizeOf } from "../shape.js";
import { Tensor } from "../tensor.js";

/** Values `device.tensor` takes. */
export type HostValues = number | boolean | TypedArray | readonly HostValues[];

export interface DTypeOption {
  /** Element type; float32 unless given. */
  readonly dtype?: DType;
}

export interface TensorOptions extends DTypeOption {
  /** Shape of flat values. */
  readonly shape?: readonly number[];
  /** Take NaN and infinities as they are. */
  readonly allowNonFinite?: boolean;
}

export interface ArangeOptions extends DTypeOption {
  readonly start?: number;
  readonly step?: number;
}

/** Fresh memory for a result; its elements are not set. */
export function empty(device: Device, dtype: DType, shape: readonly number[]): Tensor {
  return new Tensor(device, device.allocate(dtype, sizeOf(shape)), dtype, rowMajor(shape));
}

/** A tensor holding a typed array of its dtype. */
export function upload(device: Device, values: TypedArray, dtype: DType, shape: readonly number[]): Tensor {
  const result = empty(device, dtype, shape);
  device.write(result.storage, values);
  return result;
}

function flatten(values: HostValues): {
  readonly flat: number[];
  readonly shape: number[];
  readonly booleans: boolean;
} {
  const flat: number[] = [];
  const shape: number[] = [];
  let leafDepth = -1;
  let booleans = true;
  const visit = (value: HostValues, depth: number): void => {
    if (typeof value === "number" || typeof value === "boolean") {
      if (leafDepth === -1) leafDepth = depth;
      if (leafDepth !== depth) throw ragged();
      if (typeof value === "number") booleans = false;
      flat.push(Number(value));
      return;
    }
    const list = value as ArrayLike<HostValues>;
    if (!Array.isArray(value) && dtypeOf(value) === undefined) {
      throw codedError(
        "BAD_ARGUMENT",
        `tensor: expected numbers or booleans, found ${value === null ? "null" : typeof value}`,
      );
    }
    if (shape[depth] === undefined && leafDepth === -1) shape[depth] = list.length;
    if (shape[depth] !== list.length) throw ragged();
    for (let i = 0; i < list.length; i++) visit(list[i] as HostValues, depth + 1);
  };
  const ragged = () =>
    codedError(
      "SHAPE_MISMATCH",
      `tensor: expected nested arrays of equal lengths, found ragged ones after shape ${formatShape(shape)}`,
    );
  visit(values, 0);
  return { flat, shape, booleans: booleans && flat.length > 0 };
}

/** Throws BAD_DATA naming the first element that is NaN or infinite. */
export function checkFinite(subject: string, values: ArrayLike<number>, shape: readonly number[]): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const index: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      index.unshift(rest % (shape[axis] as number));
      rest = Math.floor(rest / (shape[axis] as number));
    }
    throw codedError(
      "BAD_DATA",
      `${subject}: expected finite values, found ${values[i]} at ${formatShape(index)}; pass allowNonFinite: true if that is meant`,
    );
  }
}

export function tensor(device: Device, values: HostValues, options: TensorOptions = {}): Tensor {
  const implied = dtypeOf(values);
  let shape = options.shape;
  let host: ArrayLike<number>;
  let inferred: DType = "float32";
  if (implied !== undefined) {
    host = values as TypedArray;
    shape ??= [host.length];
    inferred = implied === "bool" ? "float32" : implied;
  } else {
    const { flat, shape: found, booleans } = flatten(values);
    if (shape !== undefined && found.length > 1 && !sameShape(shape, found)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `tensor: expected shape ${formatShape(shape)}, found nested arrays of shape ${formatShape(found)}`,
      );
    }
    host = flat;
    shape ??= found;
    if (booleans) inferred = "bool";
  }
  const dtype = options.dtype ?? inferred;
  checkDType("tensor", dtype);
  checkShape("tensor", shape);
  if (sizeOf(shape) !== host.length) {
    throw codedError(
      "SHAPE_MISMATCH",
      `tensor: expected ${sizeOf(shape)} values for shape ${formatShape(shape)}, found ${host.length}`,
    );
  }
  if (options.allowNonFinite !== true || dtype === "int32" || dtype === "uint32") checkFinite("tensor", host, shape);
  if (dtype === "int32" || dtype === "uint32") checkIntegers(dtype, host);
  return upload(device, toTyped(dtype, host), dtype, [...shape]);
}

function checkIntegers(dtype: "int32" | "uint32", values: ArrayLike<number>): void {
  const [low, high] = dtype === "int32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isInteger(value) || value < low || value > high) {
      throw codedError(
        "BAD_DATA",
        `tensor: expected whole numbers in the range of ${dtype}, found ${value} at element ${i}`,
      );
    }
  }
}

export function full(
  device: Device,
  shape: readonly number[],
  value: number,
  { dtype = "float32" }: DTypeOption = {},
): Tensor {
  checkDType("full", dtype);
  checkShape("full", shape);
  const result = empty(device, dtype, [...shape]);
  device.run({ form: "map", out: result, f: constant(dtype === "bool" ? Number(value !== 0) : value), operands: [] });
  return result;
}

export function eye(device: Device, rows: number, columns: number, { dtype = "float32" }: DTypeOption = {}): Tensor {
  checkDType("eye", dtype);
  checkShape("eye", [rows, columns]);
  const result = empty(device, dtype, [rows, columns]);
  device.run({ form: "map", out: result, f: apply("equal", input(0), input(1)), operands: [{ axis: 0 }, { axis: 1 }] });
  return result;
}

export function arange(
  device: Device,
  stop: number,
  { start = 0, step = 1, dtype = "float32" }: ArangeOptions = {},
): Tensor {
  checkDType("arange", dtype);
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !Number.isFinite(step) || step === 0) {
    throw codedError(
      "BAD_ARGUMENT",
      `arange: expected finite start, stop and a step ≠ 0, found ${start}, ${stop} and ${step}`,
    );
  }
  const result = empty(device, dtype, [Math.max(0, Math.ceil((stop - start) / step))]);
  const f = apply("add", constant(start), apply("mul", input(0), constant(step)));
  device.run({ form: "map", out: result, f, operands: [{ axis: 0 }] });
  return result;
}

export function linspace(
  device: Device,
  start: number,
  stop: number,
  count: number,
  { dtype = "float32" }: DTypeOption = {},
): Tensor {
  checkDType("linspace", dtype);
  if (!Number.isInteger(count) || count < 1) {
    throw codedError("BAD_ARGUMENT", `linspace: expected count to be a whole number ≥ 1, found ${count}`);
  }
  const result = empty(device, dtype, [count]);
  // Weighted ends rather than start + i·step, so that both ends are exact.
  const weight = apply("div", input(0), constant(Math.max(1, count - 1)));
  const f = apply(
    "add",
    apply("mul", constant(start), apply("sub", constant(1), weight)),
    apply("mul", constant(stop), weight),
  );
  device.run({ form: "map", out: result, f, operands: [{ axis: 0 }] });
  return result;
}

const identity = input(0);
const nonzero: Expression = apply("notEqual", input(0), constant(0));

/** Writes the elements of `source` over those of `target`, which have the same shape. */
export function assignInto(target: Tensor, source: Tensor): void {
  const f = target.dtype === "bool" && source.dtype !== "bool" ? nonzero : identity;
  target.device.run({ form: "map", out: target, f, operands: [source] });
}

export function castTo(x: Tensor, dtype: DType, copy: boolean): Tensor {
  checkDType("cast", dtype);
  if (x.dtype === dtype && !copy) return x;
  const result = empty(x.device, dtype, x.shape);
  assignInto(result, x);
  return result;
}

/** The tensor itself if its elements lie in row-major order, else a copy for which they do. */
export function contiguous(x: Tensor): Tensor {
  return x.rowMajor ? x : castTo(x, x.dtype, true);
}
