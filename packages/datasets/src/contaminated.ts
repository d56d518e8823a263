import { codedError, type Generator } from "@robgrad/tensor";
import type { HostArray, HostValues } from "./host-array.js";

/** An array of which some rows were spoilt on purpose. */
export interface Contaminated<V extends HostValues = Float64Array> extends HostArray<V> {
  /** The spoilt rows, ascending. */
  readonly rows: Int32Array;
}

/** How many rows a fraction stands for: ⌈fraction·N − 1e-9⌉, so that 0.07 of 100 rows are 7 in spite of rounding. */
export function contaminatedCount(subject: string, fraction: number, rows: number): number {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw codedError("BAD_ARGUMENT", `${subject}: expected fraction in [0, 1], found ${String(fraction)}`);
  }
  return Math.max(0, Math.ceil(fraction * rows - 1e-9));
}

/** The first `count` rows of a random permutation, ascending. */
export function drawRows(generator: Generator, rows: number, count: number): Int32Array {
  return generator.permutation(rows).slice(0, count).sort();
}
