import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { broadcastPairs, expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";

describe("expectClose", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    const one = () => device.tensor([1 + epsilon, 2], { dtype });

    it("accepts equal numbers, NaN and both zeros without a tolerance", async () => {
      const x = device.tensor(
        [
          [1, NaN],
          [-0, Infinity],
        ],
        { dtype, allowNonFinite: true },
      );
      await expectClose(x, [
        [1, NaN],
        [0, Infinity],
      ]);
    });

    it("counts units in the last place of the dtype", async () => {
      await expectClose(one(), [1, 2], { ulps: 1 });
      await expect(expectClose(one(), [1, 2])).rejects.toThrow(/at \[0\]/);
      await expect(expectClose(device.tensor([1 + 2 * epsilon], { dtype }), [1], { ulps: 1 })).rejects.toThrow(
        /instead of 1/,
      );
    });

    it("refuses other shapes, NaN for a number and infinities of the other sign", async () => {
      await expect(expectClose(one(), [[1, 2]], { absolute: 9 })).rejects.toThrow(/entries/);
      await expect(expectClose(one(), 1, { absolute: 9 })).rejects.toThrow(/a number/);
      await expect(expectClose(one(), [1, 2, 3], { absolute: 9 })).rejects.toThrow(/3 entries/);
      await expect(expectClose(one(), [NaN, 2], { absolute: 9 })).rejects.toThrow(/instead of NaN/);
      const infinite = device.tensor([Infinity], { dtype, allowNonFinite: true });
      await expect(expectClose(infinite, [-Infinity], { absolute: Infinity })).rejects.toThrow(/-Infinity/);
    });
  });
});

describe("stridedArrays", () => {
  forEachDevice(({ device, dtype }) => {
    it("lays the same elements out with gaps, exchanged and repeated axes", async () => {
      let dense = 0;
      let strided = 0;
      await fc.assert(
        fc.asyncProperty(stridedArrays(), async (array) => {
          const x = array.on(device, dtype);
          if (x.rowMajor) dense++;
          else strided++;
          expect(x.shape).toEqual(array.shape);
          await expectClose(x, array.nested);
        }),
      );
      expect(Math.min(dense, strided)).toBeGreaterThan(5);
    });
  });
});

describe("broadcastPairs", () => {
  it("gives shapes that align at the end with extents equal or 1", () => {
    fc.assert(
      fc.property(broadcastPairs(), ({ a, b, shape }) => {
        for (let k = 1; k <= shape.length; k++) {
          const [p, q, r] = [a, b, shape].map((s) => s[s.length - k] ?? 1);
          expect(p === q || p === 1 || q === 1).toBe(true);
          expect(r).toBe(p === 1 ? q : p);
        }
        expect(Math.max(a.length, b.length)).toBeLessThanOrEqual(shape.length);
      }),
    );
  });
});

describe("shapes", () => {
  it("keeps to its bounds and makes empty ones", () => {
    const drawn = fc.sample(shapes({ maxRank: 3, maxExtent: 2, minRank: 1 }), 300);
    expect(drawn.some((shape) => shape.includes(0))).toBe(true);
    for (const shape of drawn) {
      expect(shape.length).toBeGreaterThanOrEqual(1);
      expect(shape.length).toBeLessThanOrEqual(3);
      expect(Math.max(...shape)).toBeLessThanOrEqual(2);
    }
  });
});
