import type { HostArray } from "@robgrad/datasets";

/** What lies farther out than this is held there, so that its square fits float32. */
const farthest = 1e6;

/**
 * Columns about their median, in units of 1.4826 times their median absolute deviation: a few wild values change neither.
 * Where more than half of a column is one value, its standard deviation takes the place of the unit.
 *
 *   z = (x − median) / (1.4826 · median |x − median|),   held within ±10⁶
 *
 * @returns  The columns that vary, and the indices of the others.
 */
export function standardized({ values, shape: [rows = 0, width = 0] }: HostArray): {
  readonly x: HostArray;
  readonly constant: readonly number[];
} {
  const columns = Array.from({ length: width }, (_, k) => {
    const column = Float64Array.from({ length: rows }, (__, row) => values[row * width + k]!);
    if (column.every((value) => value === column[0])) return null;
    const centre = median(column);
    const deviation = median(column.map((value) => Math.abs(value - centre)));
    const unit = deviation > 0 ? 1.4826 * deviation : standardDeviation(column);
    return column.map((value) => Math.min(farthest, Math.max(-farthest, (value - centre) / unit)));
  });
  const varying = columns.filter((column) => column !== null);
  const x = new Float64Array(rows * varying.length);
  varying.forEach((column, k) => column.forEach((value, row) => (x[row * varying.length + k] = value)));
  return {
    x: { values: x, shape: [rows, varying.length] },
    constant: columns.flatMap((column, k) => (column === null ? [k] : [])),
  };
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function standardDeviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
}
