import fc from "fast-check";
import { openDevice } from "@robgrad/tensor";
import { describe, expect, it } from "vitest";
import { composeLayouts, composeOperand, isWhole } from "../../src/kernel/compose.js";
import { rowMajorStrides, type Layout } from "../../src/layout.js";

/** Places of all elements of a layout, row by row. */
function places({ shape, strides, offset }: Layout): number[] {
  let all = [offset];
  shape.forEach((extent, axis) => {
    all = all.flatMap((place) => Array.from({ length: extent }, (_, i) => place + i * (strides[axis] as number)));
  });
  return all;
}

const extents = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 3 });
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A layout within `size` elements. */
const layoutWithin = (size: number) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 6 })), { maxLength: 3 })
    .map((axes): Layout => ({ shape: axes.map(([n]) => n), strides: axes.map(([, s]) => s), offset: 0 }))
    .filter((layout) => Math.max(...places(layout)) < size)
    .chain((layout) =>
      fc.integer({ min: 0, max: size - 1 - Math.max(...places(layout)) }).map((offset) => ({ ...layout, offset })),
    );

const cases = extents.chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    layoutWithin(sizeOf(shape)),
    fc.tuple(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: shape.length, maxLength: shape.length }),
      fc.integer({ min: 0, max: 5 }),
      fc.boolean(),
    ),
  ),
);

describe("composeLayouts", () => {
  it("finds every element where one layout after the other finds it, or says that there is none", () => {
    let found = 0;
    fc.assert(
      fc.property(cases, ([shape, outer, [free, offset, dense]]) => {
        const inner = { shape, strides: dense ? rowMajorStrides(shape) : free, offset };
        const composed = composeLayouts(outer, shape, inner);
        if (composed === null) return;
        found++;
        const table = places(inner);
        expect(composed.shape).toEqual(outer.shape);
        expect(places(composed)).toEqual(places(outer).map((e) => table[e]));
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(500);
  });

  it("always finds a row-major inner layout", () => {
    fc.assert(
      fc.property(cases, ([shape, outer]) => {
        expect(composeLayouts(outer, shape, { strides: rowMajorStrides(shape), offset: 0 })).not.toBeNull();
      }),
    );
  });
});

describe("composeOperand", () => {
  it("keeps an index where one axis counts it, and nothing else", async () => {
    const device = await openDevice("cpu");
    const x = device.zeros([3, 4]);
    const whole = { ...x, shape: x.shape, strides: x.strides, offset: 0, storage: x.storage, dtype: x.dtype };
    expect(composeOperand(whole, [3, 4], { axis: 1 })).toEqual({ axis: 1 });
    expect(composeOperand({ ...whole, shape: [4, 3], strides: [1, 4] }, [3, 4], { axis: 1 })).toEqual({ axis: 0 });
    expect(composeOperand({ ...whole, shape: [12], strides: [1] }, [3, 4], { axis: 1 })).toBeNull();
    expect(composeOperand({ ...whole, shape: [3, 3], strides: [4, 1], offset: 1 }, [3, 4], { axis: 1 })).toBeNull();
    device.dispose();
  });
});

describe("isWhole", () => {
  it("holds for all elements in row-major order", async () => {
    const device = await openDevice("cpu");
    const x = device.zeros([2, 3]);
    expect(isWhole(x)).toBe(true);
    expect(isWhole(x.reshape([1, 6]))).toBe(true);
    expect(isWhole(x.transpose())).toBe(false);
    expect(isWhole(x.slice([0, 1]))).toBe(false);
    device.dispose();
  });
});
