/** ‖gₘ − gₙ‖² of all pairs, from rows [K, D]. */
export function squaredDistances(rows: readonly ArrayLike<number>[]): Float64Array {
  const K = rows.length;
  const distances = new Float64Array(K * K);
  for (let m = 0; m < K; m++) {
    for (let n = 0; n < m; n++) {
      const [a, b] = [rows[m] as ArrayLike<number>, rows[n] as ArrayLike<number>];
      let sum = 0;
      for (let d = 0; d < a.length; d++) sum += ((a[d] as number) - (b[d] as number)) ** 2;
      distances[m * K + n] = distances[n * K + m] = sum;
    }
  }
  return distances;
}

/**
 * Weights w of the geometric median Σ wₖ gₖ by Weiszfeld's iteration, from squared distances [K, K] alone.
 *
 *   wₖ ∝ 1/dₖ,   dₖ² = (Dw)ₖ − ½ wᵀDw
 *
 * What a person would write beside a library without loops: K² numbers need no device.
 */
export function geometricMedianWeights(distances: Float64Array, K: number, tolerance: number): Float64Array {
  let w = new Float64Array(K).fill(1 / K);
  const product = new Float64Array(K);
  for (let turn = 0; turn < 1000; turn++) {
    let energy = 0;
    for (let m = 0; m < K; m++) {
      let sum = 0;
      for (let n = 0; n < K; n++) sum += (distances[m * K + n] as number) * (w[n] as number);
      product[m] = sum;
      energy += sum * (w[m] as number);
    }
    const next = product.map((dw) => 1 / Math.sqrt(Math.max(dw - energy / 2, Number.MIN_VALUE)));
    const total = next.reduce((sum, v) => sum + v, 0);
    let change = 0;
    for (let k = 0; k < K; k++) {
      next[k] = (next[k] as number) / total;
      change = Math.max(change, Math.abs((next[k] as number) - (w[k] as number)));
    }
    w = next;
    if (change <= tolerance) break;
  }
  return w;
}

/** Where each of K contiguous blocks of N samples begins, and N at the end; the first N mod K are one longer. */
export function blockStarts(samples: number, blocks: number): number[] {
  const size = Math.floor(samples / blocks);
  return Array.from({ length: blocks + 1 }, (_, k) => k * size + Math.min(k, samples % blocks));
}
