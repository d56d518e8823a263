import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Device, Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { reduceFormula, apply, constant, input } from "../../src/kernels.js";
import { coded } from "../coded.js";
import { alongAxes, nested, storedArray, zipWith } from "../reference.js";

const sum = (elements: number[]) => elements.reduce((total, v) => total + v, 0);
const mean = (elements: number[]) => sum(elements) / elements.length;
const extreme = (better: (a: number, b: number) => boolean) => (elements: number[]) =>
  elements.some(Number.isNaN) ? NaN : elements.reduce((best, v) => (better(v, best) ? v : best));
const place = (better: (a: number, b: number) => boolean) => (elements: number[]) => {
  const nan = elements.findIndex(Number.isNaN);
  return nan >= 0 ? nan : elements.indexOf(extreme(better)(elements));
};
const larger = (a: number, b: number) => a > b;
const smaller = (a: number, b: number) => a < b;

const references = {
  sum,
  mean,
  product: (elements: number[]) => elements.reduce((total, v) => total * v, 1),
  max: extreme(larger),
  min: extreme(smaller),
} as const;
type Name = keyof typeof references;

/** An array, some of its axes, and whether to keep them. */
const cases = (values: fc.Arbitrary<number>, minRank = 0) =>
  shapes({ maxRank: 4, maxExtent: 3, minRank }).chain((shape) =>
    fc.record({
      array: stridedArrays(values, fc.constant(shape)),
      axes: fc.subarray(shape.map((_, axis) => axis)),
      keepdims: fc.boolean(),
    }),
  );
