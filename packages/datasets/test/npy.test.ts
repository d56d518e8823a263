import { readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { readNpy, type HostArray } from "../src/index.js";
import { coded } from "./coded.js";

const file = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}.npy`, import.meta.url));

/** A file of version 1 with this header and body. */
const npy = (header: string, body: ArrayLike<number> = []): Uint8Array =>
  Uint8Array.from([
    0x93,
    ...Buffer.from("NUMPY"),
    1,
    0,
    header.length & 255,
    header.length >> 8,
    ...Buffer.from(header),
    ...Array.from(body),
  ]);

describe("readNpy", () => {
  it.each(["little-f4", "little-f8", "big-f8"])("reads floats (%s) as float64", (name) => {
    const { values, shape } = readNpy(file(`ramp-${name}`));
    expect(values).toEqual(Float64Array.of(-1, -0.5, 0, 0.5, 1, 1.5));
    expect(shape).toEqual([2, 3]);
  });

  it.each(["little-i2", "little-i4", "little-i8", "big-i4"])("reads signed integers (%s) as int32", (name) => {
    expect(readNpy(file(`ramp-${name}`))).toEqual({ values: Int32Array.of(-2, -1, 0, 1, 2, 3), shape: [2, 3] });
  });

  it.each(["u1", "little-u2", "little-u4", "little-u8"])("reads unsigned integers (%s) as int32", (name) => {
    expect(readNpy(file(`ramp-${name}`))).toEqual({ values: Int32Array.of(0, 1, 2, 3, 4, 5), shape: [2, 3] });
  });

  it("reads booleans as 0 and 1", () => {
    expect(readNpy(file("bool"))).toEqual({ values: Int32Array.of(0, 0, 0, 1, 1, 1), shape: [2, 3] });
  });

  it("turns Fortran order into rows", () => {
    expect(readNpy(file("fortran"))).toEqual({ values: Float64Array.from(Array(24).keys()), shape: [2, 3, 4] });
  });

  it.each(["version-2", "version-3"])("reads format %s", (name) => {
    expect(readNpy(file(name)).values).toEqual(Float64Array.of(-1, -0.5, 0, 0.5, 1, 1.5));
  });

  it("reads vectors, scalars and arrays without elements", () => {
    expect(readNpy(file("vector"))).toEqual({ values: Int32Array.of(3, 1, 2), shape: [3] });
    expect(readNpy(file("scalar"))).toEqual({ values: Float64Array.of(2.5), shape: [] });
    expect(readNpy(file("empty"))).toEqual({ values: new Float64Array(0), shape: [0, 4] });
  });

  it("reads an ArrayBuffer and a view into a larger one", () => {
    const bytes = file("vector");
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 3);
    expect(readNpy(larger.subarray(3, 3 + bytes.length)).values).toEqual(Int32Array.of(3, 1, 2));
    expect(readNpy(Uint8Array.from(bytes).buffer).values).toEqual(Int32Array.of(3, 1, 2));
  });

  it("gives the kind of array that is asked for", () => {
    const features = readNpy(file("ramp-u1"), { as: "floating" });
    expectTypeOf(features).toEqualTypeOf<HostArray>();
    expect(features.values).toEqual(Float64Array.of(0, 1, 2, 3, 4, 5));
    expect(readNpy(file("fortran"), { as: "integer" }).values).toBeInstanceOf(Int32Array);
    expect(() => readNpy(file("ramp-little-f4"), { as: "integer", file: "y.npy" })).toThrow(
      coded("BAD_DATA", "y.npy, row 0, column 1: expected an integer within int32"),
    );
  });

  it("names the place of a value that is not finite or does not fit", () => {
    expect(() => readNpy(file("nan"), { file: "x.npy" })).toThrow(
      coded("BAD_DATA", "x.npy, row 1, column 1: expected a finite number, found NaN"),
    );
    expect(() => readNpy(file("beyond-int32"))).toThrow(
      coded("BAD_DATA", /^npy, row 1: expected an integer within int32 .*found 1099511627776$/),
    );
    expect(readNpy(file("beyond-int32"), { as: "floating" }).values[1]).toBe(2 ** 40);
  });

  it.each([
    ["complex", "<c16"],
    ["half", "<f2"],
  ])("refuses %s numbers", (name, descr) => {
    expect(() => readNpy(file(name))).toThrow(
      coded("BAD_DATA", `expected a dtype among f4, f8, i1 … i8, u1 … u8 and bool, found "${descr}"`),
    );
  });

  it("refuses structures and headers it does not know", () => {
    expect(() => readNpy(file("structure"))).toThrow(coded("BAD_DATA", "expected a header with a plain dtype"));
    expect(() => readNpy(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"))).toThrow(
      coded("BAD_DATA", 'found "|O"'),
    );
    expect(() => readNpy(npy("{'descr': '<f8', 'fortran_order': False}"))).toThrow(
      coded("BAD_DATA", "expected a header"),
    );
    expect(() =>
      readNpy(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }")),
    ).toThrow(coded("BAD_DATA", "as many bytes"));
  });

  it("refuses other bytes, and a file cut short at any place", () => {
    expect(() => readNpy(new TextEncoder().encode("a,b\n1,2\n1,2\n1,2\n"), { file: "x.csv" })).toThrow(
      coded("BAD_DATA", "x.csv: expected a .npy file"),
    );
    const whole = file("ramp-little-f8");
    for (let length = 0; length < whole.length; length++) {
      expect(() => readNpy(whole.subarray(0, length))).toThrow(coded("BAD_DATA", "expected"));
    }
    expect(() => readNpy(Uint8Array.from([...whole, 0]))).toThrow(coded("BAD_DATA", "found 49 ≠ 48"));
    expect(() => readNpy(Uint8Array.from(whole, (byte, k) => (k === 6 ? 9 : byte)))).toThrow(
      coded("BAD_DATA", "expected .npy format 1, 2 or 3, found 9"),
    );
    // @ts-expect-error: not a kind of array
    expect(() => readNpy(whole, { as: "float" })).toThrow(coded("BAD_ARGUMENT", 'found "float"'));
    // @ts-expect-error: not bytes
    expect(() => readNpy("x.npy")).toThrow(
      coded("BAD_ARGUMENT", 'expected a Uint8Array or an ArrayBuffer, found "x.npy"'),
    );
  });
});
