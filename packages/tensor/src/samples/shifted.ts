import type { Tensor } from "../tensor.js";
import { concatenated, ConcatenatedSamples } from "./concatenated.js";
import { outer } from "./expanded.js";
import type { SampleMatrix } from "./sample-matrix.js";
import { summed } from "./summed.js";

/**
 * Rows gₙ − v: differences are formed where values are, so what rows and v have in common costs no digits.
 *
 * @param v  [D]
 */
export function shifted(matrix: SampleMatrix, v: Tensor): SampleMatrix {
  if (matrix instanceof ConcatenatedSamples) {
    let start = 0;
    return concatenated(matrix.parts.map((part) => shifted(part, v.slice([start, (start += part.features)]))));
  }
  const { samples, features, device, dtype, shape } = matrix;
  const row = v.neg().reshape([1, features]).broadcastTo([samples, features]);
  return summed([matrix, outer(device.ones([samples, 1], { dtype }), row, { shape: [...shape] })]);
}