const small = fc.oneof(fc.double({ min: -3, max: 3, noNaN: true }), fc.integer({ min: -2, max: 2 }));
const withNaN = fc.oneof(
  { weight: 9, arbitrary: small },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const runs = { numRuns: 60 };
const extentOf = (shape: readonly number[], axes: readonly number[]) => axes.reduce((n, axis) => n * shape[axis]!, 1);

/** Lanes add in another order than the reference does. */
const sumTolerance = ({ name }: Device, epsilon: number) => {
  const roundings = name === "cpu" ? 1 : 16;
  return { relative: roundings * epsilon, absolute: 8 * roundings * epsilon };
};

describe("reductions", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it.each(Object.keys(references) as Name[])("%s goes over any axes of any layout", async (name) => {
      await fc.assert(
        fc.asyncProperty(
          cases(name === "max" || name === "min" ? withNaN : small),
          async ({ array, axes, keepdims }) => {
            fc.pre(name === "sum" || name === "product" || extentOf(array.shape, axes) > 0);
            const x = array.on(device, dtype);
            const found = x[name]({
              axis: axes.map((axis, k) => (k % 2 === 0 ? axis : axis - array.shape.length)),
              keepdims,
            });
            const expected = alongAxes(references[name], storedArray(dtype, array), axes, keepdims);
            expect(found.shape).toEqual(expected.shape);
            expect(found.dtype).toBe(dtype);
            await expectClose(found, nested(expected), sumTolerance(device, epsilon));
          },
        ),
        runs,
      );
    });

    it.each(["argmax", "argmin"] as const)(
      "%s gives the lowest index along one axis, that of a NaN first",
      async (name) => {
        const reference = place(name === "argmax" ? larger : smaller);
        const tied = fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: -1, max: 1 }) },
          { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
        );
        await fc.assert(
          fc.asyncProperty(cases(tied, 1), fc.nat(), async ({ array, keepdims }, choice) => {
            const axis = choice % array.shape.length;
            fc.pre(array.shape[axis]! > 0);
            const found = array.on(device, dtype)[name]({ axis, keepdims });
            const expected = alongAxes(reference, array, [axis], keepdims);
            expect(found.shape).toEqual(expected.shape);
            expect(found.dtype).toBe("int32");
            await expectClose(found, nested(expected));
          }),
          runs,
        );
      },
    );

    it("argmax and argmin without an axis count in row-major order", async () => {
      const x = device.tensor(
        [
          [1, 5],
          [5, -2],
          [0, -2],
        ],
        { dtype },
      );
      await expectClose(x.argmax(), 1);
      await expectClose(x.transpose().argmax(), 1);
      await expectClose(x.argmin(), 3);
      await expectClose(x.transpose().argmin(), 4);
      expect(x.argmax({ keepdims: true }).shape).toEqual([1, 1]);
      await expectClose(device.tensor(3, { dtype }).argmin(), 0);
    });

    it("goes over all axes unless given some, and over none for an empty list", async () => {
      const x = device.tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { dtype },
      );
      await expectClose(x.sum(), 10);
      await expectClose(x.sum({ axis: [] }), [
        [1, 2],
        [3, 4],
      ]);
      await expectClose(x.mean({ axis: [] }), [
        [1, 2],
        [3, 4],
      ]);
      await expectClose(x.max({ keepdims: true }), [[4]]);
      await expectClose(device.tensor(3, { dtype }).sum(), 3);
    });

    it("sums nothing to 0 and multiplies nothing to 1", async () => {
      const x = device.zeros([0, 3], { dtype });
      await expectClose(x.sum(), 0);
      await expectClose(x.sum({ axis: 0 }), [0, 0, 0]);
      await expectClose(x.product({ axis: 0 }), [1, 1, 1]);
      await expectClose(x.sum({ axis: 1 }), []);
      await expectClose(x.max({ axis: 1 }), []);
    });

    it("refuses a largest, smallest or mean element of nothing", () => {
      const x = device.zeros([0, 3], { dtype });
      for (const name of ["max", "min", "mean", "argmax", "argmin"] as const) {
        expect(() => x[name]({ axis: 0 })).toThrow(coded("SHAPE_MISMATCH", `${name}: expected at least one element`));
      }
      expect(() => x.variance({ axis: 0 })).toThrow(coded("BAD_ARGUMENT"));
    });

    it("refuses axes that are out of range, repeated or no whole numbers", () => {
      const x = device.zeros([2, 3], { dtype });
      for (const axis of [2, -3, 0.5, NaN, [0, 2], "0" as never]) {
        expect(() => x.sum({ axis })).toThrow(coded("BAD_ARGUMENT", "sum: expected axis"));
      }
      expect(() => x.sum({ axis: [0, -2] })).toThrow(coded("BAD_ARGUMENT", "distinct"));
      expect(() => x.argmax({ axis: [0, 1] as never })).toThrow(coded("BAD_ARGUMENT", "one axis"));
      expect(() => device.tensor(1).sum({ axis: 0 })).toThrow(coded("BAD_ARGUMENT"));
    });

    it("accumulates in float64", async () => {
      const x = device.tensor([2 ** 24, 1, 1, -(2 ** 24)], { dtype });
      await expectClose(x.sum(), 2);
      await expectClose(x.mean(), 0.5);
    });

    it("reduces a formula of broadcast tensors without forming it", async () => {
      const shape = fc.constant<number[]>([3, 2]);
      await fc.assert(
        fc.asyncProperty(stridedArrays(small, shape), stridedArrays(small, fc.constant([2])), async (a, b) => {
          const f = apply("mul", apply("sub", input(0), input(1)), constant(0.5));
          const found = reduceFormula("sum", f, [a.on(device, dtype), b.on(device, dtype)], { axis: 0 });
          const terms = zipWith((u, v) => (u! - v!) * 0.5, storedArray(dtype, a), storedArray(dtype, b));
          await expectClose(found, nested(alongAxes(sum, terms, [0])), sumTolerance(device, epsilon));
        }),
        { numRuns: 20 },
      );
    });

    it("counts tests in the dtype of the numbers", async () => {
      const x = device.tensor(
        [
          [1, -1],
          [2, 3],
        ],
        { dtype },
      );
      const counted = reduceFormula("sum", apply("greater", input(0), constant(0)), [x], { axis: 0 });
      expect(counted.dtype).toBe(dtype);
      await expectClose(counted, [2, 1]);
    });
  });
});

