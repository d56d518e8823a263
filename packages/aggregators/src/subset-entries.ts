import { oneHot, where, type Tensor } from "@robgrad/tensor";
import { subsets } from "./subsets.js";

/** Entries [S, k, k] of a symmetric matrix [N, N] for all subsets of k indices, and the subsets themselves [S, k]. */
export function entriesOfSubsets(matrix: Tensor, size: number): { readonly entries: Tensor; readonly members: Tensor } {
  const { device } = matrix;
  const count = matrix.shape[0] as number;
  const all = subsets(count, size);
  const total = all.length / size;
  const places = new Int32Array(total * size * size);
  for (let s = 0, next = 0; s < all.length; s += size) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) places[next++] = (all[s + i] as number) * count + (all[s + j] as number);
    }
  }
  return {
    entries: matrix.reshape([count * count]).gather(device.tensor(places, { shape: [total, size, size] })),
    members: device.tensor(all, { shape: [total, size] }),
  };
}

/** Weights [N] of the mean of the subset with the smallest score, the first of equals. */
export function bestSubset(scores: Tensor, members: Tensor, samples: number): Tensor {
  const size = members.shape[1] as number;
  const best = where(scores.isNaN(), Infinity, scores).argmin();
  return oneHot(members.gather(best), samples, { dtype: scores.dtype })
    .sum({ axis: 0 })
    .mul(1 / size);
}
