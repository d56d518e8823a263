import type { Numbers } from "../peer.js";

/** [N, Q] before softmax, and room for the gradients there. */
interface Scores {
  readonly Q: number;
  readonly y: Numbers;
  readonly delta: Numbers;
}

/** The mean loss; leaves softmax − one-hot in delta. */
export function softmaxCrossEntropy({ Q, y, delta }: Scores, N: number, labels: Int32Array): number {
  let total = 0;
  for (let n = 0; n < N; n++) {
    let largest = -Infinity;
    for (let q = 0; q < Q; q++) largest = Math.max(largest, y[n * Q + q] as number);
    let sum = 0;
    for (let q = 0; q < Q; q++) sum += delta[n * Q + q] = Math.exp((y[n * Q + q] as number) - largest);
    for (let q = 0; q < Q; q++) delta[n * Q + q] = (delta[n * Q + q] as number) / sum;
    const own = n * Q + (labels[n] as number);
    total += Math.log(sum) + largest - (y[own] as number);
    delta[own] = (delta[own] as number) - 1;
  }
  return total / N;
}