describe("variance", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it("is the mean squared deviation, divided by n − correction", async () => {
      await fc.assert(
        fc.asyncProperty(cases(small), fc.constantFrom(0, 1, 0.5), async ({ array, axes, keepdims }, correction) => {
          const n = extentOf(array.shape, axes);
          fc.pre(n > correction);
          const found = array.on(device, dtype).variance({ axis: axes, keepdims, correction });
          const deviation = (elements: number[]) => {
            const m = mean(elements);
            return sum(elements.map((v) => (v - m) ** 2)) / (n - correction);
          };
          const expected = alongAxes(deviation, storedArray(dtype, array), axes, keepdims);
          expect(found.shape).toEqual(expected.shape);
          await expectClose(found, nested(expected), { relative: 16 * epsilon, absolute: 16 * epsilon ** 2 });
        }),
        runs,
      );
    });

    it("does not cancel beside a large mean", async () => {
      const x = device.tensor([4096, 4097, 4098, 4099], { dtype });
      await expectClose(x.variance({ correction: 1 }), 5 / 3, { ulps: 1 });
    });

    it("refuses a correction that leaves nothing to divide by", () => {
      const x = device.zeros([3], { dtype });
      expect(() => x.variance({ correction: 3 })).toThrow(coded("BAD_ARGUMENT", "more than 3 elements"));
      expect(() => x.variance({ correction: NaN })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => device.tensor([1, 2], { dtype: "int32" }).variance()).toThrow(coded("DTYPE_MISMATCH"));
    });
  });
});

describe("integer reductions", () => {
  forEachDevice(
    ({ device }) => {
      it.each(["int32", "uint32"] as const)("wrap sums and products of %s, exactly", async (dtype) => {
        const wrap = (v: bigint) => Number(dtype === "int32" ? BigInt.asIntN(32, v) : BigInt.asUintN(32, v));
        const element = dtype === "int32" ? fc.integer() : fc.nat(0xffffffff);
        await fc.assert(
          fc.asyncProperty(fc.array(element, { maxLength: 12 }), async (values) => {
            const x = device.tensor(values, { dtype });
            await expectClose(x.sum(), wrap(values.reduce((total, v) => total + BigInt(v), 0n)));
            await expectClose(x.product(), wrap(values.reduce((total, v) => total * BigInt(v), 1n)));
            let total = 0n;
            await expectClose(
              x.cumsum({ axis: 0 }),
              values.map((v) => wrap((total += BigInt(v)))),
            );
          }),
        );
      });

      it("find the ends of the whole range", async () => {
        const x = device.tensor([0, 2 ** 31, 2 ** 32 - 1, 5], { dtype: "uint32" });
        await expectClose(x.max(), 2 ** 32 - 1);
        await expectClose(x.argmax(), 2);
        await expectClose(x.argmin(), 0);
        const y = device.tensor([5, -(2 ** 31), 2 ** 31 - 1], { dtype: "int32" });
        await expectClose(y.min(), -(2 ** 31));
        await expectClose(y.argmax(), 2);
      });

      it("leave bool its largest and smallest, which say whether any and all hold", async () => {
        const x = device.tensor([
          [true, false],
          [true, true],
        ]);
        const results: Tensor[] = [x.max({ axis: 1 }), x.min({ axis: 1 })];
        expect(results.map((y) => y.dtype)).toEqual(["bool", "bool"]);
        await expectClose(results[0]!, [1, 1]);
        await expectClose(results[1]!, [0, 1]);
        for (const name of ["sum", "mean", "product", "argmax", "variance"] as const) {
          expect(() => x[name]()).toThrow(coded("DTYPE_MISMATCH", "cast it"));
        }
        const both = reduceFormula("max", apply("and", input(0), input(1)), [x, x.not()]);
        expect(both.dtype).toBe("bool");
        await expectClose(both, 0);
      });
    },
    { dtypes: ["float64"] },
  );
});
