/** Sorts ascending with NaN last, which is what typed arrays do. */
export function sortColumn(values: Float64Array): void {
  values.sort();
}

/**
 * Places of values in ascending or descending order, equal ones as they come, NaN last: merging runs of 1, 2, 4 …
 *
 * @param places  Scratch as long as the values, as is `work`; one of them is the result.
 */
export function sortedPlaces(
  values: Float64Array,
  descending: boolean,
  places: Int32Array,
  work: Int32Array,
): Int32Array {
  const length = values.length;
  let [from, to] = [places, work];
  for (let n = 0; n < length; n++) from[n] = n;
  for (let run = 1; run < length; run *= 2) {
    for (let start = 0; start < length; start += 2 * run) {
      const middle = Math.min(start + run, length);
      const end = Math.min(middle + run, length);
      let left = start;
      let right = middle;
      for (let n = start; n < end; n++) {
        let first = right >= end;
        if (!first && left < middle) {
          const a = values[from[left] as number] as number;
          const b = values[from[right] as number] as number;
          first = (descending ? a >= b : a <= b) || b !== b;
        }
        to[n] = from[first ? left++ : right++] as number;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Moves the k-th smallest of values[low … high] to place k (Hoare's selection with a median-of-three pivot). */
function selectSmallest(values: Float64Array, k: number): void {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const a = values[low] as number;
    const b = values[middle] as number;
    const c = values[high] as number;
    const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i <= j) {
        const swap = values[i] as number;
        values[i] = values[j] as number;
        values[j] = swap;
        i++;
        j--;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
}

/**
 * The q-quantile with linear interpolation between neighbours; NaN if any value is NaN.
 *
 * @param order  Scratch at least as long as `values`.
 */
export function quantileOf(values: Float64Array, order: Float64Array, q: number): number {
  const length = values.length;
  const work = order.length === length ? order : order.subarray(0, length);
  for (let n = 0; n < length; n++) {
    const value = values[n] as number;
    if (value !== value) return NaN;
    work[n] = value;
  }
  const position = q * (length - 1);
  const lower = Math.floor(position);
  const fraction = position - lower;
  selectSmallest(work, lower);
  const low = work[lower] as number;
  if (fraction === 0) return low;
  let high = Infinity;
  for (let n = lower + 1; n < length; n++) high = Math.min(high, work[n] as number);
  return low === high ? low : fraction === 0.5 ? low / 2 + high / 2 : low + fraction * (high - low);
}
