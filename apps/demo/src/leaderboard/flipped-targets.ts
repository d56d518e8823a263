import type { HostArray, HostValues } from "@robgrad/datasets";

/**
 * Targets of which some rows are wrong: the next class, or numbers mirrored at their mean and `factor` times as far from it.
 *
 * @param classes  Their number; null for numbers.
 * @example        flippedTargets(iris().labels, [0, 1], { classes: 3, factor: 1 })
 */
export function flippedTargets(
  { values, shape }: HostArray<HostValues>,
  rows: Iterable<number>,
  { classes, factor }: { readonly classes: number | null; readonly factor: number },
): HostArray<HostValues> {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const flipped = values.slice();
  for (const row of rows) {
    const value = values[row]!;
    flipped[row] = classes === null ? mean - factor * (value - mean) : (value + 1) % classes;
  }
  return { values: flipped, shape };
}
