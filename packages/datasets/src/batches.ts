import { codedError, type Generator } from "@robgrad/tensor";
import { sampleCount, takeSamples, type RowsOf, type SampleRecord } from "./record.js";

/** The mini-batches of one pass; a new pass begins with every loop. */
export interface Batches<R> extends Iterable<RowsOf<R>> {
  /** Batches a pass. */
  readonly length: number;
}

/**
 * Mini-batches of a record of arrays, shuffled anew for every pass.
 *
 *   π = generator.permutation(N) at the start of a pass;   batch b = rows π_{bB} … π_{min(bB+B, N)−1}
 *
 * Every batch is a copy. Without a generator the rows keep their order. Text and numbers of the record are carried
 * along.
 *
 * @param data       Record of arrays with the same number N of rows.
 * @param size       Rows a batch, B ≥ 1.
 * @param generator  Source of the permutations; it advances once a pass.
 * @param dropLast   Leave out a last batch of fewer than B rows (default false: it is kept).
 * @returns          Iterable of records like `data`, with its `length` ⌈N/B⌉, or ⌊N/B⌋ with dropLast.
 * @throws           BAD_ARGUMENT when size is not a whole number ≥ 1 or dropLast leaves no batch; SHAPE_MISMATCH when
 *                   the arrays differ in N; BAD_DATA when there are no rows.
 * @example          for (const batch of batches(iris(), { size: 32, generator: generator(0) })) toDevice(batch, device);
 */
export function batches<R extends SampleRecord<R>>(
  data: R,
  {
    size,
    generator,
    dropLast = false,
  }: { readonly size: number; readonly generator?: Generator | undefined; readonly dropLast?: boolean },
): Batches<R> {
  const count = sampleCount("batches", data);
  if (!Number.isInteger(size) || size < 1) {
    throw codedError("BAD_ARGUMENT", `batches: expected size to be a whole number ≥ 1, found ${String(size)}`);
  }
  if (dropLast && size > count) {
    throw codedError("BAD_ARGUMENT", `batches: expected size ≤ ${count} rows when dropLast is set, found ${size}`);
  }
  const length = dropLast ? Math.floor(count / size) : Math.ceil(count / size);
  return {
    length,
    *[Symbol.iterator]() {
      const order = generator?.permutation(count) ?? Int32Array.from({ length: count }, (_, row) => row);
      for (let b = 0; b < length; b++) yield takeSamples(data, order.subarray(b * size, (b + 1) * size));
    },
  };
}
