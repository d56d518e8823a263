import { codedError } from "../errors.js";
import type { Device } from "../device/device.js";
import {
  checkDType,
  checkNumber,
  dtypeOf,
  isElement,
  isFloating,
  toTyped,
  type DType,
  type TypedArray,
} from "../dtype.js";
import type { View } from "../kernel/kernel.js";
import { rowMajor } from "../layout.js";
import { apply, constant, input, type Expression } from "../scalar/expression.js";
import { checkShape, formatShape, sameShape, sizeOf } from "../shape.js";
import { Tensor } from "../tensor.js";

/** Values `device.tensor` takes. */
export type HostValues = number | boolean | TypedArray | readonly HostValues[];

/** The element type of a new tensor. */
export interface DTypeOption {
  /** Element type; float32 unless given. */
  readonly dtype?: DType;
}

/** How host values become a tensor. */
export interface TensorOptions extends DTypeOption {
  /** Shape of flat values. */
  readonly shape?: readonly number[];
  /** Take NaN and infinities as they are. */
  readonly allowNonFinite?: boolean;
}

/** Where a sequence starts and how far apart its numbers are. */
export interface ArangeOptions extends DTypeOption {
  /** The first number; 0 unless given. */
  readonly start?: number;
  /** From one number to the next, not 0; 1 unless given. */
  readonly step?: number;
}

/** Fresh memory for a result; its elements are not set. */
export function empty(device: Device, dtype: DType, shape: readonly number[]): Tensor {
  return new Tensor(device, device.allocate(dtype, sizeOf(shape), true), dtype, rowMajor(shape));
}

/** The elements of a tensor from `empty` under another shape. */
export function shapedAs({ storage, dtype }: Tensor, shape: readonly number[]): View {
  return { storage, dtype, ...rowMajor(shape) };
}

interface Flat {
  readonly flat: number[];
  readonly shape: number[];
  /** What the values imply: bool for booleans, the dtype of typed arrays that are all alike, else float32. */
  readonly dtype: DType;
}

function flatten(values: HostValues): Flat {
  const flat: number[] = [];
  const shape: number[] = [];
  const leaves = new Set<DType>();
  let leafDepth = -1;
  const ragged = () =>
    codedError(
      "SHAPE_MISMATCH",
      `tensor: expected nested arrays of equal lengths, found ragged ones after shape ${formatShape(shape)}`,
    );
  const leaf = (value: number | boolean, depth: number, dtype: DType) => {
    if (leafDepth === -1) leafDepth = depth;
    if (leafDepth !== depth) throw ragged();
    leaves.add(dtype);
    flat.push(Number(value));
  };
  const visit = (value: HostValues, depth: number): void => {
    if (typeof value === "number") return leaf(value, depth, "float32");
    if (typeof value === "boolean") return leaf(value, depth, "bool");
    const typed = dtypeOf(value);
    if (typed === undefined && !Array.isArray(value)) {
      throw codedError(
        "BAD_ARGUMENT",
        `tensor: expected numbers or booleans, found ${value === null ? "null" : typeof value}`,
      );
    }
    const list = value as ArrayLike<HostValues>;
    if (shape[depth] === undefined && leafDepth === -1) shape[depth] = list.length;
    if (shape[depth] !== list.length) throw ragged();
    const implied = typed === "bool" ? "float32" : typed;
    for (let i = 0; i < list.length; i++) {
      if (implied === undefined) visit(list[i] as HostValues, depth + 1);
      else leaf(list[i] as number, depth + 1, implied);
    }
  };
  visit(values, 0);
  const [dtype = "float32"] = leaves;
  return { flat, shape, dtype: leaves.size === 1 ? dtype : "float32" };
}

function indexOf(place: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = place; axis >= 0; axis--) {
    index.unshift(rest % (shape[axis] as number));
    rest = Math.floor(rest / (shape[axis] as number));
  }
  return formatShape(index);
}

