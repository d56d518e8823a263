import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generator, type DeviceRandom, type Generator } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { threefry } from "../src/random/threefry.js";
import { coded } from "./coded.js";

describe("threefry", () => {
  // Random123 1.14, tests/kat_vectors, threefry2x32 with 20 rounds.
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("gives the known answer for key %j and counter %j", (key, counter, expected) => {
    const out = new Uint32Array(2);
    threefry(key[0], key[1], counter[0], counter[1], out);
    expect([...out]).toEqual(expected);
  });
});

const average = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length;

describe("generator", () => {
  it("depends on the seed and on the order of draws alone", () => {
    const draws = (g: Generator) => [g.uniform([3]).values, g.permutation(5), g.normal([2, 2]).values, g.bits(2)];
    expect(draws(generator(3))).toEqual(draws(generator(3)));
    const [first] = draws(generator(3));
    expect(generator(4).uniform([3]).values).not.toEqual(first);
    const g = generator(3);
    g.permutation(1000);
    expect(g.uniform([3]).values).not.toEqual(first);
    const h = generator(3);
    h.bits(1);
    expect(h.uniform([3])).toEqual(
      (() => {
        const other = generator(3);
        other.normal([50]);
        return other.uniform([3]);
      })(),
    );
  });

  it("tells seeds apart in all their 53 bits", () => {
    const seeds = [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
    const words = seeds.map((seed) => generator(seed).bits(4).join());
    expect(new Set(words).size).toBe(seeds.length);
  });

  it("has uniform draws in [low, high) with the moments they should have", () => {
    const { values, shape } = generator(1).uniform([200, 100], { low: -1, high: 3 });
    expect(shape).toEqual([200, 100]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
    // Standard errors: 4/√12/√20000 = 0.008 and 0.0085; five of them.
    expect(Math.abs(average(values) - 1)).toBeLessThan(0.04);
    expect(Math.abs(average(values.map((v) => (v - 1) ** 2)) - 16 / 12)).toBeLessThan(0.045);
  });

  it("has normal draws with the moments they should have", () => {
    const { values } = generator(2).normal([20000], { mean: 3, standardDeviation: 2 });
    const z = values.map((v) => (v - 3) / 2);
    expect(Math.abs(average(z))).toBeLessThan(0.035);
    expect(Math.abs(average(z.map((v) => v ** 2)) - 1)).toBeLessThan(0.05);
    expect(Math.abs(average(z.map((v) => v ** 3)))).toBeLessThan(0.14);
    expect(Math.abs(average(z.map((v) => v ** 4)) - 3)).toBeLessThan(0.35);
  });

  it("has neighbouring draws and words that are not correlated", () => {
    const g = generator(5);
    const a = g.normal([20000]).values;
    const b = g.normal([20000]).values;
    const c = g.split().normal([20000]).values;
    const correlation = (u: Float64Array, v: Float64Array) => average(u.map((x, i) => x * v[i]!));
    for (const [u, v] of [
      [a, b],
      [a, c],
      [b, c],
      [a, a.map((_, i) => a[(i + 1) % a.length]!)],
    ] as const) {
      expect(Math.abs(correlation(u, v))).toBeLessThan(0.036);
    }
  });

  it("permutes: every number below n once, in every order for small n", () => {
    for (const n of [0, 1, 2, 150]) {
      const places = generator(n).permutation(n);
      expect(places).toBeInstanceOf(Int32Array);
      expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    const g = generator(0);
    const orders = new Map<string, number>();
    for (let k = 0; k < 1200; k++) {
      const order = g.permutation(3).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 200)).toBeLessThan(65);
  });

  it("splits into generators that differ from it and from one another, without a draw of its own", () => {
    const g = generator(9);
    const children = [g.split(), g.split(), g.split().split()];
    expect(g.bits(4)).toEqual(generator(9).bits(4));
    const words = [generator(9), ...children].map((child) => child.bits(4).join());
    expect(new Set(words).size).toBe(4);
    expect(generator(9).split().bits(4).join()).toBe(words[1]);
  });

  it("refuses seeds, shapes and parameters that are none", () => {
    for (const seed of [-1, 0.5, NaN, 2 ** 53, "1" as never, undefined as never]) {
      expect(() => generator(seed)).toThrow(coded("BAD_ARGUMENT", "generator: expected seed"));
    }
    const g = generator(0);
    expect(() => g.uniform([-1])).toThrow(coded("BAD_ARGUMENT"));
    expect(() => g.permutation(1.5)).toThrow(coded("BAD_ARGUMENT"));
    expect(() => g.bits(-1)).toThrow(coded("BAD_ARGUMENT"));
    expect(() => g.uniform([1], { low: 1, high: 0 })).toThrow(coded("BAD_ARGUMENT", "low ≤ high"));
    expect(() => g.uniform([1], { low: NaN })).toThrow(coded("BAD_ARGUMENT"));
    expect(() => g.normal([1], { standardDeviation: -1 })).toThrow(coded("BAD_ARGUMENT"));
    expect(() => g.normal([1], { mean: Infinity })).toThrow(coded("BAD_ARGUMENT"));
    expect(g.bits(2)).toEqual(generator(0).bits(2));
  });
});

describe("device.rng", () => {
  forEachDevice(({ device, dtype }) => {
    const using = async (rng: DeviceRandom, work: (rng: DeviceRandom) => Promise<void>) => {
      await work(rng);
      rng.dispose();
    };

    it("draws the bits of the generator with its seed, after splits as well", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.maxSafeNat(),
          fc.array(fc.constantFrom("bits", "permutation", "split"), { maxLength: 5 }),
          async (seed, plan) => {
            let host = generator(seed);
            let rng = device.rng(seed);
            const opened = [rng];
            for (const step of plan) {
              if (step === "bits") expect(await rng.bits([2, 3]).data()).toEqual(host.bits(6));
              else if (step === "permutation") expect(await rng.permutation(7).data()).toEqual(host.permutation(7));
              else {
                host = host.split();
                opened.push((rng = rng.split()));
              }
            }
            expect(await rng.bits([3]).data()).toEqual(host.bits(3));
            for (const one of opened) one.dispose();
          },
        ),
        { numRuns: 20 },
      );
    });

    it("draws the host's uniform and normal numbers, to the last bit in float64 on cpu", async () => {
      await using(device.rng(11), async (rng) => {
        const host = generator(11);
        const uniform = { low: -2, high: 5 };
        const normal = { mean: 1, standardDeviation: 3 };
        const tolerance = dtype === "float64" ? {} : { absolute: 4e-6 };
        // The bits are the same everywhere; logarithm and cosine are each device's own.
        const close = dtype === "float64" && device.name !== "cpu" ? { absolute: 1e-14 } : tolerance;
        const flat = ({ values }: { values: Float64Array }) => [...values];
        await expectClose(rng.uniform([50], { ...uniform, dtype }), flat(host.uniform([50], uniform)), tolerance);
        await expectClose(rng.normal([50], { ...normal, dtype }), flat(host.normal([50], normal)), close);
        await expectClose(rng.uniform([50], { dtype }), flat(host.uniform([50])), tolerance);
      });
    });

    it("stays below high and finite at the largest and smallest words", async () => {
      await using(device.rng(0), async (rng) => {
        const values = await rng.uniform([4000], { dtype }).data();
        expect(Math.max(...values)).toBeLessThan(1);
        expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
        for (const value of await rng.normal([4000], { dtype }).data()) expect(Number.isFinite(value)).toBe(true);
      });
    });

    it("moves on with every draw, and draws nothing for empty shapes", async () => {
      await using(device.rng(1), async (rng) => {
        expect(rng.uniform([0, 3], { dtype }).shape).toEqual([0, 3]);
        const host = generator(1);
        host.bits(0);
        expect(await rng.bits([2]).data()).toEqual(host.bits(2));
      });
    });

    it("leaves nothing but its results", async () => {
      await using(device.rng(1), async (rng) => {
        const live = device.memory().live;
        rng.uniform([10], { dtype }).dispose();
        rng.normal([10], { dtype }).dispose();
        rng.permutation(10).dispose();
        expect(device.memory().live).toBe(live);
      });
    });

    it("refuses integers, shapes and parameters that are none, without a draw", async () => {
      await using(device.rng(1), async (rng) => {
        expect(() => rng.uniform([2], { dtype: "int32" })).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => rng.normal([2], { dtype: "bool" })).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => rng.uniform([-2], { dtype })).toThrow(coded("BAD_ARGUMENT"));
        expect(() => rng.permutation(0.5)).toThrow(coded("BAD_ARGUMENT"));
        expect(() => rng.uniform([2], { low: 2, high: 1 })).toThrow(coded("BAD_ARGUMENT"));
        expect(() => rng.normal([2], { standardDeviation: NaN })).toThrow(coded("BAD_ARGUMENT"));
        expect(() => device.rng(-1)).toThrow(coded("BAD_ARGUMENT", "rng: expected seed"));
        expect(await rng.bits([2]).data()).toEqual(generator(1).bits(2));
      });
    });

    it("throws DISPOSED when it is used after its end", () => {
      const rng = device.rng(1);
      rng.dispose();
      rng.dispose();
      expect(() => rng.bits([1])).toThrow(coded("DISPOSED"));
    });
  });
});
