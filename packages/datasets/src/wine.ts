import { parseDataset, type Dataset } from "./dataset.js";
import { wineTable } from "./embedded/wine-table.js";

/**
 * Chemical analyses of wines: 178 wines of three cultivars from one region of Italy, 13 measurements.
 *
 * At "@robgrad/datasets/wine". Every call returns fresh arrays.
 *
 * @returns  Features [178, 13], labels [178] in 0, 1, 2 (59, 71 and 48 of them), and their names.
 * @see      S. Aeberhard and M. Forina, Wine (1991), UCI Machine Learning Repository, doi:10.24432/C5PC7J, CC BY 4.0.
 * @example  const { features, labels } = wine();
 */
export function wine(): Dataset {
  return parseDataset(wineTable, {
    featureNames: [
      "alcohol (%)",
      "malic acid",
      "ash",
      "alcalinity of ash",
      "magnesium",
      "total phenols",
      "flavanoids",
      "nonflavanoid phenols",
      "proanthocyanins",
      "color intensity",
      "hue",
      "OD280/OD315 of diluted wines",
      "proline",
    ],
    classNames: ["class 0", "class 1", "class 2"],
    source: "uci",
  });
}
