import { codedError } from "@robgrad/tensor";
import type { Dataset } from "./dataset.js";
import { irisTable } from "./embedded/iris-table.js";
import { describe } from "./host-array.js";

/** Which of the two published tables: UCI's file, or the one Fisher printed. */
export type IrisSource = "uci" | "fisher";

/** Rows 35 and 38 (counted from 1), where UCI's file departs from Fisher. */
const uciErrata = new Map([
  [34, [4.9, 3.1, 1.5, 0.1]],
  [37, [4.9, 3.1, 1.5, 0.1]],
]);

/**
 * Fisher's Iris flowers: 150 flowers of three species, four lengths in cm, fifty flowers a species.
 *
 * The two sources differ in rows 35 and 38, counted from 1: UCI has 4.9, 3.1, 1.5, 0.1 in both, Fisher
 * 4.9, 3.1, 1.5, 0.2 and 4.9, 3.6, 1.4, 0.1. Every call returns fresh arrays.
 *
 * @param source  "uci" (default), the file most studies use, or "fisher".
 * @returns       Features [150, 4] in cm, labels [150] in 0, 1, 2, and their names.
 * @throws        BAD_ARGUMENT when the source is neither.
 * @see           R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7 (1936),
 *                Table I; UCI Machine Learning Repository, doi:10.24432/C56C76.
 * @example       const { features, labels, classNames } = iris({ source: "fisher" });
 */
export function iris({ source = "uci" }: { readonly source?: IrisSource } = {}): Dataset & {
  readonly source: IrisSource;
} {
  if (source !== "uci" && source !== "fisher") {
    throw codedError("BAD_ARGUMENT", `iris: expected source to be "uci" or "fisher", found ${describe(source)}`);
  }
  const millimetres = irisTable.match(/\d\d/g) ?? [];
  const features = Float64Array.from(millimetres, (length) => Number(length) / 10);
  if (source === "uci") for (const [row, lengths] of uciErrata) features.set(lengths, row * 4);
  return {
    features: { values: features, shape: [150, 4] },
    labels: { values: Int32Array.from({ length: 150 }, (_, row) => Math.floor(row / 50)), shape: [150] },
    featureNames: ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"],
    classNames: ["setosa", "versicolor", "virginica"],
    source,
  };
}
