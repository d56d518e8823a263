/** Stand-in until @robgrad/tensor exports it. */
export interface Generator {
  uniform(
    shape: readonly number[],
    options?: { low?: number; high?: number },
  ): { values: Float64Array; shape: readonly number[] };
  normal(
    shape: readonly number[],
    options?: { mean?: number; standardDeviation?: number },
  ): { values: Float64Array; shape: readonly number[] };
  permutation(n: number): Int32Array;
  bits(n: number): Uint32Array;
  split(): Generator;
}
