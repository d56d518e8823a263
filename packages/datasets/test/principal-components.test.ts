import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { iris, principalComponents, unitSquare } from "../src/index.js";
import { matrices, matrix, rowsOf, vector } from "./arrays.js";
import { coded } from "./coded.js";

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

describe("principalComponents", () => {
  it("reproduces the known projection of Iris to its printed digits, signs included", () => {
    const { components, variances, ratios, mean, shape } = principalComponents(iris().features, { components: 2 });
    const printed = [
      [[...mean], [5.843333, 3.054, 3.758667, 1.198667]],
      [rowsOf(components)[0]!, [0.36159, -0.082269, 0.856572, 0.358844]],
      [rowsOf(components)[1]!, [0.65654, 0.729712, -0.175767, -0.074706]],
      [[...variances], [4.224841, 0.242244]],
      [[...ratios], [0.924616, 0.053016]],
    ] as const;
    for (const [found, expected] of printed) expect(found.map((value) => Number(value.toFixed(6)))).toEqual(expected);
    expect(shape).toEqual([150, 2]);
  });

  it("keeps all variance and all distances when all components are kept", () => {
    const { features } = iris({ source: "fisher" });
    const projected = principalComponents(features, { components: 4 });
    expect(projected.ratios.reduce((sum, ratio) => sum + ratio)).toBeCloseTo(1, 14);
    const x = rowsOf(features);
    const z = rowsOf(projected);
    const distance = (rows: number[][], a: number, b: number) =>
      Math.hypot(...rows[a]!.map((value, d) => value - rows[b]![d]!));
    for (const [a, b] of [
      [0, 1],
      [3, 149],
      [70, 120],
    ] as const)
      expect(distance(z, a, b)).toBeCloseTo(distance(x, a, b), 12);
  });

  it("gives orthonormal directions whose scores are uncorrelated with the stated variances", () => {
    fc.assert(
      fc.property(matrices(2), (x) => {
        const rows = rowsOf(x);
        fc.pre(rows.some((row) => row.some((value, d) => Math.abs(value - rows[0]![d]!) > 1e-3)));
        const k = x.shape[1]!;
        const { components, variances, ...projected } = principalComponents(x, { components: k });
        const directions = rowsOf(components);
        const scores = rowsOf(projected);
        const scale = variances[0]!;
        for (let a = 0; a < k; a++) {
          expect(variances[a]!).toBeLessThanOrEqual(a === 0 ? Infinity : variances[a - 1]!);
          for (let b = 0; b <= a; b++) {
            expect(dot(directions[a]!, directions[b]!)).toBeCloseTo(a === b ? 1 : 0, 10);
            const covariance = scores.reduce((sum, row) => sum + row[a]! * row[b]!, 0) / (scores.length - 1);
            expect(Math.abs(covariance - (a === b ? variances[a]! : 0))).toBeLessThan(1e-9 * scale);
          }
        }
      }),
    );
  });

  it("makes the loading that is largest in absolute value positive", () => {
    fc.assert(
      fc.property(matrices(2), (x) => {
        fc.pre(x.values.some((value, k) => Math.abs(value - x.values[k % x.shape[1]!]!) > 1e-3));
        const { components } = principalComponents(x, { components: x.shape[1]! });
        for (const direction of rowsOf(components)) {
          const largest = Math.max(...direction.map(Math.abs));
          expect(direction.find((loading) => Math.abs(loading) === largest)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("does not depend on the order of the rows", () => {
    const rows = rowsOf(iris().features);
    const forward = principalComponents(matrix(rows), { components: 2 });
    const backward = rowsOf(principalComponents(matrix([...rows].reverse()), { components: 2 })).reverse();
    backward.flat().forEach((score, k) => expect(score).toBeCloseTo(forward.values[k]!, 12));
  });

  it("projects other rows by the mean and directions of fitTo", () => {
    const rows = rowsOf(iris().features);
    const train = matrix(rows.slice(0, 100));
    const fitted = principalComponents(train, { components: 2 });
    const all = principalComponents(matrix(rows), { components: 2, fitTo: train });
    expect(all.values.subarray(0, 200)).toEqual(fitted.values);
    expect(all.components).toEqual(fitted.components);
    const centred = rows[149]!.map((value, d) => value - fitted.mean[d]!);
    expect(all.values[298]).toBeCloseTo(dot(centred, rowsOf(fitted.components)[0]!), 12);
  });

  it.each([1e-100, 1e-30, 1, 1e30, 1e100])("gives the same directions in units of %s", (unit) => {
    const { features } = iris();
    const scaled = { ...features, values: features.values.map((value) => value * unit) };
    const [found, expected] = [scaled, features].map((x) => principalComponents(x, { components: 4 }));
    found!.components.values.forEach((v, k) => expect(v).toBeCloseTo(expected!.components.values[k]!, 10));
    found!.variances.forEach((v, k) => expect(v / unit / unit / expected!.variances[k]!).toBeCloseTo(1, 10));
  });

  it("survives values at the edge of underflow", () => {
    const x = { values: Float64Array.of(0, 0, 0, 5e-324, -1, 0), shape: [2, 3] };
    expect(principalComponents(x, { components: 1 }).variances[0]).toBeCloseTo(0.5, 14);
  });

  it("is data itself", () => {
    const plane = unitSquare(principalComponents(iris().features, { components: 2 }));
    expect(plane.shape).toEqual([150, 2]);
    expect([Math.min(...plane.values), Math.max(...plane.values)]).toEqual([0, 1]);
  });

  it.each([0, 5, 1.5, NaN])("refuses %s components of four features", (components) => {
    expect(() => principalComponents(iris().features, { components })).toThrow(
      coded("BAD_ARGUMENT", `expected components to be a whole number in [1, 4], found ${components}`),
    );
  });

  it("refuses data it cannot fit to", () => {
    const components = 1;
    expect(() => principalComponents(matrix([[1, 2]]), { components })).toThrow(
      coded("BAD_DATA", "expected at least two rows to fit to, found 1"),
    );
    expect(() =>
      principalComponents(
        matrix([
          [1, 2],
          [1, 2],
        ]),
        { components },
      ),
    ).toThrow(coded("BAD_DATA", "found all rows equal"));
    expect(() => principalComponents({ values: new Float64Array(0), shape: [0, 2] }, { components })).toThrow(
      coded("BAD_DATA", "expected at least one row, found shape [0, 2]"),
    );
    expect(() =>
      principalComponents(
        matrix([
          [1, 2],
          [3, NaN],
        ]),
        { components },
      ),
    ).toThrow(coded("BAD_DATA", "principalComponents: x: expected finite values, found NaN in row 1, column 1"));
    expect(() => principalComponents(vector(1, 2, 3), { components })).toThrow(
      coded("SHAPE_MISMATCH", "expected shape [N, D], found [3]"),
    );
    expect(() => principalComponents(iris().features, { components, fitTo: matrix([[1], [2]]) })).toThrow(
      coded("SHAPE_MISMATCH", "expected fitTo.shape[1] = x.shape[1], found 1 ≠ 4 (fitTo: [2, 1], x: [150, 4])"),
    );
  });
});
