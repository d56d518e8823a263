import { generator } from "@robgrad/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batches, iris } from "../src/index.js";
import { integers, seeds, vector } from "./arrays.js";
import { coded } from "./coded.js";

const numbered = (count: number) => ({ n: integers(...Array(count).keys()) });
const ids = (pass: Iterable<{ n: { values: Int32Array } }>) => Array.from(pass, ({ n }) => [...n.values]);

describe("batches", () => {
  it("visits every sample once a pass", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 12 }), (seed, count, size) => {
        const pass = batches(numbered(count), { size, generator: generator(seed) });
        const found = ids(pass);
        expect(found).toHaveLength(pass.length);
        expect(found.slice(0, -1).every((batch) => batch.length === size)).toBe(true);
        expect(found.flat().sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      }),
    );
  });

  it("keeps a last partial batch, or leaves it out when asked", () => {
    expect(ids(batches(numbered(5), { size: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    const whole = batches(numbered(5), { size: 2, dropLast: true });
    expect(ids(whole)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(whole.length).toBe(2);
  });

  it("shuffles anew for every pass, reproducibly", () => {
    const pass = batches(numbered(30), { size: 10, generator: generator(1) });
    const [first, second] = [ids(pass), ids(pass)];
    expect(first).not.toEqual(second);
    const again = batches(numbered(30), { size: 10, generator: generator(1) });
    expect([ids(again), ids(again)]).toEqual([first, second]);
  });

  it("keeps the fields of a sample together and carries text along", () => {
    for (const batch of batches(iris(), { size: 40, generator: generator(2) })) {
      expect(batch.features.shape[0]).toBe(batch.labels.shape[0]);
      expect(batch.classNames).toEqual(iris().classNames);
      batch.labels.values.forEach((label, n) => expect(batch.features.values[n * 4 + 2]! < 2.5).toBe(label === 0));
    }
  });

  it.each([0, -1, 1.5, NaN])("refuses batches of %s at the call", (size) => {
    expect(() => batches(numbered(5), { size })).toThrow(
      coded("BAD_ARGUMENT", `expected size to be a whole number ≥ 1, found ${size}`),
    );
  });

  it("refuses data without rows and a pass without batches", () => {
    expect(() => batches({ x: { values: new Float64Array(0), shape: [0, 3] } }, { size: 1 })).toThrow(
      coded("BAD_DATA", "at least one sample"),
    );
    expect(() => batches(numbered(5), { size: 6, dropLast: true })).toThrow(
      coded("BAD_ARGUMENT", "expected size ≤ 5 rows when dropLast is set, found 6"),
    );
    expect(() => batches({ x: vector(1), y: vector(1, 2) }, { size: 1 })).toThrow(coded("SHAPE_MISMATCH", "2 ≠ 1"));
  });
});
