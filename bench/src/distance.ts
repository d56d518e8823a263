import type { Numbers } from "./peers/peer.js";

/** Largest of the arrays' relative distances ‖a − b‖ / ‖b‖, in the Euclidean norm; NaN where either is not finite. */
export function distance(found: readonly Numbers[], expected: readonly Numbers[]): number {
  const each = expected.map((b, k) => {
    const a = found[k];
    if (a?.length !== b.length) return NaN;
    let difference = 0;
    let norm = 0;
    for (let i = 0; i < b.length; i++) {
      difference += ((a[i] as number) - (b[i] as number)) ** 2;
      norm += (b[i] as number) ** 2;
    }
    return difference === 0 ? 0 : Math.sqrt(difference / norm);
  });
  return each.reduce((worst, one) => (one <= worst ? worst : one), 0);
}
