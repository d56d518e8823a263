import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostValues } from "@robgrad/tensor";
import { expectClose, forEachDevice, shapes } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { hostArray, nested } from "../reference.js";

describe("device.tensor", () => {
  forEachDevice(
    ({ device }) => {
      it("takes nested arrays of any depth", async () => {
        await fc.assert(
          fc.asyncProperty(shapes(), fc.infiniteStream(fc.integer({ min: -9, max: 9 })), async (shape, draws) => {
            fc.pre(!shape.includes(0) || shape.indexOf(0) === shape.length - 1);
            const array = hostArray(shape, () => draws.next().value as number);
            const x = device.tensor(nested(array));
            expect(x.shape).toEqual(shape);
            expect(x.dtype).toBe("float32");
            await expectClose(x, nested(array));
          }),
        );
      });

      it("infers bool from booleans and the dtype of typed arrays, else float32", () => {
        const inferred = (values: HostValues) => device.tensor(values).dtype;
        expect(inferred([1, 2])).toBe("float32");
        expect(inferred(1)).toBe("float32");
        expect(inferred([])).toBe("float32");
        expect(inferred(true)).toBe("bool");
        expect(inferred([[true], [false]])).toBe("bool");
        expect(inferred([true, 2])).toBe("float32");
        expect(inferred(new Float64Array(2))).toBe("float64");
        expect(inferred(new Float32Array(2))).toBe("float32");
        expect(inferred(new Int32Array(2))).toBe("int32");
        expect(inferred(new Uint32Array(2))).toBe("uint32");
        expect(inferred(new Uint8Array(2))).toBe("float32");
        expect(inferred([new Float64Array(2), new Float64Array(2)])).toBe("float64");
        expect(inferred([new Float64Array(1), [2]])).toBe("float32");
      });

      it("takes flat values with a shape", async () => {
        await expectClose(device.tensor([1, 2, 3, 4], { shape: [2, 2] }), [
          [1, 2],
          [3, 4],
        ]);
        await expectClose(device.tensor(new Float64Array([1, 2]), { shape: [2, 1], dtype: "int32" }), [[1], [2]]);
        await expectClose(device.tensor(5, { shape: [1, 1] }), [[5]]);
        await expectClose(device.tensor([], { shape: [0, 3] }), []);
      });

      it("copies: later changes of the host values do not show", async () => {
        const values = new Float32Array([1, 2]);
        const shape = [2];
        const x = device.tensor(values, { shape });
        values[0] = 9;
        shape[0] = 1;
        await expectClose(x, [1, 2]);
      });

      it("refuses ragged values", () => {
        const ragged: HostValues[] = [
          [[1, 2], [3]],
          [1, [2]],
          [[1], 2],
          [[], [1]],
          [[[]], []],
          [[1], new Float32Array(2)],
        ];
        for (const values of ragged) expect(() => device.tensor(values)).toThrow(coded("SHAPE_MISMATCH", "ragged"));
      });

      it("refuses shapes with another number of elements", () => {
        expect(() => device.tensor([1, 2, 3], { shape: [2] })).toThrow(
          coded("SHAPE_MISMATCH", "expected 2 values for shape [2], found 3"),
        );
        expect(() => device.tensor([[1, 2]], { shape: [2, 1] })).toThrow(
          coded("SHAPE_MISMATCH", "nested arrays of shape [1, 2]"),
        );
        expect(() => device.tensor([1], { shape: [-1] })).toThrow(coded("BAD_ARGUMENT", "shape"));
        expect(() => device.tensor([1], { shape: 1 as never })).toThrow(coded("BAD_ARGUMENT", "shape"));
      });

      it("names the first element that is NaN, infinite or out of the dtype's range", () => {
        expect(() =>
          device.tensor([
            [1, 2],
            [3, NaN],
          ]),
        ).toThrow(coded("BAD_DATA", "found NaN at [1, 1]"));
        expect(() => device.tensor(-Infinity)).toThrow(coded("BAD_DATA", "found -Infinity at []"));
        expect(() => device.tensor(new Float64Array([0, 0, 0, NaN]), { shape: [2, 2] })).toThrow(
          coded("BAD_DATA", "[1, 1]; pass allowNonFinite"),
        );
        expect(() => device.tensor([0, 1e39])).toThrow(
          coded("BAD_DATA", "in the range of float32, found 1e+39 at [1]"),
        );
        expect(device.tensor([1e39], { dtype: "float64" }).size).toBe(1);
        expect(() => device.tensor([[0.5]], { dtype: "int32" })).toThrow(
          coded("BAD_DATA", "whole numbers in the range of int32, found 0.5 at [0, 0]"),
        );
        expect(() => device.tensor([2 ** 31], { dtype: "int32" })).toThrow(coded("BAD_DATA"));
        expect(() => device.tensor([-1], { dtype: "uint32" })).toThrow(coded("BAD_DATA", "uint32"));
        expect(() => device.tensor([NaN], { dtype: "int32", allowNonFinite: true })).toThrow(
          coded("BAD_DATA", "finite"),
        );
        expect(() => device.tensor([NaN], { dtype: "bool" })).toThrow(coded("BAD_DATA"));
      });

      it("takes NaN and infinities where that is meant", async () => {
        await expectClose(device.tensor([NaN, Infinity], { allowNonFinite: true }), [NaN, Infinity]);
      });

      it("holds bools as 0 and 1, whatever numbers they were", async () => {
        await expectClose(device.tensor([0, 2, -0.5], { dtype: "bool" }), [0, 1, 1]);
        expect(await device.tensor([true]).data()).toEqual(new Uint8Array([1]));
      });

      it("refuses what holds no numbers", () => {
        const foreign = [
          null,
          undefined,
          "12",
          ["a"],
          [1, null],
          {},
          [{}],
          3n,
          [3n],
          new BigInt64Array(1),
          new Int8Array(1),
          new Map(),
          () => 1,
          Symbol("x"),
          new Array<number>(2),
        ];
        for (const values of foreign)
          expect(() => device.tensor(values as never)).toThrow(coded("BAD_ARGUMENT", "tensor: expected"));
        expect(() => device.tensor([1], { dtype: "double" as never })).toThrow(coded("BAD_ARGUMENT", "found double"));
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("constant tensors", () => {
  forEachDevice(({ device, dtype }) => {
    it("are zeros, ones and any number, in any dtype", async () => {
      await expectClose(device.zeros([2, 2], { dtype }), [
        [0, 0],
        [0, 0],
      ]);
      await expectClose(device.ones([], { dtype }), 1);
      await expectClose(device.full([3], 0.25, { dtype }), [0.25, 0.25, 0.25]);
      await expectClose(device.full([1], NaN, { dtype }), [NaN]);
      await expectClose(device.full([0, 2], 1, { dtype }), []);
      for (const integer of ["int32", "uint32", "bool"] as const)
        await expectClose(device.ones([2], { dtype: integer }), [1, 1]);
      await expectClose(device.full([1], 2 ** 32 - 1, { dtype: "uint32" }), [2 ** 32 - 1]);
      expect(device.zeros([1]).dtype).toBe("float32");
    });

    it("refuse shapes, numbers and dtypes that are none", () => {
      for (const shape of [
        [-1],
        [1.5],
        [NaN],
        [Infinity],
        3 as never,
        undefined as never,
        "3" as never,
        [[2]] as never,
      ]) {
        expect(() => device.zeros(shape, { dtype })).toThrow(coded("BAD_ARGUMENT", "expected a shape"));
      }
      expect(() => device.full([1], "1" as never, { dtype })).toThrow(coded("BAD_ARGUMENT", "found string"));
      expect(() => device.full([1], 0.5, { dtype: "int32" })).toThrow(coded("BAD_ARGUMENT", "int32, found 0.5"));
      expect(() => device.full([1], NaN, { dtype: "uint32" })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => device.full([1], 2, { dtype: "bool" })).toThrow(coded("BAD_ARGUMENT", "0 or 1"));
      expect(() => device.zeros([1], { dtype: "int8" as never })).toThrow(coded("BAD_ARGUMENT", "found int8"));
    });
  });
});

describe("eye", () => {
  forEachDevice(({ device, dtype }) => {
    it("has ones on the diagonal", async () => {
      await expectClose(device.eye(2, 3, { dtype }), [
        [1, 0, 0],
        [0, 1, 0],
      ]);
      await expectClose(device.eye(2, undefined, { dtype }), [
        [1, 0],
        [0, 1],
      ]);
      await expectClose(device.eye(2, 2, { dtype: "bool" }), [
        [1, 0],
        [0, 1],
      ]);
      expect(device.eye(0).shape).toEqual([0, 0]);
      expect(() => device.eye(-1)).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});

describe("arange", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it("counts from start below stop", async () => {
      await expectClose(device.arange(4, { dtype }), [0, 1, 2, 3]);
      await expectClose(device.arange(2, { start: -1, step: 0.75, dtype }), [-1, -0.25, 0.5, 1.25]);
      await expectClose(device.arange(0, { start: 3, dtype }), []);
      await expectClose(device.arange(-1, { start: 3, step: -2, dtype }), [3, 1]);
      await expectClose(device.arange(5, { start: 2, dtype: "int32" }), [2, 3, 4]);
      await expectClose(
        device.arange(1, { step: 0.1, dtype }),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => i * 0.1),
        { relative: epsilon },
      );
    });

    it("refuses steps and bounds that lead nowhere", () => {
      for (const options of [{ step: 0 }, { step: NaN }, { start: Infinity }]) {
        expect(() => device.arange(3, { ...options, dtype })).toThrow(coded("BAD_ARGUMENT", "arange: expected finite"));
      }
      expect(() => device.arange(NaN)).toThrow(coded("BAD_ARGUMENT"));
      expect(() => device.arange(3, { step: 0.5, dtype: "int32" })).toThrow(coded("BAD_ARGUMENT", "whole step"));
      expect(() => device.arange(3, { start: -1, dtype: "uint32" })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => device.arange(3, { dtype: "bool" })).toThrow(coded("DTYPE_MISMATCH", "numeric"));
    });
  });
});

describe("linspace", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    it("has both ends exactly and equal steps between", async () => {
      const x = device.linspace(0.1, 0.7, 7, { dtype });
      await expectClose(
        x,
        [1, 2, 3, 4, 5, 6, 7].map((i) => i / 10),
        { relative: 2 * epsilon },
      );
      const ends = dtype === "float32" ? [0.1, 0.7].map(Math.fround) : [0.1, 0.7];
      await expectClose(x.slice([0, 1]), [ends[0]!]);
      await expectClose(x.slice([-1]), [ends[1]!]);
      await expectClose(device.linspace(3, 9, 1, { dtype }), [3]);
      await expectClose(device.linspace(1, -1, 3, { dtype }), [1, 0, -1]);
    });

    it("refuses counts and ends that are none", () => {
      for (const count of [0, -1, 1.5, NaN])
        expect(() => device.linspace(0, 1, count)).toThrow(coded("BAD_ARGUMENT", "count"));
      expect(() => device.linspace(0, Infinity, 3)).toThrow(coded("BAD_ARGUMENT", "finite"));
      expect(() => device.linspace(0, 1, 3, { dtype: "bool" })).toThrow(coded("DTYPE_MISMATCH"));
    });
  });
});
