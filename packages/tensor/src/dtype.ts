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
  return arrays[dtype].from(values);
}

/** The dtype a typed array stands for, or undefined for arrays robgrad has no dtype for. */
export function dtypeOf(values: unknown): DType | undefined {
  return dtypes.find((dtype) => values instanceof arrays[dtype]);
}

export function checkDType(subject: string, dtype: unknown): asserts dtype is DType {
  if (!dtypes.includes(dtype as DType)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected dtype to be one of ${dtypes.join(", ")}, found ${String(dtype)}`,
    );
  }
}
