import { flipLabels } from "@robgrad/datasets";
import { breastCancer } from "@robgrad/datasets/breast-cancer";
import { generator } from "@robgrad/tensor";
import Papa from "papaparse";

/** A file to try the page with. */
export interface PlantedExample {
  readonly file: Blob;
  readonly name: string;
  /** Rows with a wrong label, as counted in the file. */
  readonly planted: ReadonlySet<number>;
}

/** The breast cancer data, with one label in twenty turned to the other class. */
export function plantedExample(): PlantedExample {
  const { features, labels, featureNames, classNames } = breastCancer();
  const { values, rows } = flipLabels(labels, { fraction: 0.05, generator: generator(1) });
  const width = featureNames.length;
  const lines = Array.from(values, (label, row) => [
    ...features.values.slice(row * width, (row + 1) * width),
    classNames[label]!,
  ]);
  const text = Papa.unparse([[...featureNames, "diagnosis"], ...lines], { newline: "\n" });
  return {
    file: new Blob([text], { type: "text/csv" }),
    name: "breast-cancer-with-flips.csv",
    // The first row holds names, and rows are counted from 1.
    planted: new Set(Array.from(rows, (row) => row + 2)),
  };
}
