import { codedError } from "./errors.js";

/** Element types. `bool` is stored as one byte, 0 or 1. */
export type DType = "float32" | "float64" | "int32" | "uint32" | "bool";

/** Host arrays that hold the elements of a tensor. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

export const dtypes = Object.keys(arrays) as readonly DType[];

export function isFloating(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64";
}

export function bytesPerElement(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

export function newArray(dtype: DType, length: number): TypedArray {
  return new arrays[dtype](length);
}

/** Copies host numbers into a fresh array of `dtype`; bool takes any nonzero number as 1. */
export function toTyped(dtype: DType, values: ArrayLike<number>): TypedArray {
  if (dtype === "bool") return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  return new arrays[dtype](values);
}

/** The dtype a typed array stands for, or undefined for arrays robgrad has no dtype for. */
export function dtypeOf(values: unknown): DType | undefined {
  if (!ArrayBuffer.isView(values)) return undefined;
  // By name, because an array may come from another realm.
  const name = (values as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return dtypes.find((dtype) => arrays[dtype].name === name);
}

const integerRanges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint32: [0, 2 ** 32 - 1], bool: [0, 1] } as const;

/** Whether a number is an element of `dtype`; floating dtypes take any. */
export function isElement(dtype: DType, value: number): boolean {
  if (dtype === "float32" || dtype === "float64") return true;
  const [low, high] = integerRanges[dtype];
  return Number.isInteger(value) && value >= low && value <= high;
}

/** Throws BAD_ARGUMENT unless a number among operands or arguments is an element of `dtype`. */
export function checkNumber(subject: string, value: number, dtype: DType): void {
  if (!isElement(dtype, value)) {
    const wanted = dtype === "bool" ? "0 or 1 beside bool" : `a whole number in the range of ${dtype}`;
    throw codedError("BAD_ARGUMENT", `${subject}: expected ${wanted}, found ${value}`);
  }
}

export function checkDType(subject: string, dtype: unknown): asserts dtype is DType {
  if (!dtypes.includes(dtype as DType)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected dtype to be one of ${dtypes.join(", ")}, found ${String(dtype)}`,
    );
  }
}
