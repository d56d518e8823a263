import { generator, type Generator } from "@robgrad/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { iris, principalComponents, pushOutliers, unitSquare } from "../src/index.js";
import { matrices, matrix, rowsOf, seeds, vector } from "./arrays.js";
import { coded } from "./coded.js";

/** A generator that draws these rows first. */
const drawing = (...rows: number[]): Generator => ({
  ...generator(0),
  permutation: (n) =>
    Int32Array.from([...rows, ...Array.from({ length: n }, (_, k) => k).filter((k) => !rows.includes(k))]),
});

const meanOf = (rows: number[][]) => rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, d) => value - b[d]!));
const deviation = (values: number[], correction: number) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - correction));
};

describe("pushOutliers", () => {
  it("puts the pushed rows on the circle of radius kσ, opposite to where they were, and leaves the others", () => {
    fc.assert(
      fc.property(
        matrices(3),
        seeds,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.1, max: 1e5, noNaN: true }),
        fc.constantFrom(0, 1),
        (x, seed, fraction, factor, correction) => {
          const before = rowsOf(x);
          const mean = meanOf(before);
          const distances = before.map((row) => distance(row, mean));
          fc.pre(distances.every((d) => d > 1e-6));
          const pushed = pushOutliers(x, { fraction, factor, correction, generator: generator(seed) });
          const radius = factor * deviation(distances, correction);
          const after = rowsOf(pushed);
          expect(pushed.rows).toHaveLength(Math.max(0, Math.ceil(fraction * before.length - 1e-9)));
          expect([...pushed.rows]).toEqual([...new Set(pushed.rows)].sort((a, b) => a - b));
          before.forEach((row, n) => {
            if (!pushed.rows.includes(n)) return expect(after[n]).toEqual(row);
            expect(Math.abs(distance(after[n]!, mean) - radius)).toBeLessThan(
              1e-9 *
                (radius +
                  distance(
                    mean,
                    mean.map(() => 0),
                  ) +
                  1),
            );
            const r = radius / distances[n]!;
            after[n]!.forEach((value, d) =>
              expect(Math.abs(value - ((1 + r) * mean[d]! - r * row[d]!))).toBeLessThan(1e-9 * (1 + r) * 100),
            );
          });
        },
      ),
    );
  });

  // Rows of the Iris plane that one published trial trained on, of which it pushed rows 65 and 143 with k = 1e4 (float32 data).
  it("reproduces a published trial", () => {
    const trained = [1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 20, 22, 25, 26, 28, 30, 31, 32, 33, 34, 35, 36, 38, 39, 41, 42, 43,
      44, 45, 47, 49, 51, 52, 54, 55, 56, 58, 59, 60, 63, 64, 65, 66, 67, 70, 71, 72, 75, 76, 78, 83, 86, 91, 92, 93, 94, 95, 97, 98, 100,
      101, 103, 104, 105, 106, 108, 110, 112, 113, 114, 115, 116, 117, 118, 119, 121, 122, 124, 125, 128, 129, 130, 134, 136, 137, 138, 139,
      140, 141, 142, 143, 144, 145, 146, 147]; // prettier-ignore
    const plane = rowsOf(unitSquare(principalComponents(iris().features, { components: 2 })));
    const x = matrix(trained.map((row) => plane[row]!));
    const [first, second] = [trained.indexOf(65), trained.indexOf(143)];
    const pushed = pushOutliers(x, { fraction: 0.02, factor: 1e4, generator: drawing(first, second) });
    expect([...pushed.rows]).toEqual([first, second]);
    const published = [-738.02077254, -956.54778892, -1163.82588272, -324.63488287];
    [...rowsOf(pushed)[first]!, ...rowsOf(pushed)[second]!].forEach((value, k) =>
      expect(value / published[k]!).toBeCloseTo(1, 6),
    );
  });

  it.each([
    [0, 0],
    [0.02, 2],
    [0.07, 7],
    [0.29, 29],
    [0.021, 3],
    [1, 100],
  ])("pushes ⌈fraction·N − 1e-9⌉ rows: fraction %s of 100 is %s", (fraction, count) => {
    const x = vector(...Array.from({ length: 100 }, (_, n) => n * n));
    expect(pushOutliers(x, { fraction, factor: 2, generator: generator(0) }).rows).toHaveLength(count);
  });

  it("takes σ with divisor N − 1 when the correction is 1", () => {
    const x = vector(0, 0, 0, 6); // mean 1.5, distances 1.5, 1.5, 1.5, 4.5
    const push = (correction: number) =>
      pushOutliers(x, { fraction: 0.25, factor: 1, correction, generator: drawing(3) }).values[3]!;
    expect(push(0)).toBeCloseTo(1.5 - Math.sqrt(1.6875), 14);
    expect(push(1)).toBeCloseTo(1.5 - 1.5, 14);
  });

  it("passes over rows that equal the mean", () => {
    const { rows, values } = pushOutliers(vector(-1, 0, 1, 3, -3), {
      fraction: 0.4,
      factor: 1,
      generator: drawing(1, 4, 0),
    });
    expect([...rows]).toEqual([0, 4]);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(() => pushOutliers(vector(2, 2, 2), { fraction: 0.5, factor: 1, generator: generator(0) })).toThrow(
      coded("BAD_DATA", "expected 2 rows that differ from the mean, found 0"),
    );
  });

  it("treats rows of any rank as vectors and leaves its input alone", () => {
    const flat = matrix([
      [0, 1, 2, 3],
      [4, 4, 4, 4],
      [9, 8, 7, 6],
    ]);
    const images = { values: flat.values, shape: [3, 2, 2] };
    const options = { fraction: 0.3, factor: 5 };
    const pushed = pushOutliers(images, { ...options, generator: generator(3) });
    expect(pushed.shape).toEqual([3, 2, 2]);
    expect(pushed.values).toEqual(pushOutliers(flat, { ...options, generator: generator(3) }).values);
    expect(flat.values[0]).toBe(0);
  });

  it("refuses options out of range", () => {
    const x = vector(1, 2, 4);
    const options = { fraction: 0.1, factor: 1, generator: generator(0) };
    for (const fraction of [-0.1, 1.1, NaN]) {
      expect(() => pushOutliers(x, { ...options, fraction })).toThrow(
        coded("BAD_ARGUMENT", `expected fraction in [0, 1], found ${fraction}`),
      );
    }
    for (const factor of [-1, NaN, Infinity]) {
      expect(() => pushOutliers(x, { ...options, factor })).toThrow(
        coded("BAD_ARGUMENT", `expected a finite factor ≥ 0, found ${factor}`),
      );
    }
    expect(() => pushOutliers(x, { ...options, correction: 3 })).toThrow(
      coded("BAD_ARGUMENT", "expected correction in [0, 3)"),
    );
    expect(() => pushOutliers(vector(1, NaN), options)).toThrow(coded("BAD_DATA", "found NaN in row 1"));
    expect(() => pushOutliers(vector(), options)).toThrow(coded("BAD_DATA", "expected at least one row"));
  });
});
