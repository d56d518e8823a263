import { describe, expect, it } from "vitest";
import { ArrayPool } from "../../src/device/cpu/buffer.js";

describe("ArrayPool", () => {
  it("gives back what it was given, by dtype and length", () => {
    const pool = new ArrayPool();
    const values = pool.take("float64", 4);
    expect(values).toEqual(new Float64Array(4));
    pool.give({ dtype: "float64", values });
    expect(pool.take("float32", 4)).toEqual(new Float32Array(4));
    expect(pool.take("float64", 5)).toHaveLength(5);
    expect(pool.take("float64", 4)).toBe(values);
    expect(pool.take("float64", 4)).not.toBe(values);
  });

  it("keeps no more than it may, and nothing once it is cleared", () => {
    const pool = new ArrayPool();
    const huge = new Float64Array(2 ** 22);
    pool.give({ dtype: "float64", values: huge });
    expect(pool.take("float64", 2 ** 22) === huge).toBe(false);
    const kept = Array.from({ length: 3 }, () => new Float64Array(2 ** 20 + 2 ** 19));
    for (const values of kept) pool.give({ dtype: "float64", values });
    expect(kept.indexOf(pool.take("float64", kept[0]!.length) as Float64Array<ArrayBuffer>)).toBe(2);
    expect(kept.indexOf(pool.take("float64", kept[0]!.length) as Float64Array<ArrayBuffer>)).toBe(-1);
    const small = new Uint8Array(0);
    pool.give({ dtype: "bool", values: small });
    pool.clear();
    expect(pool.take("bool", 0)).not.toBe(small);
  });
});
