import fc from "fast-check";
import type { HostArray } from "../src/index.js";

export const matrix = (rows: readonly (readonly number[])[]): HostArray => ({
  values: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0]?.length ?? 0],
});

export const vector = (...values: number[]): HostArray => ({
  values: Float64Array.from(values),
  shape: [values.length],
});

export const integers = (...values: number[]): HostArray<Int32Array> => ({
  values: Int32Array.from(values),
  shape: [values.length],
});

export const rowsOf = ({ values, shape }: HostArray): number[][] =>
  Array.from({ length: shape[0]! }, (_, n) => [...values.subarray(n * shape[1]!, (n + 1) * shape[1]!)]);

/** Matrices of moderate numbers, N from `least`, D from 1. */
export const matrices = (least = 1) =>
  fc.integer({ min: 1, max: 4 }).chain((width) =>
    fc
      .array(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: width, maxLength: width }), {
        minLength: least,
        maxLength: 20,
      })
      .map(matrix),
  );

export const seeds = fc.integer({ min: 0, max: 2 ** 31 });
