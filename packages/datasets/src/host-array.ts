import { codedError } from "@robgrad/tensor";

/** Numbers are float64; labels and other whole numbers are int32. */
export type HostValues = Float64Array | Int32Array;

/**
 * An n-d array of the host, row-major. Rows are what the first axis counts: samples.
 *
 * @example  const x: HostArray = { values: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] };
 */
export interface HostArray<V extends HostValues = Float64Array> {
  readonly values: V;
  readonly shape: readonly number[];
}

/** Extents of an array of rows: N of them, D values each. */
export interface RowExtents {
  readonly rows: number;
  readonly width: number;
}

export const formatShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

export function isHostArray(value: unknown): value is HostArray<HostValues> {
  if (typeof value !== "object" || value === null || !("values" in value) || !("shape" in value)) return false;
  return (value.values instanceof Float64Array || value.values instanceof Int32Array) && Array.isArray(value.shape);
}

/** Checks that `array` is a host array of rank ≥ 1 whose values fill its shape. */
export function rowExtents(subject: string, array: HostArray<HostValues>): RowExtents {
  if (!isHostArray(array)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected { values: Float64Array or Int32Array, shape }, found ${describe(array)}`,
    );
  }
  const { shape, values } = array;
  if (shape.length === 0) throw codedError("SHAPE_MISMATCH", `${subject}: expected an axis of samples, found shape []`);
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected a shape of whole numbers ≥ 0, found ${formatShape(shape)}`,
    );
  }
  const [rows = 0, ...rest] = shape;
  const width = rest.reduce((product, extent) => product * extent, 1);
  if (rows * width !== values.length) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected as many values as shape ${formatShape(shape)} holds, found ${values.length} ≠ ${rows * width}`,
    );
  }
  return { rows, width };
}

/** As `rowExtents`, for floating arrays with at least one row and finite values only. */
export function finiteRows(subject: string, array: HostArray): RowExtents {
  const extents = rowExtents(subject, array);
  if (!(array.values instanceof Float64Array)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected values in a Float64Array, found ${describe(array.values)}`);
  }
  if (extents.rows === 0)
    throw codedError("BAD_DATA", `${subject}: expected at least one row, found shape ${formatShape(array.shape)}`);
  const bad = array.values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw codedError(
      "BAD_DATA",
      `${subject}: expected finite values, found ${array.values[bad]} in ${place(bad, array.shape)}`,
    );
  }
  return extents;
}

/** Where a flat position lies, counted from 0. */
export function place(position: number, shape: readonly number[]): string {
  const index: number[] = [];
  for (let axis = shape.length - 1, left = position; axis >= 0; axis--) {
    const extent = shape[axis]!;
    index.unshift(left % extent);
    left = Math.floor(left / extent);
  }
  if (index.length === 1) return `row ${index[0]}`;
  return index.length === 2
    ? `row ${index[0]}, column ${index[1]}`
    : `row ${index[0]}, position ${formatShape(index.slice(1))}`;
}

/** The named rows, in the order named, as a new array. */
export function takeRows<V extends HostValues>(array: HostArray<V>, rows: Int32Array): HostArray<V> {
  const [count = 0, ...rest] = array.shape;
  const width = count === 0 ? 0 : array.values.length / count;
  const values =
    array.values instanceof Float64Array ? new Float64Array(rows.length * width) : new Int32Array(rows.length * width);
  rows.forEach((row, k) => values.set(array.values.subarray(row * width, (row + 1) * width), k * width));
  return { values: values as V, shape: [rows.length, ...rest] };
}

/** What was found in place of the value expected, in few words. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Object.hasOwn(value, "values") && "values" in value) return `{ values: ${describe(value.values)}, … }`;
  const name: unknown = value.constructor?.name;
  const label =
    typeof name === "string" && name !== "Object" ? name : `{ ${Object.keys(value).slice(0, 6).join(", ")} }`;
  return "length" in value ? `${label}(${String(value.length)})` : label;
}
