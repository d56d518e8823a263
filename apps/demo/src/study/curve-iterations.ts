import { codedError } from "@robgrad/tensor";

/**
 * The iterations at which a trial is evaluated: 0, 1, 2, 3, 5, then every tenth, and the last one.
 *
 * Iteration t is the state after t updates. About a tenth of them keeps curves smooth and costs a few percent of the
 * time.
 *
 * @param iterations  Number of updates, a whole number ≥ 0.
 * @returns           Ascending, from 0 to `iterations`.
 * @throws            BAD_ARGUMENT for another number.
 * @example           curveIterations(30)   // [0, 1, 2, 3, 5, 10, 20, 30]
 */
export function curveIterations(iterations: number): number[] {
  if (!Number.isSafeInteger(iterations) || iterations < 0) {
    throw codedError("BAD_ARGUMENT", `iterations: expected a whole number ≥ 0, found ${iterations}`);
  }
  const tenths = Array.from({ length: Math.floor(iterations / 10) }, (_, k) => 10 * (k + 1));
  const wanted = [0, 1, 2, 3, 5, ...tenths, iterations];
  return [...new Set(wanted)].filter((t) => t <= iterations).sort((a, b) => a - b);
}
