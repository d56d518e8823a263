import { codedError, type Generator } from "@robgrad/tensor";
import { contaminatedCount, drawRows, type Contaminated } from "./contaminated.js";
import { describe, formatShape, rowExtents, type HostArray } from "./host-array.js";

/**
 * Gives a few samples a wrong label, each of the other classes with equal chance.
 *
 * ⌈fraction·N − 1e-9⌉ rows, the first ones of generator.permutation(N), are relabelled in ascending order.
 *
 * @param labels     Labels [N] in 0 … classes − 1.
 * @param fraction   Share of rows to relabel, in [0, 1].
 * @param generator  Source of the rows and of the new labels.
 * @param classes    Number of classes ≥ 2; by default the largest label plus one.
 * @returns          Labels [N], which carry the relabelled `rows`, ascending.
 * @throws           BAD_ARGUMENT when fraction or classes is out of range; SHAPE_MISMATCH when labels is not a vector;
 *                   BAD_DATA when a label is not in 0 … classes − 1 or there are no rows.
 * @example          const { values, rows } = flipLabels(iris().labels, { fraction: 0.1, generator: generator(0) });   // 15 rows
 */
export function flipLabels(
  labels: HostArray<Int32Array>,
  {
    fraction,
    generator,
    classes,
  }: { readonly fraction: number; readonly generator: Generator; readonly classes?: number | undefined },
): Contaminated<Int32Array> {
  const { rows } = rowExtents("flipLabels: labels", labels);
  if (!(labels.values instanceof Int32Array)) {
    throw codedError("BAD_ARGUMENT", `flipLabels: expected labels in an Int32Array, found ${describe(labels.values)}`);
  }
  if (labels.shape.length !== 1)
    throw codedError("SHAPE_MISMATCH", `flipLabels: expected labels of shape [N], found ${formatShape(labels.shape)}`);
  if (rows === 0) throw codedError("BAD_DATA", "flipLabels: expected at least one label, found shape [0]");
  const count = contaminatedCount("flipLabels", fraction, rows);
  const known = classes ?? labels.values.reduce((largest, label) => Math.max(largest, label), 0) + 1;
  if (!Number.isInteger(known) || known < 2) {
    throw codedError(
      "BAD_ARGUMENT",
      `flipLabels: expected classes to be a whole number ≥ 2, found ${known}; give classes`,
    );
  }
  const bad = labels.values.findIndex((label) => label < 0 || label >= known);
  if (bad >= 0) {
    throw codedError(
      "BAD_DATA",
      `flipLabels: expected labels in 0 … ${known - 1}, found ${String(labels.values[bad])} in row ${bad}`,
    );
  }

  const chosen = drawRows(generator, rows, count);
  const shifts = generator.uniform([count], { low: 1, high: known }).values;
  const values = labels.values.slice();
  chosen.forEach((row, k) => {
    const shift = Math.min(Math.floor(shifts[k]!), known - 1); // a draw can round up to its upper end
    values[row] = (values[row]! + shift) % known;
  });
  return { values, shape: labels.shape, rows: chosen };
}
