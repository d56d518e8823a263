import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, pad, stack, type Tensor } from "@robgrad/tensor";
import { broadcastPairs, expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { elementAt, hostArray, indicesOf, nested, type HostArray } from "../reference.js";

const dtypes = ["float32", "float64", "int32", "uint32", "bool"] as const;
const bits = fc.constantFrom(0, 1);
const size = (shape: readonly number[]) => shape.reduce((n, extent) => n * extent, 1);

/** Another shape of as many elements. */
const factorings = (n: number): fc.Arbitrary<number[]> =>
  n === 0
    ? shapes({ minRank: 1, maxRank: 3 }).map((shape) => (size(shape) === 0 ? shape : [...shape, 0]))
    : fc.array(fc.nat(), { maxLength: 4 }).map((choices) => {
        let rest = n;
        const shape = choices.map((choice) => {
          const divisors = Array.from({ length: rest }, (_, k) => k + 1).filter((d) => rest % d === 0);
          const extent = divisors[choice % divisors.length]!;
          rest /= extent;
          return extent;
        });
        return rest === 1 ? shape : [...shape, rest];
      });

describe("reshape", () => {
  forEachDevice(
    ({ device }) => {
      it("keeps the elements in row-major order, whatever the layout was", async () => {
        const arrays = stridedArrays(fc.integer({ min: 0, max: 99 }));
        await fc.assert(
          fc.asyncProperty(
            arrays.chain((array) => fc.tuple(fc.constant(array), factorings(array.values.length))),
            async ([array, shape]) => {
              const found = array.on(device, "float64").reshape(shape);
              expect(found.shape).toEqual(shape);
              await expectClose(found, nested({ shape, values: array.values }));
            },
          ),
          { numRuns: 300 },
        );
      });

      it("shares memory where strides allow and copies elsewhere", async () => {
        const x = device.arange(24).reshape([2, 3, 4]);
        const shares = (y: Tensor) => y.storage === x.storage;
        expect(shares(x.reshape([6, 4]))).toBe(true);
        expect(shares(x.slice(null, [0, 2]).reshape([2, 8]))).toBe(true);
        expect(shares(x.permute([1, 0, 2]).reshape([3, 2, 2, 2]))).toBe(true);
        expect(shares(x.permute([1, 0, 2]).reshape([6, 4]))).toBe(false);
        expect(shares(x.transpose().reshape([24]))).toBe(false);
        const row = device.arange(3).broadcastTo([4, 3]);
        expect(row.reshape([2, 2, 3]).storage).toBe(row.storage);
        await expectClose(row.reshape([12]), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
      });

      it("finds the extent that is left out", async () => {
        const x = device.arange(6);
        await expectClose(x.reshape([-1, 2]), [
          [0, 1],
          [2, 3],
          [4, 5],
        ]);
        expect(x.reshape([3, -1, 1]).shape).toEqual([3, 2, 1]);
        expect(device.zeros([0, 4]).reshape([-1, 4]).shape).toEqual([0, 4]);
        expect(device.tensor(1).reshape([-1]).shape).toEqual([1]);
      });

      it("refuses another number of elements and shapes that are none", () => {
        const x = device.arange(6);
        expect(() => x.reshape([4])).toThrow(coded("SHAPE_MISMATCH", "reshape: expected 6 elements"));
        expect(() => x.reshape([4, -1])).toThrow(coded("SHAPE_MISMATCH"));
        expect(() => device.zeros([0]).reshape([0, -1])).toThrow(coded("SHAPE_MISMATCH"));
        for (const shape of [[-1, -1], [-2, -3], [1.5, 4], [NaN], new Array<number>(1), 6 as never, "6" as never]) {
          expect(() => x.reshape(shape)).toThrow(coded("BAD_ARGUMENT", "reshape: expected a shape"));
        }
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("permute and transpose", () => {
  forEachDevice(
    ({ device }) => {
      it("exchange axes without moving elements", async () => {
        const cases = stridedArrays().chain((array) => {
          const axes = array.shape.map((_, axis) => axis);
          return fc.tuple(fc.constant(array), fc.shuffledSubarray(axes, { minLength: axes.length }));
        });
        await fc.assert(
          fc.asyncProperty(cases, async ([array, order]) => {
            const x = array.on(device, "float64");
            const found = x.permute(order.map((axis, k) => (k % 2 ? axis - order.length : axis)));
            expect(found.storage).toBe(x.storage);
            const expected = hostArray(
              order.map((axis) => array.shape[axis]!),
              (index) =>
                elementAt(
                  array,
                  array.shape.map((_, axis) => index[order.indexOf(axis)]!),
                ),
            );
            await expectClose(found, nested(expected));
          }),
        );
      });

      it("reverse all axes without an order, and exchange the last two", async () => {
        const x = device.arange(6).reshape([1, 2, 3]);
        expect(x.permute().shape).toEqual([3, 2, 1]);
        await expectClose(x.transpose(), [
          [
            [0, 3],
            [1, 4],
            [2, 5],
          ],
        ]);
        expect(device.tensor(1).permute().shape).toEqual([]);
      });

      it("refuse orders that are no permutation", () => {
        const x = device.zeros([2, 3]);
        for (const order of [[0], [0, 0], [0, 1, 1], [0, -2]]) {
          expect(() => x.permute(order)).toThrow(coded("BAD_ARGUMENT", "every axis"));
        }
        expect(() => x.permute([0, 2])).toThrow(coded("BAD_ARGUMENT", "permute: expected axis"));
        expect(() => device.zeros([2]).transpose()).toThrow(coded("SHAPE_MISMATCH", "two axes"));
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("slice", () => {
  forEachDevice(
    ({ device }) => {
      const range = fc.option(
        fc.oneof(
          fc.tuple(fc.integer({ min: -6, max: 6 })),
          fc.tuple(fc.integer({ min: -6, max: 6 }), fc.option(fc.integer({ min: -6, max: 6 }))),
        ),
      );

      it("takes what Array.prototype.slice takes along every axis, without copying", async () => {
        await fc.assert(
          fc.asyncProperty(stridedArrays(), fc.array(range, { maxLength: 4 }), async (array, ranges) => {
            const given = ranges.slice(0, array.shape.length);
            const x = array.on(device, "float64");
            const found = x.slice(...given);
            expect(found.storage).toBe(x.storage);
            const chosen = array.shape.map((extent, axis) => {
              const all = Array.from({ length: extent }, (_, i) => i);
              const own = given[axis];
              return own ? all.slice(own[0], own[1] ?? undefined) : all;
            });
            const expected = hostArray(
              chosen.map((places) => places.length),
              (index) =>
                elementAt(
                  array,
                  index.map((i, axis) => chosen[axis]![i]!),
                ),
            );
            expect(found.shape).toEqual(expected.shape);
            await expectClose(found, nested(expected));
          }),
          { numRuns: 300 },
        );
      });

      it("slices slices", async () => {
        const x = device.arange(10).slice([2, 8]).slice([1, -1]);
        await expectClose(x, [3, 4, 5, 6]);
        await expectClose(x.slice([-2]), [5, 6]);
      });

      it("refuses more ranges than axes and ranges that are none", () => {
        const x = device.zeros([3]);
        expect(() => x.slice(null, null)).toThrow(coded("BAD_ARGUMENT", "at most 1 ranges"));
        for (const bad of [[0.5], [0, NaN], ["1", 2], [], 1, undefined] as never[]) {
          expect(() => x.slice(bad)).toThrow(coded("BAD_ARGUMENT", "slice: expected"));
        }
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("broadcastTo", () => {
  forEachDevice(
    ({ device }) => {
      it("repeats axes of extent 1 and missing ones without copying", async () => {
        const cases = broadcastPairs().chain(({ a, shape }) =>
          fc.tuple(stridedArrays(undefined, fc.constant(a)), fc.constant(shape)),
        );
        await fc.assert(
          fc.asyncProperty(cases, async ([array, shape]) => {
            const x = array.on(device, "float64");
            const found = x.broadcastTo(shape);
            expect(found.storage).toBe(x.storage);
            await expectClose(found, nested(hostArray(shape, (index) => elementAt(array, index))));
          }),
        );
      });

      it("does not follow later changes of the array it was given", () => {
        const shape = [2, 3];
        const x = device.zeros([3]).broadcastTo(shape);
        shape[0] = 9;
        expect(x.shape).toEqual([2, 3]);
      });

      it("refuses shapes it cannot repeat to", () => {
        const x = device.zeros([2, 3]);
        for (const shape of [[3], [2, 1], [2, 4], [3, 3], []]) {
          expect(() => x.broadcastTo(shape)).toThrow(coded("SHAPE_MISMATCH", "broadcastTo"));
        }
        expect(() => x.broadcastTo([-1, 2, 3])).toThrow(coded("BAD_ARGUMENT"));
      });
    },
    { dtypes: ["float64"] },
  );
});

/** Arrays of equal shapes but for one axis. */
const joinable = shapes({ minRank: 1, maxRank: 3 }).chain((shape) =>
  fc.tuple(fc.nat(shape.length - 1), fc.array(fc.nat(3), { minLength: 1, maxLength: 3 })).chain(([axis, extents]) =>
    fc.record({
      axis: fc.constant(axis),
      arrays: fc.tuple(
        ...extents.map((extent) => stridedArrays(bits, fc.constant(shape.map((n, k) => (k === axis ? extent : n))))),
      ),
    }),
  ),
);

describe.each(dtypes)("concat, stack and pad of %s", (dtype) => {
  forEachDevice(
    ({ device }) => {
      it("join along an existing axis", async () => {
        await fc.assert(
          fc.asyncProperty(joinable, fc.boolean(), async ({ axis, arrays }, fromEnd) => {
            const rank = arrays[0]!.shape.length;
            const found = concat(
              arrays.map((array) => array.on(device, dtype)),
              { axis: fromEnd ? axis - rank : axis },
            );
            const owners = arrays.flatMap((array) =>
              Array.from({ length: array.shape[axis]! }, (_, i) => [array, i] as const),
            );
            const shape = arrays[0]!.shape.map((n, k) => (k === axis ? owners.length : n));
            const expected = hostArray(shape, (index) => {
              const [array, i] = owners[index[axis]!]!;
              return elementAt(
                array,
                index.map((place, k) => (k === axis ? i : place)),
              );
            });
            expect(found.dtype).toBe(dtype);
            await expectClose(found, nested(expected));
          }),
          { numRuns: 40 },
        );
      });

      it("join along a new axis", async () => {
        const cases = shapes({ maxRank: 2 }).chain((shape) =>
          fc.tuple(
            fc.array(stridedArrays(bits, fc.constant(shape)), { minLength: 1, maxLength: 3 }),
            fc.nat(shape.length),
          ),
        );
        await fc.assert(
          fc.asyncProperty(cases, async ([arrays, axis]) => {
            const found = stack(
              arrays.map((array) => array.on(device, dtype)),
              { axis },
            );
            const shape = [...arrays[0]!.shape];
            shape.splice(axis, 0, arrays.length);
            const expected = hostArray(shape, (index) =>
              elementAt(
                arrays[index[axis]!]!,
                index.filter((_, k) => k !== axis),
              ),
            );
            await expectClose(found, nested(expected));
          }),
          { numRuns: 40 },
        );
      });

      it("surround with a border", async () => {
        const cases = stridedArrays(bits, shapes({ maxRank: 3 })).chain((array) =>
          fc.tuple(
            fc.constant(array),
            fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: array.shape.length }),
            bits,
          ),
        );
        await fc.assert(
          fc.asyncProperty(cases, async ([array, widths, border]) => {
            const found = pad(array.on(device, dtype), widths, border);
            const before = (axis: number) => widths[axis]?.[0] ?? 0;
            const shape = array.shape.map((n, axis) => n + before(axis) + (widths[axis]?.[1] ?? 0));
            const expected = hostArray(shape, (index) => {
              const own = index.map((i, axis) => i - before(axis));
              return own.every((i, axis) => i >= 0 && i < array.shape[axis]!) ? elementAt(array, own) : border;
            });
            expect(found.dtype).toBe(dtype);
            await expectClose(found, nested(expected));
          }),
          { numRuns: 40 },
        );
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("concat, stack and pad", () => {
  forEachDevice(
    ({ device }) => {
      const x = () => device.zeros([2, 3]);

      it("refuse empty lists, numbers, other dtypes and shapes that do not fit", () => {
        expect(() => concat([])).toThrow(coded("BAD_ARGUMENT", "concat: expected at least one tensor"));
        expect(() => stack([])).toThrow(coded("BAD_ARGUMENT"));
        expect(() => concat([x(), 3 as never])).toThrow(coded("BAD_ARGUMENT", "found number"));
        expect(() => concat([x(), null as never])).toThrow(coded("BAD_ARGUMENT", "found null"));
        expect(() => concat([x(), device.zeros([2, 3], { dtype: "float64" })])).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => concat([x(), device.zeros([2, 4])])).toThrow(coded("SHAPE_MISMATCH", "but for axis 0"));
        expect(() => concat([x(), device.zeros([2])])).toThrow(coded("SHAPE_MISMATCH"));
        expect(() => concat([device.tensor(1)])).toThrow(coded("BAD_ARGUMENT", "axis"));
        expect(() => concat([x()], { axis: 2 })).toThrow(coded("BAD_ARGUMENT", "axis"));
        expect(() => stack([x(), device.zeros([3, 2])])).toThrow(coded("SHAPE_MISMATCH", "equal shapes"));
        expect(() => stack([x()], { axis: 3 })).toThrow(coded("BAD_ARGUMENT"));
      });

      it("refuse borders of negative or fractional width, on axes that are not there, or of another dtype", () => {
        for (const widths of [
          [[-1, 0]],
          [[0.5, 0]],
          [
            [0, 0],
            [0, 0],
            [1, 1],
          ],
          [[1]] as never,
          [1, 1] as never,
          null as never,
        ]) {
          expect(() => pad(x(), widths as never)).toThrow(coded("BAD_ARGUMENT", "pad: expected whole widths"));
        }
        expect(() => pad(device.zeros([2], { dtype: "int32" }), [[1, 1]], 0.5)).toThrow(coded("BAD_ARGUMENT"));
        expect(() => pad(device.zeros([2], { dtype: "bool" }), [[1, 1]], 2)).toThrow(coded("BAD_ARGUMENT"));
      });

      it("take infinite borders for floats", async () => {
        await expectClose(pad(device.ones([1]), [[1, 0]], -Infinity), [-Infinity, 1]);
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("copy", () => {
  forEachDevice(
    ({ device }) => {
      it.each(dtypes)("takes %s elements to memory of their own", async (dtype) => {
        await fc.assert(
          fc.asyncProperty(stridedArrays(bits), async (array) => {
            const x = array.on(device, dtype);
            const y = x.copy();
            expect(y.storage).not.toBe(x.storage);
            expect(y.dtype).toBe(dtype);
            x.dispose();
            await expectClose(y, array.nested);
          }),
          { numRuns: 20 },
        );
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("cast", () => {
  const truncated = (value: number, low: number, high: number) =>
    Number.isNaN(value) ? 0 : Math.min(high, Math.max(low, value < 0 ? Math.ceil(value) : Math.floor(value)));
  const values = [0, -0, 0.5, -0.5, 1.9, -1.9, 255, 3e9, -3e9, 1e20, -1e20, 2 ** 31, 2 ** 32, Infinity, -Infinity, NaN];

  forEachDevice(({ device, dtype }) => {
    const floats = () => device.tensor(values, { dtype, allowNonFinite: true });
    const held = dtype === "float32" ? values.map(Math.fround) : values;

    it("truncates floats to integers, clipped to their range, NaN to 0", async () => {
      await expectClose(
        floats().cast("int32"),
        held.map((v) => truncated(v, -(2 ** 31), 2 ** 31 - 1)),
      );
      await expectClose(
        floats().cast("uint32"),
        held.map((v) => truncated(v, 0, 2 ** 32 - 1)),
      );
    });

    it("makes bools of what is not 0", async () => {
      await expectClose(
        floats().cast("bool"),
        values.map((v) => (v === 0 ? 0 : 1)),
      );
      await expectClose(device.tensor([0, 256, -1], { dtype: "int32" }).cast("bool"), [0, 1, 1]);
    });

    it("makes floats of integers and bools, also above 2³¹", async () => {
      const x = device.tensor([0, 1, 2 ** 31, 2 ** 32 - 1], { dtype: "uint32" });
      await expectClose(x.cast(dtype), [0, 1, 2 ** 31, dtype === "float32" ? 2 ** 32 : 2 ** 32 - 1]);
      await expectClose(device.tensor([-(2 ** 31), -1], { dtype: "int32" }).cast(dtype), [-(2 ** 31), -1]);
      await expectClose(device.tensor([true, false]).cast(dtype), [1, 0]);
    });

    it("keeps the bits between integers", async () => {
      await expectClose(device.tensor([-1, 5], { dtype: "int32" }).cast("uint32"), [2 ** 32 - 1, 5]);
      await expectClose(device.tensor([2 ** 32 - 1, 5], { dtype: "uint32" }).cast("int32"), [-1, 5]);
    });

    it.skipIf(!device.dtypes.includes("float64"))("rounds float64 to float32", async () => {
      const x = device.tensor([0.1, 1e300], { dtype: "float64" });
      await expectClose(x.cast("float32"), [Math.fround(0.1), Infinity]);
      await expectClose(x.cast("float32").cast("float64").slice([0, 1]), [Math.fround(0.1)]);
    });

    it("shares memory under a handle of its own where nothing changes", async () => {
      const x = device.tensor([1, 2], { dtype });
      const y = x.cast(dtype);
      expect(y.storage).toBe(x.storage);
      x.dispose();
      await expectClose(y, [1, 2]);
    });

    it("refuses dtypes that are none", () => {
      expect(() => device.zeros([1]).cast("float16" as never)).toThrow(coded("BAD_ARGUMENT", "found float16"));
    });
  });
});

describe("tensors", () => {
  it("have their shapes' numbers of elements", () => {
    const array: HostArray = hostArray([2, 3], ([i, j]) => i! * 3 + j!);
    expect(array.values).toEqual([0, 1, 2, 3, 4, 5]);
    expect(indicesOf([2, 0])).toEqual([]);
  });
});
