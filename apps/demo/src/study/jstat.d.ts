declare module "jstat" {
  const jstat: {
    readonly jStat: {
      mean(values: readonly number[]): number;
      median(values: readonly number[]): number;
      /** Divisor n, or n − 1 when `sample` is true. */
      stdev(values: readonly number[], sample?: boolean): number;
      readonly studentt: { inv(probability: number, degreesOfFreedom: number): number };
    };
  };
  export default jstat;
}
