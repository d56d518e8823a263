import { codedError } from "@robgrad/tensor";

/** More subsets than this are not looked at. */
const most = 1e5;

/**
 * All subsets of `size` of 0 … count − 1 in lexicographic order, one after the other.
 *
 * @throws  BAD_ARGUMENT for more than 1e5.
 */
export function subsets(count: number, size: number): Int32Array {
  let total = 1;
  for (let k = 1; k <= size; k++) total = (total * (count - size + k)) / k;
  total = Math.round(total);
  if (total > most) {
    throw codedError(
      "BAD_ARGUMENT",
      `expected at most ${most} subsets of ${size} of N = ${count} samples, found ${total}; use fewer samples or means of buckets of them`,
    );
  }
  const all = new Int32Array(total * size);
  const members = Array.from({ length: size }, (_, k) => k);
  for (let s = 0; s < total; s++) {
    all.set(members, s * size);
    let k = size - 1;
    while (k >= 0 && members[k] === count - size + k) k--;
    if (k < 0) break;
    const next = (members[k] as number) + 1;
    for (let j = k; j < size; j++) members[j] = next + j - k;
  }
  return all;
}
