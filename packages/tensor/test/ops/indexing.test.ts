import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneHot, scatterAdd } from "@robgrad/tensor";
import { expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { elementAt, hostArray, indicesOf, nested } from "../reference.js";

const values = fc.integer({ min: -9, max: 9 });

/** An array with an axis of nonzero extent, and indices into that axis of any shape. */
const gatherCases = (indexShape: fc.Arbitrary<number[]>) =>
  shapes({ minRank: 1, maxRank: 3 }).chain((shape) =>
    fc.nat(shape.length - 1).chain((axis) => {
      const whole = shape.map((n, k) => (k === axis ? Math.max(1, n) : n));
      return fc.record({
        array: stridedArrays(values, fc.constant(whole)),
        axis: fc.constant(axis),
        indices: stridedArrays(fc.nat(whole[axis]! - 1), indexShape),
        fromEnd: fc.boolean(),
      });
    }),
  );

/** An array with an axis of nonzero extent, and indices of its rank that differ from it along that axis. */
const alongCases = shapes({ minRank: 1, maxRank: 3 }).chain((shape) =>
  fc.tuple(fc.nat(shape.length - 1), fc.nat(4)).chain(([axis, count]) => {
    const whole = shape.map((n, k) => (k === axis ? Math.max(1, n) : n));
    return fc.record({
      array: stridedArrays(values, fc.constant(whole)),
      axis: fc.constant(axis),
      indices: stridedArrays(fc.nat(whole[axis]! - 1), fc.constant(whole.map((n, k) => (k === axis ? count : n)))),
      updates: stridedArrays(values, fc.constant(whole.map((n, k) => (k === axis ? count : n)))),
    });
  }),
);

const insert = (index: readonly number[], axis: number, own: readonly number[]) => [
  ...index.slice(0, axis),
  ...own,
  ...index.slice(axis + 1),
];

describe("gather", () => {
  forEachDevice(({ device, dtype }) => {
    it("takes slices of an axis by indices of any shape and layout", async () => {
      await fc.assert(
        fc.asyncProperty(gatherCases(shapes({ maxRank: 2 })), async ({ array, axis, indices, fromEnd }) => {
          const found = array
            .on(device, dtype)
            .gather(indices.on(device, "int32"), { axis: fromEnd ? axis - array.shape.length : axis });
          const shape = insert(array.shape, axis, indices.shape);
          const rank = indices.shape.length;
          const expected = hostArray(shape, (index) => {
            const at = elementAt(indices, index.slice(axis, axis + rank));
            return elementAt(array, [...index.slice(0, axis), at, ...index.slice(axis + rank)]);
          });
          expect(found.shape).toEqual(shape);
          await expectClose(found, nested(expected));
        }),
      );
    });

    it("takes uint32 indices, and every dtype's elements", async () => {
      const indices = device.tensor([1, 1, 0], { dtype: "uint32" });
      await expectClose(device.tensor([5, 6], { dtype }).gather(indices), [6, 6, 5]);
      const mask = device.tensor([true, false]).gather(indices);
      expect(mask.dtype).toBe("bool");
      await expectClose(mask, [0, 0, 1]);
    });

    it("tells at the next read of indices that are out of range, and gives 0 there", async () => {
      const x = device.tensor([5, 6, 7], { dtype });
      for (const bad of [3, -1, 2 ** 31 - 1]) {
        const found = x.gather(
          device.tensor(
            [
              [0, 2],
              [1, bad],
            ],
            { dtype: "int32" },
          ),
        );
        await expect(found.data()).rejects.toThrow(
          coded(
            "BAD_DATA",
            "gather: expected valid data, found a fault on the device: index out of range of indices at element 3",
          ),
        );
        await expectClose(found, [
          [5, 7],
          [6, 0],
        ]);
      }
      const nothing = device.zeros([0], { dtype }).gather(device.tensor([0], { dtype: "int32" }));
      await expect(nothing.data()).rejects.toThrow(coded("BAD_DATA"));
    });

    it("takes rows of some length, also from a view of some columns, and gives 0 for one that is not there", async () => {
      const numbers = Array.from({ length: 30 }, (_, k) => k);
      const x = device.tensor(numbers, { shape: [3, 10], dtype });
      const rows = [numbers.slice(0, 10), numbers.slice(10, 20), numbers.slice(20)] as const;
      const indices = device.tensor([2, 0, 2, 1], { dtype: "int32" });
      await expectClose(x.gather(indices), [rows[2], rows[0], rows[2], rows[1]]);
      const part = (row: readonly number[]) => row.slice(2, 9);
      await expectClose(x.slice(null, [2, 9]).gather(indices), [rows[2], rows[0], rows[2], rows[1]].map(part));
      const found = x.gather(device.tensor([1, 3], { dtype: "int32" }));
      await expect(found.data()).rejects.toThrow(coded("BAD_DATA"));
      await expectClose(found, [rows[1], new Array<number>(10).fill(0)]);
    });

    it("names the first index in row-major order of a strided view", async () => {
      const indices = device
        .tensor(
          [
            [0, 9],
            [0, 0],
            [9, 0],
          ],
          { dtype: "int32" },
        )
        .transpose();
      await expect(device.zeros([3], { dtype }).gather(indices).data()).rejects.toThrow("at element 2");
    });

    it("refuses indices that are no integers, and axes that are not there", () => {
      const x = device.zeros([2, 2], { dtype });
      expect(() => x.gather(x)).toThrow(coded("DTYPE_MISMATCH", "int32 indices"));
      expect(() => x.gather(device.tensor([true]))).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => x.gather(0 as never)).toThrow(coded("BAD_ARGUMENT", "found number"));
      expect(() => x.gather([0] as never)).toThrow(coded("BAD_ARGUMENT", "found Array"));
      expect(() => x.gather(device.zeros([1], { dtype: "int32" }), { axis: 2 })).toThrow(coded("BAD_ARGUMENT", "axis"));
      expect(() => device.tensor(1).gather(device.zeros([1], { dtype: "int32" }))).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});

describe("takeAlongAxis", () => {
  forEachDevice(({ device, dtype }) => {
    it("takes elements one by one along an axis", async () => {
      await fc.assert(
        fc.asyncProperty(alongCases, async ({ array, axis, indices }) => {
          const found = array.on(device, dtype).takeAlongAxis(indices.on(device, "int32"), { axis });
          const expected = hostArray(indices.shape, (index) =>
            elementAt(array, insert(index, axis, [elementAt(indices, index)])),
          );
          await expectClose(found, nested(expected));
        }),
      );
    });

    it("tells at the next read of indices that are out of range", async () => {
      const x = device.tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { dtype },
      );
      const found = x.takeAlongAxis(device.tensor([[0], [2]], { dtype: "int32" }), { axis: 1 });
      await expect(found.data()).rejects.toThrow(
        coded(
          "BAD_DATA",
          "takeAlongAxis: expected valid data, found a fault on the device: index out of range of indices at element 1",
        ),
      );
      await expectClose(found, [[1], [0]]);
    });

    it("refuses indices of another shape", () => {
      const x = device.zeros([2, 3], { dtype });
      expect(() => x.takeAlongAxis(device.zeros([3, 1], { dtype: "int32" }), { axis: 1 })).toThrow(
        coded("SHAPE_MISMATCH", "but for axis 1"),
      );
      expect(() => x.takeAlongAxis(device.zeros([2], { dtype: "int32" }), { axis: 1 })).toThrow(
        coded("SHAPE_MISMATCH"),
      );
    });
  });
});

describe("scatterAdd", () => {
  forEachDevice(({ device, dtype }) => {
    it("is the transpose of gather: ⟨gather(x), y⟩ = ⟨x, scatterAdd(y)⟩, slice by slice", async () => {
      await fc.assert(
        fc.asyncProperty(gatherCases(shapes({ maxRank: 2 })), async ({ array, axis, indices }) => {
          const { shape } = array;
          const picked = insert(shape, axis, indices.shape);
          const updates = hostArray(picked, (index) => index.reduce((sum, i, k) => sum + (k + 1) * (i + 1), 0));
          const found = scatterAdd(
            indices.on(device, "int32"),
            device.tensor(updates.values as number[], { shape: picked, dtype }),
            { axis, size: shape[axis]! },
          );
          const rank = indices.shape.length;
          const expected = hostArray(shape, (target) =>
            indicesOf(picked).reduce((sum, index) => {
              const at = elementAt(indices, index.slice(axis, axis + rank));
              const place = [...index.slice(0, axis), at, ...index.slice(axis + rank)];
              return place.every((i, k) => i === target[k]) ? sum + elementAt(updates, index) : sum;
            }, 0),
          );
          expect(found.shape).toEqual(shape);
          await expectClose(found, nested(expected));
        }),
        { numRuns: 40 },
      );
    });

    it("is the transpose of takeAlongAxis, element by element", async () => {
      await fc.assert(
        fc.asyncProperty(alongCases, async ({ array, axis, indices, updates }) => {
          const found = scatterAdd(indices.on(device, "int32"), updates.on(device, dtype), {
            axis,
            size: array.shape[axis]!,
            mode: "elements",
          });
          const expected = hostArray(array.shape, (target) =>
            indicesOf(indices.shape).reduce((sum, index) => {
              const place = insert(index, axis, [elementAt(indices, index)]);
              return place.every((i, k) => i === target[k]) ? sum + elementAt(updates, index) : sum;
            }, 0),
          );
          await expectClose(found, nested(expected));
        }),
        { numRuns: 40 },
      );
    });

    it("leaves out what is out of range, and tells at the next read", async () => {
      const indices = device.tensor([0, 3, -1, 2], { dtype: "int32" });
      const found = scatterAdd(indices, device.ones([4], { dtype }), { size: 3 });
      await expect(found.data()).rejects.toThrow(coded("BAD_DATA", "at element 1"));
      await expectClose(found, [1, 0, 1]);
    });

    it("adds in a fixed order", async () => {
      const indices = device.zeros([3], { dtype: "int32" });
      await expectClose(scatterAdd(indices, device.tensor([2 ** 24, 1, -(2 ** 24)], { dtype }), { size: 1 }), [1]);
    });

    it("refuses sizes, shapes and dtypes that do not fit", () => {
      const indices = device.zeros([2], { dtype: "int32" });
      const updates = device.zeros([2, 3], { dtype });
      for (const size of [-1, 0.5, NaN, undefined as never]) {
        expect(() => scatterAdd(indices, updates, { size })).toThrow(coded("BAD_ARGUMENT", "scatterAdd"));
      }
      expect(() => scatterAdd(device.zeros([3], { dtype: "int32" }), updates, { size: 2 })).toThrow(
        coded("SHAPE_MISMATCH"),
      );
      expect(() => scatterAdd(indices, updates, { size: 2, mode: "elements" })).toThrow(
        coded("SHAPE_MISMATCH", "one shape"),
      );
      expect(() => scatterAdd(device.zeros([2]), updates, { size: 2 })).toThrow(
        coded("DTYPE_MISMATCH", "int32 indices"),
      );
      expect(() => scatterAdd(indices, device.zeros([2], { dtype: "bool" }), { size: 2 })).toThrow(
        coded("DTYPE_MISMATCH"),
      );
      expect(() => scatterAdd(indices, updates, { size: 2, axis: 2 })).toThrow(coded("BAD_ARGUMENT", "axis"));
      expect(() => scatterAdd(device.zeros([2, 3, 1], { dtype: "int32" }), updates, { size: 2 })).toThrow(
        coded("BAD_ARGUMENT"),
      );
    });
  });
});

describe("oneHot", () => {
  forEachDevice(({ device, dtype }) => {
    it("has 1 at the index along a new last axis", async () => {
      await fc.assert(
        fc.asyncProperty(stridedArrays(fc.nat(3), shapes({ maxRank: 2 })), async (indices) => {
          const found = oneHot(indices.on(device, "int32"), 4, { dtype });
          expect(found.dtype).toBe(dtype);
          const expected = hostArray([...indices.shape, 4], (index) =>
            Number(elementAt(indices, index.slice(0, -1)) === index.at(-1)),
          );
          await expectClose(found, nested(expected));
        }),
      );
    });

    it("has rows of zeros for what is out of range", async () => {
      await expectClose(oneHot(device.tensor([-1, 2, 0], { dtype: "int32" }), 2), [
        [0, 0],
        [0, 0],
        [1, 0],
      ]);
      await expectClose(oneHot(device.tensor([2 ** 32 - 1, 1], { dtype: "uint32" }), 2, { dtype: "bool" }), [
        [0, 0],
        [0, 1],
      ]);
    });

    it("refuses indices that are no integers and counts that are none", () => {
      const indices = device.zeros([2], { dtype: "int32" });
      expect(() => oneHot(device.zeros([2], { dtype }), 3)).toThrow(coded("DTYPE_MISMATCH"));
      for (const n of [0, -1, 1.5, NaN]) expect(() => oneHot(indices, n)).toThrow(coded("BAD_ARGUMENT"));
      expect(() => oneHot(indices, 3, { dtype: "float16" as never })).toThrow(coded("BAD_ARGUMENT", "float16"));
      expect(() => oneHot([0, 1] as never, 3)).toThrow(coded("BAD_ARGUMENT", "found Array"));
    });
  });
});
