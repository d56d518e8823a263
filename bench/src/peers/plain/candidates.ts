import type { Numbers } from "../peer.js";

/** Inputs of one output that share a bound, as lanes of a tile do on the wasm device in float32. */
const together = 8;

/**
 * Of soft truncation about the mean: how many of a weight's per-sample gradients δ x cannot be told to be within √2
 * widths of their mean from a bound of δ and of the input's neighbours, |δ| · max |x|. Zero factors need no bound.
 *
 * @param delta  [N, Q]
 * @param x      [N, P]
 * @returns      A number of samples and weights, out of N Q P.
 */
export function candidates(delta: Numbers, x: Numbers, N: number, level: number): number {
  const [Q, P] = [delta.length / N, x.length / N];
  let found = 0;
  for (let first = 0; first < P; first += together) {
    const last = Math.min(P, first + together);
    const largest = new Float64Array(N);
    for (let n = 0; n < N; n++)
      for (let p = first; p < last; p++) largest[n] = Math.max(largest[n] as number, Math.abs(x[n * P + p] as number));
    for (let q = 0; q < Q; q++) {
      let reach = Infinity;
      for (let p = first; p < last; p++) {
        let [sum, squares] = [0, 0];
        for (let n = 0; n < N; n++) {
          const g = (delta[n * Q + q] as number) * (x[n * P + p] as number);
          sum += g;
          squares += g * g;
        }
        const mean = sum / N;
        const width = Math.sqrt(((squares - sum * mean) / (N - 1)) * (N / (2 * Math.log(1 / level))));
        if (width > 0) reach = Math.min(reach, Math.SQRT2 * width - Math.abs(mean));
      }
      for (let n = 0; n < N; n++) {
        const size = Math.abs(delta[n * Q + q] as number);
        if (size > 0 && size * (largest[n] as number) > reach) found += last - first;
      }
    }
  }
  return found;
}
