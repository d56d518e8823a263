import { generator } from "@robgrad/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flipLabels, iris } from "../src/index.js";
import { integers, seeds } from "./arrays.js";
import { coded } from "./coded.js";

describe("flipLabels", () => {
  it("changes exactly the rows it names, to another class", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, labels, fraction) => {
          const flipped = flipLabels(integers(...labels), { fraction, classes: 4, generator: generator(seed) });
          expect(flipped.rows).toHaveLength(Math.max(0, Math.ceil(fraction * labels.length - 1e-9)));
          labels.forEach((label, n) => expect(flipped.values[n] !== label).toBe(flipped.rows.includes(n)));
          expect(flipped.values.every((label) => label >= 0 && label < 4)).toBe(true);
        },
      ),
    );
  });

  it("gives every other class an equal chance", () => {
    const labels = { values: new Int32Array(30_000).fill(1), shape: [30_000] };
    const { values } = flipLabels(labels, { fraction: 1, classes: 4, generator: generator(1) });
    for (const k of [0, 2, 3])
      expect(Math.abs(values.filter((label) => label === k).length - 10_000)).toBeLessThan(6 * 82);
  });

  it("keeps a label wrong when a draw rounds up to the end of its range", () => {
    const highest = {
      ...generator(0),
      uniform: (shape: readonly number[], { high = 1 } = {}) => ({
        values: new Float64Array(shape[0]!).fill(high),
        shape,
      }),
    };
    const { values } = flipLabels(iris().labels, { fraction: 1, generator: highest });
    values.forEach((label, n) => expect(label).not.toBe(iris().labels.values[n]));
  });

  it("refuses wrong labels and options", () => {
    const options = { fraction: 0.5, generator: generator(0) };
    expect(() => flipLabels(integers(0, 3, 1), { ...options, classes: 3 })).toThrow(
      coded("BAD_DATA", "expected labels in 0 … 2, found 3 in row 1"),
    );
    expect(() => flipLabels(integers(0, 1, -1), options)).toThrow(coded("BAD_DATA", "found -1 in row 2"));
    expect(() => flipLabels(integers(0, 0), options)).toThrow(
      coded("BAD_ARGUMENT", "expected classes to be a whole number ≥ 2, found 1"),
    );
    expect(() => flipLabels(integers(0, 1), { ...options, fraction: 2 })).toThrow(
      coded("BAD_ARGUMENT", "expected fraction in [0, 1], found 2"),
    );
    expect(() => flipLabels(integers(), options)).toThrow(coded("BAD_DATA", "expected at least one label"));
    // @ts-expect-error: labels are whole numbers
    expect(() => flipLabels({ values: Float64Array.of(0, 1), shape: [2] }, options)).toThrow(
      coded("BAD_ARGUMENT", "expected labels in an Int32Array"),
    );
    expect(() => flipLabels({ values: Int32Array.of(0, 1), shape: [2, 1] }, options)).toThrow(
      coded("SHAPE_MISMATCH", "found [2, 1]"),
    );
  });
});
