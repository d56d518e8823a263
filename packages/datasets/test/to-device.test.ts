import { generator, openDevice, tidy, type Tensor } from "@robgrad/tensor";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import { iris, pushOutliers, toDevice, trainTestSplit } from "../src/index.js";
import { vector } from "./arrays.js";
import { coded } from "./coded.js";

const device = await openDevice("cpu");
const live = device.memory().live;

afterEach(() => {
  expect(device.memory().live).toBe(live);
});

describe("toDevice", () => {
  it("copies a data set: floats as float32, labels as int32, names as they are", async () => {
    const data = toDevice(iris(), device);
    expectTypeOf(data.features).toEqualTypeOf<Tensor>();
    expectTypeOf(data.classNames).toEqualTypeOf<readonly string[]>();
    expect(data.features).toMatchObject({ dtype: "float32", shape: [150, 4] });
    expect(data.labels).toMatchObject({ dtype: "int32", shape: [150] });
    expect(data.classNames).toEqual(iris().classNames);
    expect(await data.features.data()).toEqual(Float32Array.from(iris().features.values));
    expect(await data.labels.data()).toEqual(iris().labels.values);
    data.features.dispose();
    data.labels.dispose();
  });

  it("copies, so that the host array may change afterwards", async () => {
    const x = vector(1, 2);
    const copied = toDevice(x, device, { dtype: "float64" });
    x.values.fill(9);
    expect(await copied.data()).toEqual(Float64Array.of(1, 2));
    copied.dispose();
  });

  it("copies one array, in the dtype asked for", () => {
    tidy(() => {
      const x = toDevice(vector(1, 2), device, { dtype: "float64" });
      expectTypeOf(x).toEqualTypeOf<Tensor>();
      expect(x).toMatchObject({ dtype: "float64", shape: [2] });
      expect(toDevice({ values: Float64Array.of(1), shape: [] }, device)).toMatchObject({ shape: [] });
    });
  });

  it("copies both parts of a split, and arrays that carry rows", () => {
    const g = generator(0);
    const split = trainTestSplit({ x: iris().features, labels: iris().labels }, { trainSize: 100, generator: g });
    const pushed = pushOutliers(split.train.x, { fraction: 0.02, factor: 10, generator: g });
    tidy(() => {
      const { train, test } = toDevice(split, device);
      expectTypeOf(train.x).toEqualTypeOf<Tensor>();
      expect(train.x).toMatchObject({ shape: [100, 4] });
      expect(test.labels).toMatchObject({ dtype: "int32", shape: [50] });
      const dirty = toDevice({ ...split.train, x: pushed }, device);
      expectTypeOf(dirty.x).toEqualTypeOf<Tensor>();
      expect(dirty.x).toMatchObject({ shape: [100, 4] });
    });
  });

  it("names the array, row and column of a value that is not finite", () => {
    const x = { values: Float64Array.of(1, 2, NaN, 4), shape: [2, 2] };
    expect(() => toDevice({ x }, device)).toThrow(
      coded("BAD_DATA", "toDevice: expected values finite in float32, found NaN in data.x, row 1, column 0"),
    );
    expect(() => toDevice({ x: vector(1e39) }, device)).toThrow(coded("BAD_DATA", "found 1e+39 in data.x, row 0"));
    tidy(() => {
      expect(toDevice({ x: vector(1e39) }, device, { dtype: "float64" }).x).toMatchObject({ dtype: "float64" });
    });
  });

  it("copies nothing of a record with a bad array in it", () => {
    expect(() => toDevice({ x: vector(1, 2), y: vector(3, NaN) }, device)).toThrow(coded("BAD_DATA", "data.y, row 1"));
    expect(device.memory().live).toBe(live);
  });

  it("refuses what it cannot copy", () => {
    const short = { values: Int32Array.of(1, 2), shape: [3] };
    expect(() => toDevice({ x: short }, device)).toThrow(coded("SHAPE_MISMATCH", "toDevice: data.x"));
    expect(() => toDevice({ x: [1, 2, 3] }, device)).toThrow(coded("BAD_ARGUMENT", "expected data.x to be"));
    expect(() => toDevice({ x: new Float32Array(3) }, device)).toThrow(coded("BAD_ARGUMENT", "found Float32Array(3)"));
    expect(() => toDevice({ x: { values: new Float32Array(3), shape: [3] } }, device)).toThrow(
      coded("BAD_ARGUMENT", "found { values: Float32Array(3), … }"),
    );
    // @ts-expect-error: not a floating dtype
    expect(() => toDevice(vector(1), device, { dtype: "int32" })).toThrow(coded("BAD_ARGUMENT", 'found "int32"'));
  });
});
