import { generator } from "@robgrad/tensor";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { iris, trainTestSplit, type HostArray } from "../src/index.js";
import { integers, matrix, rowsOf, seeds, vector } from "./arrays.js";
import { coded } from "./coded.js";

describe("trainTestSplit", () => {
  it("is a partition that keeps the arrays of a sample together", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.integer({ min: 2, max: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, count, share) => {
          const trainSize = 1 + Math.floor(share * (count - 2));
          const ids = Array.from({ length: count }, (_, n) => n);
          const data = { x: matrix(ids.map((n) => [n, -n])), labels: integers(...ids) };
          const { train, test } = trainTestSplit(data, { trainSize, generator: generator(seed) });
          expect(train.x.shape).toEqual([trainSize, 2]);
          expect(test.labels.shape).toEqual([count - trainSize]);
          expect([...train.labels.values, ...test.labels.values].sort((a, b) => a - b)).toEqual(ids);
          for (const part of [train, test]) expect(rowsOf(part.x).map(([n]) => n)).toEqual([...part.labels.values]);
        },
      ),
    );
  });

  it("takes the rows in the order of the generator's permutation", () => {
    const order = generator(7).permutation(150);
    const { train, test } = trainTestSplit(
      { n: integers(...Array(150).keys()) },
      { trainSize: 100, generator: generator(7) },
    );
    expect([...train.n.values, ...test.n.values]).toEqual([...order]);
  });

  it("carries text along and keeps the kinds of arrays", () => {
    const { train } = trainTestSplit(iris(), { trainSize: 100, generator: generator(0) });
    expect(train.classNames).toEqual(iris().classNames);
    expectTypeOf(train.features).toEqualTypeOf<HostArray>();
    expectTypeOf(train.labels).toEqualTypeOf<HostArray<Int32Array>>();
    expectTypeOf(train.classNames).toEqualTypeOf<readonly string[]>();
    expect(train.labels.values).toBeInstanceOf(Int32Array);
  });

  it("leaves its input alone", () => {
    const data = { x: vector(1, 2, 3) };
    trainTestSplit(data, { trainSize: 1, generator: generator(0) }).train.x.values.fill(9);
    expect([...data.x.values]).toEqual([1, 2, 3]);
  });

  it.each([0, 150, -1, 1.5, NaN, "100"])("refuses trainSize %s of 150 rows", (trainSize) => {
    expect(() => trainTestSplit(iris(), { trainSize: trainSize as number, generator: generator(0) })).toThrow(
      coded("BAD_ARGUMENT", `expected trainSize to be a whole number in [1, 149] for 150 rows, found ${trainSize}`),
    );
  });

  it("refuses what is not a record of arrays with the same rows", () => {
    const options = { trainSize: 1, generator: generator(0) };
    expect(() => trainTestSplit({ x: vector(1, 2), y: vector(1, 2, 3) }, options)).toThrow(
      coded("SHAPE_MISMATCH", "expected data.y.shape[0] = data.x.shape[0], found 3 ≠ 2 (y: [3])"),
    );
    expect(() => trainTestSplit({ x: { values: new Float64Array(0), shape: [0, 2] } }, options)).toThrow(
      coded("BAD_DATA", "expected at least one sample, found data.x.shape[0] = 0"),
    );
    expect(() => trainTestSplit({ x: { values: new Float64Array(1), shape: [] } }, options)).toThrow(
      coded("SHAPE_MISMATCH", "data.x"),
    );
    expect(() => trainTestSplit({ name: "empty" }, options)).toThrow(
      coded("BAD_ARGUMENT", "expected a record with at least one array"),
    );
    // @ts-expect-error: plain lists of numbers are not samples
    expect(() => trainTestSplit({ x: [1, 2, 3] }, options)).toThrow(coded("BAD_ARGUMENT", "found Array(3)"));
    // @ts-expect-error: nor is an array without a shape
    expect(() => trainTestSplit({ x: new Float64Array(3) }, options)).toThrow(
      coded("BAD_ARGUMENT", "found Float64Array(3)"),
    );
    // @ts-expect-error: one array is not a record
    expect(() => trainTestSplit(vector(1, 2), options)).toThrow(coded("BAD_ARGUMENT", "write { x: array }"));
  });
});
