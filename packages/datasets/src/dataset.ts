import type { HostArray } from "./host-array.js";

/** Samples with one class each. */
export interface Dataset {
  /** [N, D] */
  readonly features: HostArray;
  /** [N]; label k is `classNames[k]`. */
  readonly labels: HostArray<Int32Array>;
  /** D names, with units where they have one. */
  readonly featureNames: readonly string[];
  readonly classNames: readonly string[];
  /** Which file or variant the rows come from. */
  readonly source: string;
}

/** Lines of cells separated by commas, the label last. */
export function parseDataset(table: string, names: Omit<Dataset, "features" | "labels">): Dataset {
  const lines = table.trim().split("\n");
  const width = names.featureNames.length;
  const features = new Float64Array(lines.length * width);
  const labels = new Int32Array(lines.length);
  lines.forEach((line, row) => {
    const cells = line.split(",").map(Number);
    features.set(cells.slice(0, width), row * width);
    labels[row] = cells[width]!;
  });
  return {
    features: { values: features, shape: [lines.length, width] },
    labels: { values: labels, shape: [lines.length] },
    ...names,
  };
}
