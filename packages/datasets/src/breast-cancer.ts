import { parseDataset, type Dataset } from "./dataset.js";
import { breastCancerTable } from "./embedded/breast-cancer-table.js";

const measurements = [
  "radius",
  "texture",
  "perimeter",
  "area",
  "smoothness",
  "compactness",
  "concavity",
  "concave points",
  "symmetry",
  "fractal dimension",
];

/**
 * Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 features of the cell nuclei in an image of each.
 *
 * Ten measurements, each as mean over the nuclei, standard error, and mean of the three largest ("worst"). At
 * "@robgrad/datasets/breast-cancer". Every call returns fresh arrays.
 *
 * @returns  Features [569, 30], labels [569] with 0 malignant (212) and 1 benign (357), and their names.
 * @see      W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic) (1995),
 *           UCI Machine Learning Repository, doi:10.24432/C5DW2B, CC BY 4.0.
 * @example  const { features, labels } = breastCancer();
 */
export function breastCancer(): Dataset {
  return parseDataset(breastCancerTable, {
    featureNames: ["mean", "error", "worst"].flatMap((statistic) => measurements.map((name) => `${statistic} ${name}`)),
    classNames: ["malignant", "benign"],
    source: "uci",
  });
}
