/**
 * The iterations at which a trial is evaluated: 0, 1, 2, 3, 5, then every tenth, and the last one.
 *
 * Iteration t is the state after t updates. About a tenth of them keeps curves smooth and costs a few percent of the
 * time.
 *
 * @param iterations  Number of updates.
 * @returns           Ascending, from 0 to `iterations`.
 * @example           curveIterations(30)   // [0, 1, 2, 3, 5, 10, 20, 30]
 */
export function curveIterations(iterations: number): number[] {
  const tenths = Array.from({ length: Math.floor(iterations / 10) }, (_, k) => 10 * (k + 1));
  const wanted = [0, 1, 2, 3, 5, ...tenths, iterations];
  return [...new Set(wanted)].filter((t) => t <= iterations).sort((a, b) => a - b);
}
