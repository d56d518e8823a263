import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unitSquare } from "../src/index.js";
import { matrices, matrix, rowsOf, vector } from "./arrays.js";
import { coded } from "./coded.js";

describe("unitSquare", () => {
  it("maps the smallest value of every feature to 0 and the largest to 1", () => {
    const { minimum, maximum, ...square } = unitSquare(
      matrix([
        [1, 10],
        [2, 30],
        [5, 20],
      ]),
    );
    expect(rowsOf(square)).toEqual([
      [0, 0],
      [0.25, 1],
      [1, 0.5],
    ]);
    expect([...minimum, ...maximum]).toEqual([1, 10, 5, 30]);
  });

  it("shifts a constant feature to 0", () => {
    expect(
      rowsOf(
        unitSquare(
          matrix([
            [7, 1],
            [7, 2],
          ]),
        ),
      ),
    ).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it("takes the ranges from fitTo and clips nothing", () => {
    expect([...unitSquare(vector(-1, 0, 4), { fitTo: vector(0, 2) }).values]).toEqual([-0.5, 0, 2]);
  });

  it("lands in the unit interval and touches both ends of every feature that varies", () => {
    fc.assert(
      fc.property(matrices(), (x) => {
        const square = unitSquare(x);
        for (let d = 0; d < x.shape[1]!; d++) {
          const before = rowsOf(x).map((row) => row[d]!);
          const after = rowsOf(square).map((row) => row[d]!);
          const varies = Math.max(...before) > Math.min(...before);
          expect([Math.min(...after), Math.max(...after)]).toEqual([0, varies ? 1 : 0]);
        }
      }),
    );
  });

  it("does not depend on the order of the rows", () => {
    fc.assert(
      fc.property(matrices(), (x) => {
        const reversed = matrix(rowsOf(x).reverse());
        expect(rowsOf(unitSquare(reversed)).reverse()).toEqual(rowsOf(unitSquare(x)));
      }),
    );
  });

  it("refuses values that are not finite, no rows, and other features in fitTo", () => {
    expect(() => unitSquare(matrix([[1, Infinity]]))).toThrow(coded("BAD_DATA", "found Infinity in row 0, column 1"));
    expect(() => unitSquare({ values: new Float64Array(0), shape: [0, 2] })).toThrow(
      coded("BAD_DATA", "expected at least one row"),
    );
    expect(() => unitSquare(matrix([[1, 2]]), { fitTo: matrix([[1]]) })).toThrow(
      coded("SHAPE_MISMATCH", "fitTo: [1, 1], x: [1, 2]"),
    );
    expect(() => unitSquare({ values: new Float64Array(3), shape: [2, 2] })).toThrow(
      coded("SHAPE_MISMATCH", "found 3 ≠ 4"),
    );
  });
});
