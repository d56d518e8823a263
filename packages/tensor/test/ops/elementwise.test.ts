import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Device, DType, ElementwiseMethods, Tensor } from "@robgrad/tensor";
import { where } from "@robgrad/tensor";
import { broadcastPairs, expectClose, forEachDevice, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { nested, storedArray, zipWith } from "../reference.js";

type Method = keyof ElementwiseMethods<unknown>;
type Reference = (...elements: number[]) => number;

const isTest = (value: boolean) => Number(value);

const unary: Partial<Record<Method, Reference>> = {
  neg: (u) => -u,
  abs: (u) => (u < 0 ? -u : u),
  sign: (u) => (u > 0 ? 1 : u < 0 ? -1 : u),
  floor: (u) => Math.floor(u),
  ceil: (u) => -Math.floor(-u),
  trunc: (u) => (u < 0 ? -Math.floor(-u) : Math.floor(u)),
  round: (u) => {
    const low = Math.floor(u);
    const rest = u - low;
    if (Number.isNaN(rest)) return u;
    return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
  },
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  square: (u) => u ** 2,
  reciprocal: (u) => 1 / u,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (u) => 1 / (1 + Math.exp(-u)),
  softplus: (u) => (u > 30 ? u : Math.log1p(Math.exp(u))),
  logCosh: (u) => {
    const a = Math.abs(u);
    return a > 1 ? a + Math.log((1 + Math.exp(-2 * a)) / 2) : Math.log1p(Math.expm1(a) ** 2 / (2 * Math.exp(a)));
  },
  relu: (u) => (u > 0 || Number.isNaN(u) ? u : 0),
  isFinite: (u) => isTest(Number.isFinite(u)),
  isNaN: (u) => isTest(Number.isNaN(u)),
};

const either = (a: number, b: number) => Number.isNaN(a) || Number.isNaN(b);
const binary: Partial<Record<Method, Reference>> = {
  add: (a, b) => a! + b!,
  sub: (a, b) => a! - b!,
  mul: (a, b) => a! * b!,
  div: (a, b) => a! / b!,
  pow: (a, b) => a! ** b!,
  maximum: (a, b) => (either(a!, b!) ? NaN : a! > b! ? a! : b!),
  minimum: (a, b) => (either(a!, b!) ? NaN : a! < b! ? a! : b!),
  equal: (a, b) => isTest(a === b),
  notEqual: (a, b) => isTest(a !== b),
  less: (a, b) => isTest(a! < b!),
  lessEqual: (a, b) => isTest(a! <= b!),
  greater: (a, b) => isTest(a! > b!),
  greaterEqual: (a, b) => isTest(a! >= b!),
};

/** Those whose reference above rounds more often than the table's body. */
const inexact: Partial<Record<Method, number>> = { sigmoid: 4, softplus: 8, logCosh: 16 };

/** Those that other devices than cpu compute by polynomials, within these ulps. */
const polynomials: readonly Method[] = [
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tan",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "sigmoid",
  "softplus",
  "logCosh",
];
/** Those that WGSL lets round otherwise. */
const approximate: Partial<Record<Method, number>> = { div: 3, reciprocal: 3, sqrt: 3, pow: 4, tan: 8 };
const allowed = (name: Method, device: Device) =>
  (inexact[name] ?? 0) +
  (device.name !== "cpu" && polynomials.includes(name) ? 4 : 0) +
  (device.name === "webgpu" ? (approximate[name] ?? 0) : 0);

const number = fc.oneof(
  fc.double({ min: -4, max: 4, noNaN: true }),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(0, -0, 0.5, -0.5, 1.5, 2.5, 1e-30, -1e30, 88, -88, NaN, Infinity, -Infinity),
);
/** WGSL lets numbers below 2⁻¹²⁶ count as 0, which sign and floor would show. */
const numberOn = ({ name }: Device) =>
  name === "webgpu" ? number.map((v) => (Math.abs(v) < 2 ** -126 ? 0 : v)) : number;
const runs = { numRuns: 20 };

const call = (x: Tensor, name: Method, ...rest: (Tensor | number)[]) =>
  (x[name] as (...args: (Tensor | number)[]) => Tensor)(...rest);

describe("elementwise methods of one operand", () => {
  forEachDevice(({ device, dtype }) => {
    it.each(Object.keys(unary) as Method[])("%s takes every element of any layout", async (name) => {
      await fc.assert(
        fc.asyncProperty(stridedArrays(numberOn(device)), async (array) => {
          const expected = zipWith(unary[name]!, storedArray(dtype, array));
          const found = call(array.on(device, dtype), name);
          const result: DType = name === "isFinite" || name === "isNaN" ? "bool" : dtype;
          expect(found.dtype).toBe(result);
          await expectClose(found, nested(storedArray(result, expected)), { ulps: allowed(name, device) });
        }),
        runs,
      );
    });
  });
});

describe("elementwise methods of two operands", () => {
  forEachDevice(({ device, dtype }) => {
    const pairs = broadcastPairs({ maxRank: 3 }).chain(({ a, b }) =>
      fc.tuple(stridedArrays(numberOn(device), fc.constant(a)), stridedArrays(numberOn(device), fc.constant(b))),
    );

    it.each(Object.keys(binary) as Method[])("%s broadcasts as NumPy does", async (name) => {
      await fc.assert(
        fc.asyncProperty(pairs, async ([a, b]) => {
          const expected = zipWith(binary[name]!, storedArray(dtype, a), storedArray(dtype, b));
          const found = call(a.on(device, dtype), name, b.on(device, dtype));
          expect(found.shape).toEqual(expected.shape);
          await expectClose(found, nested(storedArray(found.dtype, expected)), { ulps: allowed(name, device) });
        }),
        runs,
      );
    });

    it.each(Object.keys(binary) as Method[])("%s takes a number as a constant of the operand's dtype", async (name) => {
      await fc.assert(
        fc.asyncProperty(stridedArrays(numberOn(device)), numberOn(device), async (a, b) => {
          const constant = { shape: [], values: [b] };
          const expected = zipWith(binary[name]!, storedArray(dtype, a), storedArray(dtype, constant));
          const found = call(a.on(device, dtype), name, b);
          await expectClose(found, nested(storedArray(found.dtype, expected)), { ulps: allowed(name, device) });
        }),
        runs,
      );
    });

    it("finds a float32 element equal to the number it was made of", async () => {
      await expectClose(device.tensor([0.1, 0.2], { dtype }).equal(0.1), [1, 0]);
      await expectClose(
        device.tensor([0.1, 0.7], { dtype }).map((u) => where(u.lessEqual(0.1), 1, 0)),
        [1, 0],
      );
    });

    it("keeps the sign of zero that IEEE arithmetic gives", async () => {
      const x = device.tensor([-0, 0], { dtype });
      const signs = async (y: Tensor) => Array.from(await y.data(), (v) => Object.is(v, -0));
      expect(await signs(x.add(0))).toEqual([false, false]);
      expect(await signs(x.sub(0))).toEqual([true, false]);
      expect(await signs(x.mul(-1))).toEqual([false, true]);
      expect(await signs(x.map((u) => u.mul(-1).add(0)))).toEqual([false, false]);
      expect(await signs(device.zeros([2], { dtype }).sub(x))).toEqual([false, false]);
    });
  });
});

describe("remainder", () => {
  forEachDevice(({ device, dtype }) => {
    it("has the sign of the divisor", async () => {
      const x = device.tensor([7, -7, 7, -7, 5.5, 0], { dtype });
      await expectClose(x.remainder(device.tensor([3, 3, -3, -3, 2, 3], { dtype })), [1, 2, -2, -1, 1.5, 0]);
      await expectClose(x.remainder(0), [NaN, NaN, NaN, NaN, NaN, NaN]);
    });
  });
});

describe("clamp", () => {
  forEachDevice(({ device, dtype }) => {
    it("holds elements within bounds that are numbers or tensors", async () => {
      const x = device.tensor(
        [
          [-3, 0.5, 3],
          [NaN, -0.5, 9],
        ],
        { dtype, allowNonFinite: true },
      );
      await expectClose(x.clamp(-1, 1), [
        [-1, 0.5, 1],
        [NaN, -0.5, 1],
      ]);
      await expectClose(x.clamp(device.tensor([[-2], [0]], { dtype }), 2), [
        [-2, 0.5, 2],
        [NaN, 0, 2],
      ]);
      await expectClose(x.clamp(2, 1), [
        [1, 1, 1],
        [NaN, 1, 1],
      ]);
    });
  });
});

describe("where", () => {
  forEachDevice(({ device, dtype }) => {
    const three = broadcastPairs({ maxRank: 3 }).chain(({ a, b, shape }) =>
      fc.tuple(
        stridedArrays(
          fc.constantFrom(0, 1),
          shapes().map(() => shape),
        ),
        stridedArrays(number, fc.constant(a)),
        stridedArrays(number, fc.constant(b)),
      ),
    );

    it("chooses by a bool, broadcasting all three", async () => {
      await fc.assert(
        fc.asyncProperty(three, async ([c, a, b]) => {
          const expected = zipWith((test, u, v) => (test ? u! : v!), c, storedArray(dtype, a), storedArray(dtype, b));
          const found = where(c.on(device, "bool"), a.on(device, dtype), b.on(device, dtype));
          await expectClose(found, nested(expected));
        }),
        runs,
      );
    });

    it("takes numbers for one branch or both", async () => {
      const c = device.tensor([true, false]);
      const x = device.tensor([5, 6], { dtype });
      await expectClose(where(c, x, 0), [5, 0]);
      await expectClose(where(c, -1, x), [-1, 6]);
      const both = where(c, 2, 3);
      expect(both.dtype).toBe("float32");
      await expectClose(both, [2, 3]);
    });

    it("chooses between bools and stays bool", async () => {
      const c = device.tensor([true, false, true]);
      const found = where(c, device.tensor([true, true, false]), device.tensor([false]));
      expect(found.dtype).toBe("bool");
      await expectClose(found, [1, 0, 0]);
      await expectClose(where(c, c, 1), [1, 1, 1]);
    });

    it("does not let NaN through from the branch that is not taken", async () => {
      const x = device.tensor([0, 4], { dtype });
      await expectClose(where(x.greater(0), x.log(), 0), [0, Math.log(4)], { ulps: 1 });
    });
  });
});

describe("bool tensors", () => {
  forEachDevice(
    ({ device }) => {
      const a = () => device.tensor([false, false, true, true]);
      const b = () => device.tensor([false, true, false, true]);

      it("combine with and, or and not", async () => {
        await expectClose(a().and(b()), [0, 0, 0, 1]);
        await expectClose(a().or(b()), [0, 1, 1, 1]);
        await expectClose(a().not(), [1, 1, 0, 0]);
        expect(a().and(b()).dtype).toBe("bool");
      });

      it("compare with one another", async () => {
        await expectClose(a().equal(b()), [1, 0, 0, 1]);
        await expectClose(a().less(b()), [0, 1, 0, 0]);
        await expectClose(a().equal(1), [0, 0, 1, 1]);
      });
    },
    { dtypes: ["float64"] },
  );
});

describe.each(["int32", "uint32"] as const)("%s tensors", (dtype) => {
  const wrap = (value: bigint) => Number(dtype === "int32" ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value));
  const [low, high] = dtype === "int32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  const element = fc.oneof(
    fc.integer({ min: low, max: high }),
    fc.integer({ min: Math.max(low, -3), max: 3 }),
    fc.constantFrom(low, high),
  );
  const big = (f: (a: bigint, b: bigint) => bigint) => (a: number, b: number) => wrap(f(BigInt(a), BigInt(b)));
  const floorModulo = (a: bigint, b: bigint) => {
    if (b === 0n) return 0n;
    const r = a % b;
    return r !== 0n && r < 0n !== b < 0n ? r + b : r;
  };
  const wrapping = {
    add: big((a, b) => a + b),
    sub: big((a, b) => a - b),
    mul: big((a, b) => a * b),
    remainder: big(floorModulo),
    maximum: big((a, b) => (a > b ? a : b)),
    minimum: big((a, b) => (a < b ? a : b)),
    less: (a: number, b: number) => isTest(a < b),
    equal: (a: number, b: number) => isTest(a === b),
  } as const;
  const single = {
    neg: (u: number) => wrap(-BigInt(u)),
    abs: (u: number) => wrap(u < 0 ? -BigInt(u) : BigInt(u)),
    sign: (u: number) => wrap(BigInt(Math.sign(u))),
    square: (u: number) => wrap(BigInt(u) ** 2n),
    relu: (u: number) => Math.max(0, u),
  } as const;

  forEachDevice(
    ({ device }) => {
      it("wrap around in arithmetic of two operands, exactly", async () => {
        for (const [name, reference] of Object.entries(wrapping)) {
          await fc.assert(
            fc.asyncProperty(fc.array(fc.tuple(element, element), { minLength: 1, maxLength: 8 }), async (pairs) => {
              const x = device.tensor(
                pairs.map(([a]) => a),
                { dtype },
              );
              const y = device.tensor(
                pairs.map(([, b]) => b),
                { dtype },
              );
              const found = call(x, name as Method, y);
              expect(found.dtype).toBe(name === "less" || name === "equal" ? "bool" : dtype);
              await expectClose(
                found,
                pairs.map(([a, b]) => reference(a, b)),
              );
              await expectClose(
                call(x, name as Method, pairs[0]![1]),
                pairs.map(([a]) => reference(a, pairs[0]![1])),
              );
            }),
            runs,
          );
        }
      });

      it("wrap around in arithmetic of one operand, exactly", async () => {
        for (const [name, reference] of Object.entries(single)) {
          await fc.assert(
            fc.asyncProperty(fc.array(element, { minLength: 1, maxLength: 8 }), async (values) => {
              await expectClose(call(device.tensor(values, { dtype }), name as Method), values.map(reference));
            }),
            runs,
          );
        }
      });

      it("give fused formulas the results of their parts, wrapped at every step", async () => {
        await fc.assert(
          fc.asyncProperty(element, element, async (a, b) => {
            const x = device.tensor([a], { dtype });
            const y = device.tensor([b], { dtype });
            const parts = x.mul(y).add(x).square().sub(3).remainder(7).mul(x.neg().abs());
            const fused = x.map((u, v) => u.mul(v).add(u).square().sub(3).remainder(7).mul(u.neg().abs()), y);
            expect(await fused.toArray()).toEqual(await parts.toArray());
          }),
          { numRuns: 50 },
        );
      });

      it("refuse floating operations, plain and fused, and numbers that are not of their kind", () => {
        const x = device.tensor([1, 2], { dtype });
        const coded = (code: string) => expect.objectContaining({ code });
        for (const name of ["exp", "log", "sqrt", "sin", "floor", "round", "reciprocal", "tanh"] as const) {
          expect(() => x[name]()).toThrow(coded("DTYPE_MISMATCH"));
          expect(() => x.map((u) => u[name]())).toThrow(coded("DTYPE_MISMATCH"));
        }
        expect(() => x.div(2)).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => x.map((u) => u.div(2))).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => x.pow(2)).toThrow(coded("DTYPE_MISMATCH"));
        for (const value of [0.5, NaN, Infinity, high + 1, low - 2]) {
          expect(() => x.mul(value)).toThrow(coded("BAD_ARGUMENT"));
          expect(() => x.map((u) => u.mul(value))).toThrow(coded("BAD_ARGUMENT"));
          expect(() => where(x.equal(1), x, value)).toThrow(coded("BAD_ARGUMENT"));
        }
        expect(() => x.mean()).toThrow(coded("DTYPE_MISMATCH"));
        expect(() => x.matmul(x)).toThrow(coded("DTYPE_MISMATCH"));
      });
    },
    { dtypes: ["float64"] },
  );
});

