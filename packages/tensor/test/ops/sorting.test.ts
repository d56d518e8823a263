import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { elementAt, hostArray, nested, storedArray, type HostArray } from "../reference.js";

const tied = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -2, max: 2 }) },
  { weight: 2, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0) },
);
const cases = (values: fc.Arbitrary<number>) =>
  stridedArrays(values, shapes({ minRank: 1, maxRank: 3, maxExtent: 6 })).chain((array) =>
    fc.record({ array: fc.constant(array), axis: fc.nat(array.shape.length - 1), fromEnd: fc.boolean() }),
  );
const runs = { numRuns: 60 };

/** Places of one line by insertion: a line is stable, ascending or descending, NaN last. */
function placesOf(line: readonly number[], descending: boolean): number[] {
  const places: number[] = [];
  line.forEach((value, place) => {
    const after = (other: number) =>
      !Number.isNaN(value) &&
      (Number.isNaN(line[other]!) || (descending ? line[other]! < value : line[other]! > value));
    const found = places.findIndex(after);
    places.splice(found < 0 ? places.length : found, 0, place);
  });
  return places;
}

/** Lines of an array along an axis, replaced. */
function replaceLines(array: HostArray, axis: number, f: (line: number[]) => number[]): HostArray {
  const extent = array.shape[axis]!;
  const at = (index: readonly number[], i: number) => index.map((own, k) => (k === axis ? i : own));
  const results = new Map<string, number[]>();
  const length = extent === 0 ? 0 : f(Array.from({ length: extent }, () => 0)).length;
  return hostArray(
    array.shape.map((n, k) => (k === axis ? length : n)),
    (index) => {
      const key = at(index, 0).join();
      let line = results.get(key);
      if (line === undefined) {
        line = f(Array.from({ length: extent }, (_, i) => elementAt(array, at(index, i))));
        results.set(key, line);
      }
      return line[index[axis]!]!;
    },
  );
}

describe("argsort", () => {
  forEachDevice(({ device, dtype }) => {
    it("orders every line, equal elements by index and NaN last", async () => {
      await fc.assert(
        fc.asyncProperty(cases(tied), async ({ array, axis, fromEnd }) => {
          const found = array.on(device, dtype).argsort({ axis: fromEnd ? axis - array.shape.length : axis });
          expect(found.dtype).toBe("int32");
          const expected = replaceLines(storedArray(dtype, array), axis, (line) => placesOf(line, false));
          await expectClose(found, nested(expected));
        }),
        runs,
      );
    });
  });
});

describe("sort", () => {
  forEachDevice(({ device, dtype }) => {
    it("gives the elements in the order of argsort, in any layout", async () => {
      await fc.assert(
        fc.asyncProperty(cases(tied), async ({ array, axis, fromEnd }) => {
          const found = array.on(device, dtype).sort({ axis: fromEnd ? axis - array.shape.length : axis });
          const expected = replaceLines(storedArray(dtype, array), axis, (line) =>
            placesOf(line, false).map((k) => line[k]!),
          );
          expect(found.dtype).toBe(dtype);
          await expectClose(found, nested(expected));
        }),
        runs,
      );
    });

    it("takes the last axis by default and refuses scalars", async () => {
      await expectClose(
        device
          .tensor(
            [
              [3, 1],
              [2, 4],
            ],
            { dtype },
          )
          .sort(),
        [
          [1, 3],
          [2, 4],
        ],
      );
      expect(() => device.tensor(1, { dtype }).sort()).toThrow(coded("BAD_ARGUMENT", "sort: expected axis"));
      expect(() => device.zeros([2], { dtype }).sort({ axis: 1 })).toThrow(coded("BAD_ARGUMENT"));
    });

    it("sorts integers and bools over their whole range", async () => {
      await expectClose(device.tensor([2 ** 32 - 1, 0, 2 ** 31, 7], { dtype: "uint32" }).sort(), [
        0,
        7,
        2 ** 31,
        2 ** 32 - 1,
      ]);
      await expectClose(device.tensor([5, -(2 ** 31), 2 ** 31 - 1], { dtype: "int32" }).sort(), [
        -(2 ** 31),
        5,
        2 ** 31 - 1,
      ]);
      await expectClose(device.tensor([true, false, true]).sort(), [0, 1, 1]);
    });
  });
});

