import type { HostArray } from "./host-array.js";

/** Mean over the rows of every position of a row. */
export function columnMeans({ values }: HostArray, rows: number): Float64Array {
  const width = values.length / rows;
  const sums = new Float64Array(width);
  values.forEach((value, k) => (sums[k % width] = sums[k % width]! + value));
  return sums.map((sum) => sum / rows);
}
