import { codedError } from "@robgrad/tensor";

/** More subsets than this are not looked at. */
const most = 1e5;

/**
 * How many subsets of `size` of N samples there are.
 *
 * @throws  BAD_ARGUMENT for more than 1e5.
 */
export function countSubsets(samples: number, size: number): number {
  let total = 1;
  for (let k = 1; k <= size; k++) total = (total * (samples - size + k)) / k;
  total = Math.round(total);
  if (total > most) {
    throw codedError(
      "BAD_ARGUMENT",
      `expected at most ${most} subsets of ${size} of N = ${samples} samples, found ${total}; use fewer samples or means of buckets of them`,
    );
  }
  return total;
}

/**
 * What all subsets of `size` of 0 … N − 1, in lexicographic order, leave out, one after the other: N − size places each, ascending.
 *
 * @throws  BAD_ARGUMENT for more than 1e5.
 */
export function complements(samples: number, size: number): Int32Array {
  const total = countSubsets(samples, size);
  const left = samples - size;
  const all = new Int32Array(total * left);
  // What the first subset leaves out is last of all, in the same order.
  const places = Array.from({ length: left }, (_, k) => k);
  for (let s = total - 1; s >= 0; s--) {
    all.set(places, s * left);
    let k = left - 1;
    while (k >= 0 && places[k] === samples - left + k) k--;
    if (k < 0) break;
    const next = (places[k] as number) + 1;
    for (let j = k; j < left; j++) places[j] = next + j - k;
  }
  return all;
}