describe("topk", () => {
  forEachDevice(({ device, dtype }) => {
    it("gives the largest in descending order, the lowest index first on a tie and NaN last", async () => {
      await fc.assert(
        fc.asyncProperty(cases(tied), fc.nat(), async ({ array, axis }, choice) => {
          const extent = array.shape[axis]!;
          fc.pre(extent > 0);
          const k = 1 + (choice % extent);
          const { values, indices } = array.on(device, dtype).topk(k, { axis });
          const held = storedArray(dtype, array);
          await expectClose(indices, nested(replaceLines(held, axis, (line) => placesOf(line, true).slice(0, k))));
          await expectClose(
            values,
            nested(
              replaceLines(held, axis, (line) =>
                placesOf(line, true)
                  .slice(0, k)
                  .map((i) => line[i]!),
              ),
            ),
          );
        }),
        runs,
      );
    });

    it("knows the largest of unsigned, extreme and bool elements", async () => {
      const { values, indices } = device.tensor([0, 5, 2 ** 32 - 1, 3], { dtype: "uint32" }).topk(3);
      await expectClose(values, [2 ** 32 - 1, 5, 3]);
      await expectClose(indices, [2, 1, 3]);
      await expectClose(device.tensor([-(2 ** 31), 0, 7], { dtype: "int32" }).topk(2).values, [7, 0]);
      await expectClose(device.tensor([false, true, true]).topk(1).indices, [1]);
    });

    it("refuses counts outside of 1 … extent", () => {
      for (const k of [0, 4, -1, 1.5, NaN])
        expect(() => device.zeros([3], { dtype }).topk(k)).toThrow(coded("BAD_ARGUMENT", "1 ≤ k ≤ 3"));
      expect(() => device.zeros([0], { dtype }).topk(1)).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});

describe("median", () => {
  const middle = (line: readonly number[]) => {
    if (line.some(Number.isNaN)) return NaN;
    const sorted = [...line].sort((a, b) => a - b);
    const half = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[half]! : sorted[half - 1]! / 2 + sorted[half]! / 2;
  };

  forEachDevice(({ device, dtype, epsilon }) => {
    it("is the middle element or the mean of the two middle ones, NaN if any is", async () => {
      await fc.assert(
        fc.asyncProperty(cases(tied), fc.boolean(), async ({ array, axis, fromEnd }, keepdims) => {
          fc.pre(array.shape[axis]! > 0);
          const found = array.on(device, dtype).median({ axis: fromEnd ? axis - array.shape.length : axis, keepdims });
          const expected = replaceLines(storedArray(dtype, array), axis, (line) => [middle(line)]);
          const shape = keepdims ? expected.shape : array.shape.filter((_, k) => k !== axis);
          expect(found.shape).toEqual(shape);
          await expectClose(found, nested(storedArray(dtype, { shape, values: expected.values })), {
            relative: epsilon,
          });
        }),
        runs,
      );
    });

    it("goes over all elements without an axis", async () => {
      const x = device.tensor(
        [
          [5, 1],
          [4, 2],
        ],
        { dtype },
      );
      await expectClose(x.median(), 3);
      await expectClose(x.median({ keepdims: true }), [[3]]);
      await expectClose(device.tensor(7, { dtype }).median(), 7);
    });

    it("neither overflows nor loses the smallest numbers", async () => {
      const large = dtype === "float32" ? 3e38 : 1.7e308;
      const tiny = dtype === "float32" ? 2 ** -149 : 5e-324;
      await expectClose(
        device.tensor([large, large], { dtype }).median(),
        dtype === "float32" ? Math.fround(large) : large,
      );
      await expectClose(device.tensor([tiny, tiny, tiny], { dtype }).median(), tiny);
      await expectClose(device.tensor([-Infinity, 1, Infinity], { dtype, allowNonFinite: true }).median(), 1);
    });

    it("refuses empty lines, integers and bools", () => {
      expect(() => device.zeros([0], { dtype }).median()).toThrow(coded("SHAPE_MISMATCH", "median"));
      expect(() => device.zeros([2, 0], { dtype }).median({ axis: 1 })).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => device.tensor([1, 2], { dtype: "int32" }).median()).toThrow(coded("DTYPE_MISMATCH", "cast it"));
      expect(() => device.tensor([true]).median()).toThrow(coded("DTYPE_MISMATCH"));
    });
  });
});

describe("cumsum", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it("runs along any axis of any layout", async () => {
      await fc.assert(
        fc.asyncProperty(cases(fc.double({ min: -3, max: 3, noNaN: true })), async ({ array, axis, fromEnd }) => {
          const found = array.on(device, dtype).cumsum({ axis: fromEnd ? axis - array.shape.length : axis });
          const expected = replaceLines(storedArray(dtype, array), axis, (line) =>
            line.map((_, k) => line.slice(0, k + 1).reduce((a, b) => a + b)),
          );
          await expectClose(found, nested(expected), { relative: epsilon, absolute: 4 * epsilon });
        }),
        runs,
      );
    });

    it("refuses bools and axes that are not there", () => {
      expect(() => device.tensor([true]).cumsum({ axis: 0 })).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => device.zeros([2], { dtype }).cumsum({ axis: 1 })).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});
