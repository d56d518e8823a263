import { codedError, type Generator } from "@robgrad/tensor";
import { sampleCount, takeSamples, type RowsOf, type SampleRecord } from "./record.js";

/**
 * Splits samples at random into a part to train on and a part to test on.
 *
 *   π = generator.permutation(N);   train = rows π₀ … π_{m−1},  test = rows π_m … π_{N−1},  m = trainSize
 *
 * Both parts are new arrays in the order of the permutation, so that contiguous blocks of them are random blocks. Text
 * and numbers of the record, such as class names, are carried along.
 *
 * @param data       Record of arrays with the same number N of rows.
 * @param trainSize  Number of rows to train on, 1 … N − 1.
 * @param generator  Source of the permutation.
 * @returns          Two records like `data`, with trainSize and N − trainSize rows.
 * @throws           SHAPE_MISMATCH when the arrays differ in N; BAD_ARGUMENT when trainSize is out of range or a field
 *                   is not an array, text or a number; BAD_DATA when there are no rows.
 * @example          const { train, test } = trainTestSplit(iris(), { trainSize: 100, generator: generator(0) });
 */
export function trainTestSplit<R extends SampleRecord<R>>(
  data: R,
  { trainSize, generator }: { readonly trainSize: number; readonly generator: Generator },
): { train: RowsOf<R>; test: RowsOf<R> } {
  const count = sampleCount("trainTestSplit", data);
  if (!Number.isInteger(trainSize) || trainSize < 1 || trainSize >= count) {
    throw codedError(
      "BAD_ARGUMENT",
      `trainTestSplit: expected trainSize to be a whole number in [1, ${count - 1}] for ${count} rows, found ${String(trainSize)}`,
    );
  }
  const order = generator.permutation(count);
  return { train: takeSamples(data, order.subarray(0, trainSize)), test: takeSamples(data, order.subarray(trainSize)) };
}
