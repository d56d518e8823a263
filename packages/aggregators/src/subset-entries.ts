import { where, type Tensor } from "@robgrad/tensor";
import { subsets } from "./subsets.js";

/** Entries [S, k, k] of a symmetric matrix [N, N] for all subsets of k indices. */
export function entriesOfSubsets(matrix: Tensor, size: number): Tensor {
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
  return matrix.reshape([count * count]).gather(device.tensor(places, { shape: [total, size, size] }));
}

/** Which of N indices are in each subset of `size` of them: bools [S, N]. */
export function membersOfSubsets({ device, shape }: Tensor, size: number): Tensor {
  const count = shape[0] as number;
  const all = subsets(count, size);
  const total = all.length / size;
  const members = new Uint8Array(total * count);
  all.forEach((member, place) => (members[Math.floor(place / size) * count + member] = 1));
  return device.tensor(members, { shape: [total, count], dtype: "bool" });
}

/** Weights [N] of the mean of the subset with the smallest score, the first of equals. */
export function bestSubset(scores: Tensor, members: Tensor, size: number): Tensor {
  const best = where(scores.isNaN(), Infinity, scores).argmin();
  return members
    .gather(best)
    .cast(scores.dtype)
    .mul(1 / size);
}
