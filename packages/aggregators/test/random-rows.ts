import { generator } from "@robgrad/tensor";

/** N normal rows of D numbers, every fifth ten times as large. */
export function randomRows(count: number, width: number, seed: number): number[][] {
  const { values } = generator(seed).normal([count, width]);
  return Array.from({ length: count }, (_, n) =>
    Array.from(values.subarray(n * width, (n + 1) * width), (value) => (n % 5 === 4 ? 10 * value : value) + 0.3),
  );
}

export const columnsOf = (rows: readonly (readonly number[])[]): number[][] =>
  (rows[0] as readonly number[]).map((_, d) => rows.map((row) => row[d] as number));

export function medianOf(values: readonly number[]): number {
  const order = [...values].sort((a, b) => a - b);
  const middle = order.length >> 1;
  return order.length % 2 === 1
    ? (order[middle] as number)
    : ((order[middle - 1] as number) + (order[middle] as number)) / 2;
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