describe("map", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    const smooth = fc.double({ min: -3, max: 3, noNaN: true });

    it("is the composition of its operations", async () => {
      await fc.assert(
        fc.asyncProperty(stridedArrays(smooth), async (array) => {
          const x = array.on(device, dtype);
          const fused = x.map((u) => u.tanh().mul(2).add(u.square().exp().reciprocal()));
          const parts = x.tanh().mul(2).add(x.square().exp().reciprocal());
          expect(fused.dtype).toBe(dtype);
          const unfused = await parts.toArray();
          await expectClose(fused, unfused, { relative: 4 * epsilon, absolute: 4 * epsilon });
        }),
        runs,
      );
    });

    it("takes further tensors, broadcast, and numbers as scalars", async () => {
      const x = device.tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { dtype },
      );
      const rows = device.tensor([[10], [20]], { dtype });
      await expectClose(
        x.map((u, v, k) => u.mul(v!).add(k!.mul(2)), rows, 0.5),
        [
          [11, 21, 31],
          [81, 101, 121],
        ],
      );
    });

    it("may ignore its argument", async () => {
      await expectClose(
        device.zeros([2], { dtype }).map(() => 7),
        [7, 7],
      );
    });

    it("gives a bool tensor for a test, and counts tests as 1 or 0 in arithmetic", async () => {
      const x = device.tensor([-1, 0, 2], { dtype });
      const test = x.map((u) => u.greater(-1).and(u.less(2)));
      expect(test.dtype).toBe("bool");
      await expectClose(test, [0, 1, 0]);
      await expectClose(
        x.map((u) => u.greater(0).mul(u.add(1))),
        [0, 0, 3],
      );
      const chosen = x.map((u) => where(u.greater(0), u.less(1), u.less(0)));
      expect(chosen.dtype).toBe("bool");
      await expectClose(chosen, [1, 0, 0]);
    });

    it("takes bool tensors beside numeric ones", async () => {
      const mask = device.tensor([true, false]);
      await expectClose(
        device.tensor([3, 4], { dtype }).map((u, m) => where(m!, u, u.neg()), mask),
        [3, -4],
      );
      const numbers = mask.map((m) => where(m, 2, 3));
      expect(numbers.dtype).toBe("float32");
      await expectClose(numbers, [2, 3]);
      expect(mask.map((m) => m.not()).dtype).toBe("bool");
    });

    it("refuses numbers where tests are expected", () => {
      const x = device.tensor([1], { dtype });
      const mismatch = expect.objectContaining({ code: "DTYPE_MISMATCH" });
      expect(() => x.map((u) => u.and(u))).toThrow(mismatch);
      expect(() => x.map((u) => u.not())).toThrow(mismatch);
      expect(() => x.map((u) => where(u, 1, 0))).toThrow(mismatch);
      expect(() => x.map((u) => u.greater(0).or(u))).toThrow(mismatch);
    });

    it("refuses what is no formula of its own scalars", () => {
      const x = device.tensor([1], { dtype });
      const bad = expect.objectContaining({ code: "BAD_ARGUMENT" });
      let leaked: unknown;
      x.map((u) => (leaked = u) as typeof u);
      expect(() => x.map(() => leaked as never)).toThrow(bad);
      expect(() => x.map((u) => u.add(leaked as never))).toThrow(bad);
      expect(() => x.map(() => "3" as never)).toThrow(bad);
      expect(() => x.map(() => undefined as never)).toThrow(bad);
      expect(() => x.map((u) => u.add(x as never))).toThrow(bad);
      expect(() => x.map((u) => (u.clamp as (low: number) => typeof u)(1))).toThrow(bad);
      expect(() => x.map((u) => Math.tanh(u as never))).toThrow(/u\.tanh\(\)/);
      expect(() => x.map((u) => ((u as never) > 0 ? u : 0))).toThrow(bad);
    });
  });
});
