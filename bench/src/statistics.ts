/** Of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/** Median of the ratios of rounds that both took part in: what slows the machine for a while slows both. */
export function pairedRatio(times: readonly number[], base: readonly number[]): number {
  const rounds = Math.min(times.length, base.length);
  return median(Array.from({ length: rounds }, (_, k) => (times[k] as number) / (base[k] as number)));
}
