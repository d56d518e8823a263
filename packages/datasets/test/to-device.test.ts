import type { Device, Tensor } from "@robgrad/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { iris, pushOutliers, toDevice, trainTestSplit } from "../src/index.js";
import { integers, matrix, vector } from "./arrays.js";
import { coded } from "./coded.js";
import { generator } from "./host-generator.js";

/** Records what it is given. */
const device = { tensor: (values: unknown, options: object) => ({ values, ...options }) } as unknown as Device;

describe("toDevice", () => {
  it("copies a data set: floats as float32, labels as int32, names as they are", () => {
    const data = toDevice(iris(), device);
    expectTypeOf(data.features).toEqualTypeOf<Tensor>();
    expectTypeOf(data.classNames).toEqualTypeOf<readonly string[]>();
    expect(data.features).toMatchObject({ dtype: "float32", shape: [150, 4] });
    expect(data.labels).toMatchObject({ dtype: "int32", shape: [150] });
    expect(data.classNames).toEqual(iris().classNames);
  });

  it("copies one array, in the dtype asked for", () => {
    const x = toDevice(vector(1, 2), device, { dtype: "float64" });
    expectTypeOf(x).toEqualTypeOf<Tensor>();
    expect(x).toMatchObject({ dtype: "float64", shape: [2] });
    expect(toDevice({ values: Float64Array.of(1), shape: [] }, device)).toMatchObject({ shape: [] });
  });

  it("copies both parts of a split, and arrays that carry rows", () => {
    const split = trainTestSplit(
      { x: iris().features, labels: iris().labels },
      { trainSize: 100, generator: generator(0) },
    );
    const { train, test } = toDevice(split, device);
    expectTypeOf(train.x).toEqualTypeOf<Tensor>();
    expect(train.x).toMatchObject({ shape: [100, 4] });
    expect(test.labels).toMatchObject({ dtype: "int32", shape: [50] });
    const dirty = toDevice(
      { ...split.train, x: pushOutliers(split.train.x, { fraction: 0.02, factor: 10, generator: generator(1) }) },
      device,
    );
    expectTypeOf(dirty.x).toEqualTypeOf<Tensor>();
    expect(dirty.x).toMatchObject({ shape: [100, 4] });
  });

  it("names the array, row and column of a value that is not finite", () => {
    expect(() =>
      toDevice(
        {
          x: matrix([
            [1, 2],
            [NaN, 4],
          ]),
        },
        device,
      ),
    ).toThrow(coded("BAD_DATA", "toDevice: expected values finite in float32, found NaN in data.x, row 1, column 0"));
    expect(() => toDevice({ x: vector(1e39) }, device)).toThrow(coded("BAD_DATA", "found 1e+39 in data.x, row 0"));
    expect(toDevice({ x: vector(1e39) }, device, { dtype: "float64" }).x).toMatchObject({ dtype: "float64" });
  });

  it("refuses what it cannot copy", () => {
    expect(() => toDevice({ x: { values: integers(1, 2).values, shape: [3] } }, device)).toThrow(
      coded("SHAPE_MISMATCH", "toDevice: data.x"),
    );
    expect(() => toDevice({ x: [1, 2, 3] }, device)).toThrow(coded("BAD_ARGUMENT", "expected data.x to be"));
    expect(() => toDevice({ x: new Float32Array(3) }, device)).toThrow(coded("BAD_ARGUMENT", "found Float32Array(3)"));
    expect(() => toDevice({ x: { values: new Float32Array(3), shape: [3] } }, device)).toThrow(
      coded("BAD_ARGUMENT", "found { values: Float32Array(3), … }"),
    );
    // @ts-expect-error: not a floating dtype
    expect(() => toDevice(vector(1), device, { dtype: "int32" })).toThrow(coded("BAD_ARGUMENT", 'found "int32"'));
  });
});