/** Throws BAD_DATA naming the first host value that did not become an element. */
function checkElements(host: ArrayLike<number>, typed: TypedArray, dtype: DType, shape: readonly number[]): void {
  for (let i = 0; i < typed.length; i++) {
    const value = host[i] as number;
    const taken = isFloating(dtype)
      ? Number.isFinite(typed[i])
      : dtype === "bool"
        ? Number.isFinite(value)
        : isElement(dtype, value);
    if (taken) continue;
    const found = `found ${value} at ${indexOf(i, shape)}`;
    if (Number.isFinite(value)) {
      const wanted = isFloating(dtype) ? "values" : "whole numbers";
      throw codedError("BAD_DATA", `tensor: expected ${wanted} in the range of ${dtype}, ${found}`);
    }
    const hint = isFloating(dtype) ? "; pass allowNonFinite: true if that is meant" : "";
    throw codedError("BAD_DATA", `tensor: expected finite values, ${found}${hint}`);
  }
}

export function tensor(device: Device, values: HostValues, options: TensorOptions = {}): Tensor {
  const typed = dtypeOf(values);
  let host: ArrayLike<number>;
  let shape: readonly number[];
  let inferred: DType;
  if (typed !== undefined) {
    host = values as TypedArray;
    shape = options.shape ?? [host.length];
    inferred = typed === "bool" ? "float32" : typed;
  } else {
    const { flat, shape: found, dtype } = flatten(values);
    host = flat;
    shape = options.shape ?? found;
    inferred = dtype;
    if (found.length > 1 && options.shape !== undefined && !sameShape(shape, found)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `tensor: expected shape ${formatShape(shape)}, found nested arrays of shape ${formatShape(found)}`,
      );
    }
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
  const elements = toTyped(dtype, host);
  if (options.allowNonFinite !== true || !(isFloating(dtype) || dtype === "bool")) {
    checkElements(host, elements, dtype, shape);
  }
  const result = empty(device, dtype, [...shape]);
  device.write(result.storage, elements);
  return result;
}

export function full(
  device: Device,
  shape: readonly number[],
  value: number,
  { dtype = "float32" }: DTypeOption = {},
): Tensor {
  checkDType("full", dtype);
  checkShape("full", shape);
  if (typeof value !== "number") throw codedError("BAD_ARGUMENT", `full: expected a number, found ${typeof value}`);
  checkNumber("full", value, dtype);
  const result = empty(device, dtype, [...shape]);
  device.run({ form: "map", out: result, f: constant(value), operands: [] });
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
  checkNumeric("arange", dtype);
  checkNumber("arange", start, dtype);
  if (!isFloating(dtype) && !Number.isInteger(step)) {
    throw codedError("BAD_ARGUMENT", `arange: expected a whole step for ${dtype}, found ${step}`);
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
  checkNumeric("linspace", dtype);
  if (!Number.isFinite(start) || !Number.isFinite(stop)) {
    throw codedError("BAD_ARGUMENT", `linspace: expected finite start and stop, found ${start} and ${stop}`);
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

function checkNumeric(subject: string, dtype: DType): void {
  if (dtype === "bool") throw codedError("DTYPE_MISMATCH", `${subject}: expected a numeric dtype, found bool`);
}

const identity = input(0);
const nonzero: Expression = apply("notEqual", input(0), constant(0));

const clipped = (low: number, high: number) => apply("clamp", input(0), constant(low), constant(high));
const clippedTo = { int32: clipped(-(2 ** 31), 2 ** 31 - 1), uint32: clipped(0, 2 ** 32 - 1) } as const;

/** The formula whose values, stored as `to`, are elements of dtype `from` cast to it. */
function conversion(from: DType, to: DType): Expression {
  if (to === "bool") return from === "bool" ? identity : nonzero;
  return isFloating(from) && (to === "int32" || to === "uint32") ? clippedTo[to] : identity;
}

/** Writes the elements of `source` over those of `target`, which have the same shape. */
export function assignInto(target: Tensor, source: Tensor): void {
  target.device.run({ form: "map", out: target, f: conversion(source.dtype, target.dtype), operands: [source] });
}

export function castTo(x: Tensor, dtype: DType, copy: boolean): Tensor {
  checkDType("cast", dtype);
  if (x.dtype === dtype && !copy) return new Tensor(x.device, x.storage, dtype, x);
  const result = empty(x.device, dtype, x.shape);
  assignInto(result, x);
  return result;
}

/** The tensor itself if its elements lie in row-major order, else a copy for which they do. */
export function contiguous(x: Tensor): Tensor {
  return x.rowMajor ? x : castTo(x, x.dtype, true);
}
