import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  denseSamples,
  expanded,
  generator,
  openDevice,
  outer,
  summed,
  where,
  type ColumnProgram,
  type Device,
  type DType,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { reduceFormula, apply, constant, input, type ReductionName } from "@robgrad/tensor/kernels";
import { memoryReturns, shapes, stridedArrays, type StridedArray } from "@robgrad/tensor/testing";

/** Every kernel on wasm against the same kernel on cpu in float64, whose inputs are rounded to the dtype first. */
let wasm: Device;
let relaxed: Device;
let cpu: Device;
beforeAll(async () => {
  wasm = await openDevice("wasm");
  relaxed = await openDevice("wasm", { relaxed: true });
  cpu = await openDevice("cpu");
});
afterAll(() => {
  for (const device of [wasm, relaxed, cpu]) device.dispose();
});

/** Without the smallest numbers: their products vanish in float32 and not in float64, so that other elements win. */
const numbers = fc
  .oneof(fc.double({ min: -4, max: 4, noNaN: true }), fc.integer({ min: -3, max: 3 }))
  .map((v) => (Math.abs(v) < 1e-15 ? 0 : Math.fround(v)));
const runs = { numRuns: 60 };

/** |actual − expected| ≤ tolerance · max(1, |expected|), NaN and infinities alike. */
async function agree(actual: Tensor, expected: Tensor, tolerance: number): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  const [a, b] = [await actual.data(), await expected.data()];
  a.forEach((value, i) => {
    const wanted = b[i] as number;
    if (Object.is(value, wanted) || value === wanted) return;
    // What float64 still holds may be out of reach.
    if (actual.dtype === "float32" && Math.abs(wanted) > 3.4e38 && value === Math.sign(wanted) * Infinity) return;
    expect(Math.abs(value - wanted), `element ${i}: ${value} and ${wanted}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted)),
    );
  });
}

for (const dtype of ["float32", "float64"] as const) {
  const epsilon = dtype === "float32" ? 2 ** -23 : 2 ** -52;
  const both = (array: StridedArray, device = wasm) => [array.on(device, dtype), array.on(cpu, "float64")] as const;

  describe(`wasm kernels in ${dtype}`, () => {
    memoryReturns(() => wasm);
    memoryReturns(() => cpu);
    memoryReturns(() => relaxed);

    it("reduce any axes of any layout", async () => {
      const names: ReductionName[] = ["sum", "product", "max", "min", "argmax", "argmin", "mean"];
      await fc.assert(
        fc.asyncProperty(
          stridedArrays(
            numbers,
            shapes({ minRank: 1, maxExtent: 9 }).filter((s) => s.every((n) => n > 0)),
          ),
          fc.constantFrom(...names),
          fc.nat(),
          async (array, name, mask) => {
            const [x, y] = both(array);
            const all = array.shape.map((_, axis) => axis);
            const chosen = all.filter((axis) => (mask >> axis) & 1);
            const axis =
              name === "argmax" || name === "argmin" ? mask % array.shape.length : chosen.length > 0 ? chosen : all;
            const square = apply("mul", input(0), apply("add", input(0), constant(0.5)));
            const options = { axis };
            await agree(
              reduceFormula(name, square, [x], options),
              reduceFormula(name, square, [y], options),
              64 * epsilon,
            );
          },
        ),
        runs,
      );
    });

    it("sum squares of differences and sums of all pairs of rows, of one matrix or two", async () => {
      const extent = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 30, max: 90 }));
      const pairs = fc.record({
        m: extent,
        n: extent,
        k: fc.oneof(extent, fc.integer({ min: 250, max: 530 })),
        skip: fc.integer({ min: 0, max: 3 }),
        across: fc.boolean(),
        same: fc.boolean(),
        sign: fc.constantFrom("sub" as const, "add" as const),
        seed: fc.nat(),
      });
      await fc.assert(
        fc.asyncProperty(pairs, async ({ m, n, k, skip, across, same, sign, seed }) => {
          const f = apply("square", apply(sign, input(0), input(1)));
          const on = (device: Device, to: DType) => {
            const g = device.rng(seed);
            const draw = (rows: number) => {
              const whole = across
                ? g.normal([k + skip, rows], { dtype: "float64" }).transpose()
                : g.normal([rows, k + skip], { dtype: "float64" });
              return whole
                .cast("float32")
                .cast(to)
                .slice(null, [skip, k + skip]);
            };
            const a = draw(m);
            const b = same ? a : draw(n);
            g.dispose();
            return reduceFormula("sum", f, [a.reshape([m, 1, k]), b.reshape([1, same ? m : n, k])], { axis: 2 });
          };
          const expected = on(cpu, "float64");
          for (const device of [wasm, relaxed]) {
            const found = on(device, dtype);
            await agree(found, expected, 100 * epsilon);
            if (same) expect(await found.transpose().data()).toEqual(await found.data());
          }
        }),
        { numRuns: 30 },
      );
    });

    it("contract operands of any strides and sizes, batched or not", async () => {
      const extent = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 45 }));
      const product = fc.record({
        m: extent,
        n: extent,
        k: extent,
        batch: fc.constantFrom(0, 0, 1, 3),
        ta: fc.boolean(),
        tb: fc.boolean(),
        seed: fc.nat(),
      });
      await fc.assert(
        fc.asyncProperty(product, async ({ m, n, k, batch, ta, tb, seed }) => {
          const lead = batch === 0 ? [] : [batch];
          const on = (device: Device, to: DType) => {
            const g = device.rng(seed);
            const draw = (...shape: number[]) => g.normal([...lead, ...shape], { dtype: "float64" }).cast(to);
            const a = ta ? draw(k, m) : draw(m, k);
            const b = tb ? draw(n, k) : draw(k, n);
            g.dispose();
            return (ta ? a.transpose() : a).matmul(tb ? b.transpose() : b);
          };
          const expected = on(cpu, "float64");
          await agree(on(wasm, dtype), expected, 100 * epsilon);
          await agree(on(relaxed, dtype), expected, 100 * epsilon);
        }),
        runs,
      );
    });

    it("contract large operands block by block", async () => {
      for (const [m, k, n] of [
        [130, 300, 20],
        [9, 513, 1030],
        [1, 1000, 7],
        [300, 1000, 1],
        [2, 3, 2000],
      ] as const) {
        const values = (rows: number, columns: number) =>
          Float64Array.from({ length: rows * columns }, (_, i) => ((i * 7919) % 17) - 8);
        const on = (device: Device, to: DType) =>
          device
            .tensor(values(m, k), { shape: [m, k], dtype: to })
            .matmul(device.tensor(values(k, n), { shape: [k, n], dtype: to }));
        // Whole numbers: every order of addition is exact.
        await agree(on(wasm, dtype), on(cpu, "float64"), 0);
      }
    });

    it("answer column programs over every kind of factors", async () => {
      const programs: Record<string, ColumnProgram> = {
        mean: (c) => c.mean(),
        "mean of a formula": (c, a) => c.mean((g) => g.sub(a!).tanh()),
        moments: (c) => {
          const m = c.mean();
          return c
            .mean((g) => g.sub(m).square())
            .add(c.max())
            .sub(c.min((g) => g.mul(2)));
        },
        median: (c) => c.median(),
        quantile: (c) => c.quantile(0.3),
        extremes: (c) => c.quantile(1).sub(c.quantile(0)),
        trimmed: (c) =>
          c.length > 2
            ? c
                .sorted()
                .slice(1, c.length - 1)
                .mean()
            : c.sorted().max(),
        deviation: (c) => {
          const m = c.median();
          return c.map((g) => g.sub(m).abs()).median();
        },
        location: (c) => {
          const s = c.mean((g) => g.abs()).add(0.1);
          return c.iterate(c.median(), (t) => t.add(c.mean((g) => g.sub(t).div(s).clamp(-1, 1)).mul(s)), {
            maximum: 40,
            tolerance: s.mul(1e-4),
          });
        },
        softly: (c) => {
          const m = c.mean();
          const s = c
            .mean((g) => g.sub(m).square())
            .sqrt()
            .maximum(1e-12)
            .mul(1.5);
          return m.add(
            s.mul(
              c.mean((g) => {
                const z = g.sub(m).div(s).clamp(-Math.SQRT2, Math.SQRT2);
                return z.sub(z.mul(z).mul(z).div(6));
              }),
            ),
          );
        },
        // One bound after the other, and a part of the samples in the order they come in.
        "softly, written otherwise": (c) => {
          const m = c.mean();
          const s = c.mean((g) => g.sub(m).square()).sqrt();
          const safe = where(s.greater(0), s, 1);
          return c
            .mean((g) => {
              const z = g.sub(m).div(safe).minimum(1.2).maximum(-1.5);
              return z.mul(2).sub(z.pow(3).div(5));
            })
            .mul(s)
            .add(c.slice(0, Math.ceil(c.length / 2)).sum((g) => g.abs()));
        },
        choice: (c, a) =>
          where(
            a!.greater(0),
            c.sum(),
            c.mean((g) => where(g.greater(a!), 1, 0)),
          ),
      };
      const sizes = fc.record({
        n: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 140 })),
        t: fc.integer({ min: 1, max: 3 }),
        q: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 25 })),
        p: fc.oneof(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 30, max: 90 })),
        kind: fc.constantFrom("dense", "outer", "expanded", "summed", "mixed", "twice mixed", "irregular", "masked"),
        program: fc.constantFrom(...Object.keys(programs)),
        seed: fc.nat(),
      });
      // Large enough for factors to be rearranged: half of the samples have no part in an output.
      const large = fc.record({
        n: fc.integer({ min: 16, max: 140 }),
        t: fc.constant(1),
        q: fc.integer({ min: 8, max: 25 }),
        p: fc.integer({ min: 64, max: 90 }),
        kind: fc.constantFrom("outer", "masked"),
        program: fc.constantFrom(...Object.keys(programs)),
        seed: fc.nat(),
      });
      const same = (cases: typeof sizes) =>
        fc.asyncProperty(cases, async ({ n, t, q, p, kind, program, seed }) => {
          const on = (device: Device, to: DType) => {
            const g = device.rng(seed);
            const draw = (...shape: number[]) => g.normal(shape, { dtype: "float64" }).cast(to);
            const make = (): SampleMatrix => {
              const one = outer(draw(n, q), draw(n, p));
              switch (kind) {
                case "dense":
                  return denseSamples(draw(n, q, p));
                case "outer":
                  return one;
                case "expanded":
                  return expanded(draw(n, t, q), draw(n, t, p));
                case "summed":
                  return summed([one, denseSamples(draw(n, q, p))]);
                case "masked": {
                  // Half of the samples of an output do not count, of one output none does.
                  const open = draw(n, q).greater(0).and(draw(q).greater(-1));
                  return outer(where(open, draw(n, q), 0), draw(n, p));
                }
                case "mixed":
                  return one.mix(where(draw(3, n).greater(0.5), draw(3, n), 0));
                case "twice mixed":
                  return summed([expanded(draw(n, t, q), draw(n, t, p)), denseSamples(draw(n, q, p))])
                    .mix(draw(4, n))
                    .mix(draw(2, 4));
                default:
                  return summed([one, outer(draw(n, p), draw(n, q), { shape: [q, p] })]);
              }
            };
            const matrix = make();
            const perFeature = draw(matrix.features);
            g.dispose();
            return matrix.columns(programs[program] as ColumnProgram, perFeature);
          };
          await agree(on(wasm, dtype), on(cpu, "float64"), dtype === "float32" ? 3e-4 : 1e-10);
        });
      await fc.assert(same(sizes), { numRuns: 250 });
      await fc.assert(same(large), { numRuns: 80 });
    });
  });
}

describe("clamped cubics by power sums", () => {
  memoryReturns(() => wasm);
  memoryReturns(() => cpu);

  const [N, Q, P] = [100, 12, 70];
  const soft: ColumnProgram = (c) => {
    const m = c.mean();
    const s = c
      .mean((g) => g.sub(m).square())
      .sqrt()
      .mul(3);
    const per = where(s.greater(0), s.reciprocal(), 0);
    return m.add(
      s.mul(
        c.mean((g) => {
          const z = g.sub(m).mul(per).clamp(-Math.SQRT2, Math.SQRT2);
          return z.sub(z.mul(z).mul(z).div(6));
        }),
      ),
    );
  };
  const spread: ColumnProgram = (c) => {
    const m = c.mean();
    return c.mean((g) => g.sub(m).square()).sqrt();
  };
  const inputs: Record<string, (g: number, n: number, k: number) => readonly [number, number]> = {
    "normal factors": (g) => [g, g],
    "two hostile samples": (g, n) => (n < 2 ? [1e4 * g, 1e4 * g] : [g, g]),
    "a large common part": (g) => [g + 1000, g + 1000],
    "sparse outputs and constant-zero inputs": (g, n, k) => [g > 0 ? g : 0, k % 3 === 0 ? 0 : (n * k) % 7],
    "heavy tails": (g) => [g ** 7, g ** 5],
    "tiny numbers": (g) => [1e-15 * g, g],
    "huge numbers": (g) => [1e15 * g, g],
    "a dead unit": (g, _, k) => [k === 3 ? 0 : g, g],
  };
  it("make 0 · ∞ NaN where a sample has no part in an output or a column is 0", async () => {
    const normal = (seed: number, length: number) => Array.from(generator(seed).normal([length]).values);
    const put = (values: readonly number[], place: number) => values.map((g, i) => (i === place ? Infinity : g));
    // Sample 7 of all outputs, and columns 16 … 31 of the other factor.
    const delta = normal(3, N * Q).map((g, i) => (Math.floor(i / Q) === 7 ? 0 : g));
    const x = normal(4, N * P).map((g, i) => (i % P >= 16 && i % P < 32 ? 0 : g));
    for (const [first, second] of [
      [delta, put(x, 7 * P + 5)],
      [put(delta, 3), x],
    ] as const) {
      const on = (device: Device) => {
        const make = (values: readonly number[], width: number) =>
          device.tensor(values, { dtype: "float64", allowNonFinite: true }).reshape([N, width]);
        const matrix = outer(make(first, Q), make(second, P));
        return [matrix.columns(soft), matrix.columns((c) => c.median()), matrix.columns((c) => c.max())];
      };
      const [actual, expected] = [on(wasm), on(cpu)];
      for (let k = 0; k < actual.length; k++) await agree(actual[k] as Tensor, expected[k] as Tensor, 1e-11);
      const missing = (await (actual[2] as Tensor).data()).filter(Number.isNaN).length;
      expect(missing).toBeGreaterThan(0);
      expect(missing).toBeLessThan(Q * P);
    }
  });

  it.each(Object.keys(inputs))("stay within a small part of a standard error of the walk for %s", async (name) => {
    const draw = inputs[name]!;
    const host = generator(8);
    const values = (columns: number, which: 0 | 1) =>
      host.normal([N, columns]).values.map((g, i) => Math.fround(draw(g, Math.floor(i / columns), i % columns)[which]));
    const [delta, x] = [values(Q, 0), values(P, 1)];
    for (const dtype of ["float32", "float64"] as const) {
      const on = (device: Device, to: DType) => {
        const matrix = outer(
          device.tensor(delta, { shape: [N, Q], dtype: to }),
          device.tensor(x, { shape: [N, P], dtype: to }),
        );
        return [matrix.columns(soft), matrix.columns(spread), matrix.mean()] as const;
      };
      const [actual] = on(wasm, dtype);
      const [expected, deviation, mean] = on(cpu, "float64");
      const [a, b, s, m] = await Promise.all([actual.data(), expected.data(), deviation.data(), mean.data()]);
      const part = dtype === "float32" ? 1e-4 : 1e-11;
      a.forEach((value, d) => {
        const bound =
          (part * (s[d] as number)) / Math.sqrt(N) + (dtype === "float32" ? 1e-6 : 1e-14) * Math.abs(m[d] as number);
        expect(
          Math.abs(value - (b[d] as number)),
          `${dtype} ${d}: ${value} and ${b[d]}, sd ${s[d]}`,
        ).toBeLessThanOrEqual(bound);
      });
    }
  });
});

describe("wasm kernels on integers and tests", () => {
  memoryReturns(() => wasm);
  memoryReturns(() => cpu);

  it("are exact", async () => {
    const whole = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    await fc.assert(
      fc.asyncProperty(
        stridedArrays(whole),
        stridedArrays(fc.integer({ min: -5, max: 5 }), shapes({ maxRank: 0 })),
        async (array, other) => {
          for (const dtype of ["int32", "uint32"] as const) {
            const on = (device: Device) => {
              const cast = (a: StridedArray) => ({ ...a, on: (d: Device) => a.on(d, "int32").cast(dtype) });
              const x = dtype === "int32" ? array.on(device, "int32") : cast(array).on(device);
              const y = cast(other).on(device);
              return [
                x.add(y),
                x.mul(y),
                x.sub(3),
                x.neg(),
                x.abs(),
                x.sign(),
                x.maximum(y),
                x.clamp(1, 100),
                x.relu(),
                x.remainder(y),
                x.less(y),
                x.equal(y),
                x.sum(),
                x.cast("float64"),
                x.cast("float32"),
                where(x.greater(y), x, y),
                x.greater(0).cast("int32").sum(),
                x.square(),
              ];
            };
            const [actual, expected] = [on(wasm), on(cpu)];
            for (let k = 0; k < actual.length; k++) await agree(actual[k] as Tensor, expected[k] as Tensor, 0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("keep the edges of floats", async () => {
    const edges = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-40, 3e38];
    for (const dtype of ["float32", "float64"] as const) {
      const on = (device: Device) => {
        const x = device.tensor(edges, { dtype, allowNonFinite: true });
        const [a, b] = [x.reshape([9, 1]), x.reshape([1, 9])];
        return [
          a.maximum(b),
          a.minimum(b),
          x.relu(),
          x.clamp(-1, 1),
          x.maximum(0),
          x.minimum(NaN),
          x.sign(),
          x.isNaN(),
          x.isFinite(),
          a.less(b),
          a.equal(b),
          a.notEqual(b),
          where(a.greater(b), a, b),
          x.max(),
          x.min(),
          x.argmax(),
          x.slice([1]).argmin(),
          a.add(b).max({ axis: 0 }),
        ];
      };
      const [actual, expected] = [on(wasm), on(cpu)];
      for (let k = 0; k < actual.length; k++) await agree(actual[k] as Tensor, expected[k] as Tensor, 0);
    }
  });
});
