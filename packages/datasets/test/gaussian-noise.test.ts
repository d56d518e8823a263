import { generator } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import { gaussianNoise, iris } from "../src/index.js";
import { matrix, vector } from "./arrays.js";
import { coded } from "./coded.js";

describe("gaussianNoise", () => {
  it("adds noise of the given standard deviation to every value", () => {
    const x = { values: new Float64Array(20_000).fill(3), shape: [10_000, 2] };
    const { values, rows } = gaussianNoise(x, { standardDeviation: 0.5, generator: generator(1) });
    const mean = values.reduce((sum, value) => sum + value) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 3)).toBeLessThan((5 * 0.5) / Math.sqrt(20_000));
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    expect(rows).toHaveLength(10_000);
  });

  it("disturbs only a fraction of the rows when asked, and says which", () => {
    const { features } = iris();
    const { values, rows } = gaussianNoise(features, { standardDeviation: 1, fraction: 0.1, generator: generator(2) });
    expect(rows).toHaveLength(15);
    values.forEach((value, k) => expect(value === features.values[k]).toBe(!rows.includes(Math.floor(k / 4))));
  });

  it("adds nothing at standard deviation 0 or fraction 0", () => {
    const x = matrix([
      [1, 2],
      [3, 4],
    ]);
    expect(gaussianNoise(x, { standardDeviation: 0, generator: generator(3) }).values).toEqual(x.values);
    expect(gaussianNoise(x, { standardDeviation: 1, fraction: 0, generator: generator(3) }).values).toEqual(x.values);
  });

  it("refuses options out of range and bad data", () => {
    const options = { standardDeviation: 1, generator: generator(0) };
    for (const standardDeviation of [-1, NaN, Infinity]) {
      expect(() => gaussianNoise(vector(1), { ...options, standardDeviation })).toThrow(
        coded("BAD_ARGUMENT", `found ${standardDeviation}`),
      );
    }
    expect(() => gaussianNoise(vector(1), { ...options, fraction: -1 })).toThrow(
      coded("BAD_ARGUMENT", "expected fraction in [0, 1], found -1"),
    );
    expect(() => gaussianNoise(vector(1, NaN), options)).toThrow(coded("BAD_DATA", "found NaN in row 1"));
  });
});
