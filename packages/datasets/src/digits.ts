import type { Dataset } from "./dataset.js";
import { digitsTable } from "./embedded/digits-table.js";

/** Side of an image in pixels, and their number. */
const side = 8;
const pixels = side * side;

/**
 * Handwritten digits: 1797 images of 8 × 8 pixels, each pixel a count from 0 to 16.
 *
 * For layers that want images, give the features the shape [1797, 8, 8]. At "@robgrad/datasets/digits", for its size
 * of 120 kB. Every call returns fresh arrays.
 *
 * @returns  Features [1797, 64] row by row, labels [1797] in 0 … 9, and their names.
 * @see      E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (1998), its test part,
 *           UCI Machine Learning Repository, doi:10.24432/C50P49, CC BY 4.0.
 * @example  const images = { values: digits().features.values, shape: [1797, 8, 8] };
 */
export function digits(): Dataset {
  const lines = digitsTable.trim().split("\n");
  const features = new Float64Array(lines.length * pixels);
  const labels = new Int32Array(lines.length);
  lines.forEach((line, row) => {
    for (let pixel = 0; pixel < pixels; pixel++)
      features[row * pixels + pixel] = Number.parseInt(line.charAt(pixel), 17);
    labels[row] = Number(line.charAt(pixels));
  });
  return {
    features: { values: features, shape: [lines.length, pixels] },
    labels: { values: labels, shape: [lines.length] },
    featureNames: Array.from({ length: pixels }, (_, k) => `pixel (${Math.floor(k / side)}, ${k % side})`),
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    source: "uci",
  };
}
