import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator, matmul } from "@robgrad/tensor";
import { broadcastPairs, expectClose, forEachDevice, stridedArrays } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { elementAt, hostArray, nested, storedArray, type HostArray } from "../reference.js";

/** A[…, m, k] B[…, k, n] by the definition; `batch` is the broadcast of the leading axes. */
function product(a: HostArray, b: HostArray, batch: readonly number[]): HostArray {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  return hostArray([...batch, m, n], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const lead = index.slice(0, -2);
    let total = 0;
    for (let t = 0; t < k; t++) total += elementAt(a, [...lead, i, t]) * elementAt(b, [...lead, t, j]);
    return total;
  });
}

const values = fc.integer({ min: -5, max: 5 });
const extent = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
const sizes = fc.tuple(extent, extent, extent);

describe("matmul", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it("contracts the last axis of a with the second last of b, in any layout, also where an extent is 0", async () => {
      const pairs = sizes.chain(([m, k, n]) =>
        fc.tuple(stridedArrays(values, fc.constant([m, k])), stridedArrays(values, fc.constant([k, n]))),
      );
      await fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          const found = a.on(device, dtype).matmul(b.on(device, dtype));
          expect(found.dtype).toBe(dtype);
          await expectClose(found, nested(product(a, b, [])));
        }),
      );
    });

    it("broadcasts the leading axes", async () => {
      const pairs = fc
        .tuple(sizes, broadcastPairs({ maxRank: 2, maxExtent: 3 }))
        .chain(([[m, k, n], lead]) =>
          fc.tuple(
            stridedArrays(values, fc.constant([...lead.a, m, k])),
            stridedArrays(values, fc.constant([...lead.b, k, n])),
            fc.constant(lead),
          ),
        );
      await fc.assert(
        fc.asyncProperty(pairs, async ([a, b, lead]) => {
          const rank = Math.max(lead.a.length, lead.b.length);
          const batch = lead.shape.slice(lead.shape.length - rank);
          const found = a.on(device, dtype).matmul(b.on(device, dtype));
          const expected = product(a, b, batch);
          expect(found.shape).toEqual(expected.shape);
          await expectClose(found, nested(expected));
        }),
      );
    });

    it("takes a vector as a row on the left and as a column on the right", async () => {
      const a = device.tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { dtype },
      );
      const v = device.tensor([1, 0, -1], { dtype });
      const u = device.tensor([1, 2], { dtype });
      await expectClose(a.matmul(v), [-2, -2]);
      await expectClose(u.matmul(a), [9, 12, 15]);
      await expectClose(v.matmul(v), 2);
      const batch = device.tensor(
        [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          [
            [0, 1, 0],
            [1, 0, 0],
          ],
        ],
        { dtype },
      );
      await expectClose(batch.matmul(v), [
        [-2, -2],
        [0, 1],
      ]);
      await expectClose(u.matmul(batch), [
        [9, 12, 15],
        [2, 1, 0],
      ]);
      await expectClose(device.zeros([0], { dtype }).matmul(device.zeros([0], { dtype })), 0);
      expect(v.matmul(device.zeros([3, 0], { dtype })).shape).toEqual([0]);
    });

    it("is what the function computes", async () => {
      const a = device.tensor([[1, 2]], { dtype });
      await expectClose(matmul(a, a.transpose()), [[5]]);
    });

    it("lets NaN and infinities through", async () => {
      const a = device.tensor(
        [
          [NaN, 0],
          [Infinity, 1],
        ],
        { dtype, allowNonFinite: true },
      );
      await expectClose(a.matmul(device.ones([2, 1], { dtype })), [[NaN], [Infinity]]);
      await expectClose(a.matmul(device.zeros([2, 1], { dtype })), [[NaN], [NaN]]);
    });

    it("does not change its result with the number of columns", async () => {
      const draw = (shape: number[], seed: number) =>
        device.tensor(generator(seed).normal(shape).values, { shape, dtype });
      const [a, b] = [draw([3, 50], 1), draw([50, 9], 2)];
      const whole = (await a.matmul(b).toArray()) as number[][];
      for (let j = 0; j < 9; j++) {
        await expectClose(
          a.matmul(b.slice(null, [j, j + 1])),
          whole.map((row) => [row[j]!]),
        );
      }
    });

    it("refuses extents that differ, dtypes that differ, integers and scalars", () => {
      const a = device.zeros([2, 3], { dtype });
      expect(() => a.matmul(a)).toThrow(
        coded(
          "SHAPE_MISMATCH",
          `matmul: expected a.shape[-1] = b.shape[-2], found 3 ≠ 2 (a: ${dtype} [2, 3], b: ${dtype} [2, 3])`,
        ),
      );
      expect(() => a.matmul(device.zeros([2], { dtype }))).toThrow(coded("SHAPE_MISMATCH", "b.shape[0], found 3 ≠ 2"));
      expect(() => device.zeros([2, 2, 3]).matmul(device.zeros([3, 3, 1]))).toThrow(
        coded("SHAPE_MISMATCH", "broadcast"),
      );
      expect(() => a.matmul(device.zeros([], { dtype }))).toThrow(coded("SHAPE_MISMATCH", "with axes"));
      const other = device.dtypes.find((candidate) => candidate !== dtype)!;
      expect(() => a.matmul(device.zeros([3, 1], { dtype: other }))).toThrow(coded("DTYPE_MISMATCH", "one dtype"));
      const integers = device.zeros([2, 2], { dtype: "int32" });
      expect(() => integers.matmul(integers)).toThrow(coded("DTYPE_MISMATCH", "floating"));
      expect(() => a.matmul(3 as never)).toThrow(coded("BAD_ARGUMENT", "found number"));
    });

    it("stays aware of the layout of sums: storage order does not matter", async () => {
      await fc.assert(
        fc.asyncProperty(
          stridedArrays(fc.double({ min: -1, max: 1, noNaN: true }), fc.constant([4, 7])),
          async (array) => {
            const x = array.on(device, dtype);
            const dense = storedArray(dtype, array);
            const expected = await device
              .tensor(dense.values as number[], { shape: [4, 7], dtype })
              .matmul(x.transpose().copy())
              .toArray();
            // wasm adds along rows in lanes, where rows lie together: another order of the same terms.
            await expectClose(
              x.matmul(x.transpose()),
              expected,
              device.name === "cpu" ? {} : { absolute: 8 * epsilon },
            );
          },
        ),
        { numRuns: 30 },
      );
    });
  });
});
