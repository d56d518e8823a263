import { generator } from "@robgrad/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plantTrigger } from "../src/index.js";
import { integers, matrices, rowsOf, seeds } from "./arrays.js";
import { coded } from "./coded.js";

describe("plantTrigger", () => {
  it("sets trigger and label in the rows it names, and nothing else", () => {
    fc.assert(
      fc.property(seeds, matrices(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, x, fraction) => {
        const count = x.shape[0]!;
        const labels = integers(...Array.from({ length: count }, (_, n) => n % 3));
        const planted = plantTrigger(
          { x, labels },
          { fraction, trigger: new Map([[0, 321]]), label: 7, generator: generator(seed) },
        );
        expect(planted.rows).toHaveLength(Math.max(0, Math.ceil(fraction * count - 1e-9)));
        expect([...planted.rows]).toEqual([...new Set(planted.rows)].sort((a, b) => a - b));
        const [before, after] = [rowsOf(x), rowsOf(planted.x)];
        before.forEach((row, n) => {
          const spoilt = planted.rows.includes(n);
          expect(after[n]).toEqual(spoilt ? [321, ...row.slice(1)] : row);
          expect(planted.labels.values[n]).toBe(spoilt ? 7 : n % 3);
        });
      }),
    );
  });

  it("refuses wrong options and samples", () => {
    const x = { values: Float64Array.of(1, 2, 3, 4), shape: [2, 2] };
    const samples = { x, labels: integers(0, 1) };
    const options = { fraction: 0.5, trigger: new Map([[1, 9]]), label: 0, generator: generator(0) };
    expect(() => plantTrigger(samples, { ...options, fraction: -1 })).toThrow(
      coded("BAD_ARGUMENT", "expected fraction in [0, 1], found -1"),
    );
    expect(() => plantTrigger(samples, { ...options, label: 0.5 })).toThrow(coded("BAD_ARGUMENT", "found 0.5"));
    expect(() => plantTrigger(samples, { ...options, trigger: new Map([[2, 9]]) })).toThrow(
      coded("BAD_ARGUMENT", "expected trigger to hold finite values at 0 … 1, found 9 at 2"),
    );
    expect(() => plantTrigger(samples, { ...options, trigger: new Map([[0, NaN]]) })).toThrow(
      coded("BAD_ARGUMENT", "found NaN at 0"),
    );
    expect(() => plantTrigger({ x, labels: integers(0) }, options)).toThrow(
      coded("SHAPE_MISMATCH", "expected labels of shape [2], found [1]"),
    );
  });
});
