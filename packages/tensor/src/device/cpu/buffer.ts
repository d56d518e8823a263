import { newArray, type DType, type TypedArray } from "../../dtype.js";
import type { View } from "../../kernel/kernel.js";
import type { DeviceBuffer } from "../executor.js";

/** Memory of one storage: new at every allocation, though its array may have served before. */
export interface CpuBuffer {
  readonly dtype: DType;
  readonly values: TypedArray;
}

export function arrayOf(buffer: DeviceBuffer): TypedArray {
  return (buffer as CpuBuffer).values;
}

export function elementsOf({ storage }: View): TypedArray {
  return arrayOf(storage.buffer);
}

/** Memory kept for later use, at most. */
const mostBytes = 2 ** 25;

/** What an array takes, with about what an engine needs to keep one. */
const costOf = ({ byteLength }: TypedArray) => byteLength + 256;

/** Arrays that were given back, to be used again: making and collecting them is half the cost of a small operation. */
export class ArrayPool {
  readonly #free = new Map<DType, Map<number, TypedArray[]>>();
  #bytes = 0;

  /** An array whose elements may be anything. */
  take(dtype: DType, length: number): TypedArray {
    const found = this.#free.get(dtype)?.get(length)?.pop();
    if (found === undefined) return newArray(dtype, length);
    this.#bytes -= costOf(found);
    return found;
  }

  give({ dtype, values }: CpuBuffer): void {
    const cost = costOf(values);
    if (cost > mostBytes) return;
    // Lengths that are no longer in use must not keep out those that are.
    if (this.#bytes + cost > mostBytes) this.clear();
    let lengths = this.#free.get(dtype);
    if (lengths === undefined) this.#free.set(dtype, (lengths = new Map()));
    const list = lengths.get(values.length);
    if (list === undefined) lengths.set(values.length, [values]);
    else list.push(values);
    this.#bytes += cost;
  }

  clear(): void {
    this.#free.clear();
    this.#bytes = 0;
  }
}
