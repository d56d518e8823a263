import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  capture,
  denseSamples,
  expanded,
  outer,
  summed,
  tidy,
  where,
  type ColumnProgram,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { apply, constant, input, reduceFormula, type ReductionName } from "@robgrad/tensor/kernels";
import { memoryReturns, shapes, stridedArrays } from "@robgrad/tensor/testing";
import { Device } from "../../src/device/device.js";
import { WasmExecutor } from "../../src/device/wasm/device.js";

/** Bytes of a tensor; NaN has many, and which one is nobody's business. */
async function bitsOf(tensor: Tensor): Promise<readonly number[]> {
  const values = (await tensor.data()).map((value) => (Number.isNaN(value) ? NaN : value));
  return [...new Uint8Array(values.buffer)];
}

describe("a kernel shared among threads", () => {
  /** By the number of threads. Even the smallest kernels are cut. */
  const devices: Device[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(new Device(await WasmExecutor.open({ threads, leastWork: 0 })));
  });
  afterAll(() => {
    for (const device of devices) device.dispose();
  });
  for (const k of [0, 1, 2]) memoryReturns(() => devices[k] as Device);

  async function sameBits(compute: (device: Device) => Tensor): Promise<void> {
    const [one, two, three] = await Promise.all(devices.map((device) => bitsOf(tidy(() => compute(device)))));
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  }

  const numbers = fc.double({ min: -4, max: 4, noNaN: true });
  const dtypes = fc.constantFrom("float32" as const, "float64" as const);

  it("has the bits of one thread: formulas of any layout", async () => {
    await fc.assert(
      fc.asyncProperty(stridedArrays(numbers, shapes({ maxExtent: 40, maxRank: 3 })), dtypes, (array, dtype) =>
        sameBits((device) => {
          const x = array.on(device, dtype);
          const places = device.arange(x.shape.at(-1) ?? 1, { dtype }).add(0.5);
          return x.map(
            (u, v) =>
              where(
                u.greater(v!.sub(3)),
                u.tanh().add(u.sin()).mul(u.exp()),
                u.cos().add(v!.pow(u)).sub(u.tan().remainder(0.7)),
              ),
            x.shape.length === 0 ? places.reshape([]) : places,
          );
        }),
      ),
      { numRuns: 60 },
    );
  });

  it("has the bits of one thread: integers and tests", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9 }), (rows, columns) =>
        sameBits((device) => {
          const x = device.arange(rows * columns, { dtype: "int32" }).reshape([rows, columns]);
          return x
            .mul(2654435)
            .remainder(17)
            .greater(x.transpose().max({ axis: 0 }).reshape([rows, 1]).remainder(11));
        }),
      ),
      { numRuns: 30 },
    );
  });

  it("has the bits of one thread: reductions of any axes", async () => {
    const names: ReductionName[] = ["sum", "product", "max", "min", "argmax", "argmin", "mean"];
    await fc.assert(
      fc.asyncProperty(
        stridedArrays(
          numbers,
          shapes({ minRank: 1, maxExtent: 30, maxRank: 3 }).filter((s) => s.every((n) => n > 0)),
        ),
        dtypes,
        fc.constantFrom(...names),
        fc.nat(),
        (array, dtype, name, mask) =>
          sameBits((device) => {
            const all = array.shape.map((_, axis) => axis);
            const chosen = all.filter((axis) => (mask >> axis) & 1);
            const axis = name.startsWith("arg") ? mask % all.length : chosen.length > 0 ? chosen : all;
            const shifted = apply("mul", input(0), apply("add", input(0), constant(0.5)));
            return reduceFormula(name, shifted, [array.on(device, dtype)], { axis });
          }),
      ),
      { numRuns: 100 },
    );
  });

  it("has the bits of one thread: products of any strides and sizes", async () => {
    const extent = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 90 }));
    const product = fc.record({
      m: extent,
      n: extent,
      k: fc.oneof(extent, fc.integer({ min: 250, max: 530 })),
      batch: fc.constantFrom(0, 0, 1, 3, 20),
      ta: fc.boolean(),
      tb: fc.boolean(),
      dtype: dtypes,
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(product, ({ m, n, k, batch, ta, tb, dtype, seed }) =>
        sameBits((device) => {
          const lead = batch === 0 ? [] : [batch];
          const rng = device.rng(seed);
          const a = rng.normal([...lead, ...(ta ? [k, m] : [m, k])], { dtype });
          const b = rng.normal([...lead, ...(tb ? [n, k] : [k, n])], { dtype });
          rng.dispose();
          return (ta ? a.transpose() : a).matmul(tb ? b.transpose() : b);
        }),
      ),
      { numRuns: 60 },
    );
  });

  it("has the bits of one thread: squares of all pairs of rows", async () => {
    const extent = fc.integer({ min: 8, max: 90 });
    const square = apply("square", apply("sub", input(0), input(1)));
    await fc.assert(
      fc.asyncProperty(extent, extent, fc.boolean(), dtypes, fc.nat(), (n, k, same, dtype, seed) =>
        sameBits((device) => {
          const rng = device.rng(seed);
          const a = rng.normal([n, k], { dtype });
          const b = same ? a : rng.normal([n, k], { dtype });
          rng.dispose();
          return reduceFormula("sum", square, [a.reshape([n, 1, k]), b.reshape([1, n, k])], { axis: 2 });
        }),
      ),
      { numRuns: 30 },
    );
  });

  it("has the bits of one thread: column programs over every kind of factors", async () => {
    const clamped: ColumnProgram = (c) => {
      const m = c.mean();
      const s = c
        .mean((g) => g.sub(m).square())
        .sqrt()
        .maximum(1e-12)
        .mul(1.5);
      const psi = c.mean((g) => {
        const z = g.sub(m).div(s).clamp(-Math.SQRT2, Math.SQRT2);
        return z.sub(z.mul(z).mul(z).div(6));
      });
      return m.add(s.mul(psi));
    };
    const programs: Record<string, ColumnProgram> = {
      clamped,
      median: (c) => c.median(),
      sorted: (c, a) => c.sorted().mean((g) => g.mul(a!)),
      location: (c) =>
        c.iterate(c.median(), (t) => t.add(c.mean((g) => g.sub(t).clamp(-1, 1))), { maximum: 20, tolerance: 1e-4 }),
      extremes: (c, a) => c.max((g) => g.sub(a!).abs()).sub(c.min()),
    };
    const extent = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 70 }));
    const sizes = fc.record({
      n: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 90 })),
      t: fc.integer({ min: 1, max: 3 }),
      q: extent,
      p: extent,
      kind: fc.constantFrom("dense", "outer", "outer", "outer", "expanded", "summed", "mixed", "irregular"),
      program: fc.constantFrom(...Object.keys(programs)),
      dtype: dtypes,
      strange: fc.constantFrom(false, false, true),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, ({ n, t, q, p, kind, program, dtype, strange, seed }) =>
        sameBits((device) => {
          const rng = device.rng(seed);
          const draw = (...shape: number[]) => rng.normal(shape, { dtype });
          // Behind a ReLU half of the numbers are 0, and one that is not finite may be anywhere.
          const sparse = (...shape: number[]) => {
            const drawn = draw(...shape).map((u) => u.relu());
            return strange ? drawn.map((u) => where(u.greater(2.8), Infinity, u)) : drawn;
          };
          const one = outer(sparse(n, q), sparse(n, p));
          const make = (): SampleMatrix => {
            switch (kind) {
              case "dense":
                return denseSamples(draw(n, q, p));
              case "outer":
                return one;
              case "expanded":
                return expanded(draw(n, t, q), draw(n, t, p));
              case "summed":
                return summed([one, denseSamples(draw(n, q, p))]);
              case "mixed":
                return one.mix(draw(3, n));
              default:
                return summed([one, outer(draw(n, p), draw(n, q), { shape: [q, p] })]);
            }
          };
          const matrix = make();
          const perFeature = draw(q * p);
          rng.dispose();
          return matrix.columns(programs[program] as ColumnProgram, perFeature);
        }),
      ),
      {
        numRuns: 100,
        // Where one block of the second factor alone is not finite.
        examples: [
          [{ n: 60, t: 1, q: 16, p: 32, kind: "outer", program: "clamped", dtype: "float32", strange: true, seed: 0 }],
        ],
      },
    );
  });

  it("has the bits of one thread in a captured step, where constants are printed and work is fused", async () => {
    const results = await Promise.all(
      devices.map(async (device) => {
        const rng = device.rng(3);
        const weights = device.cell(rng.normal([70, 40]));
        const x = rng.normal([90, 70]);
        rng.dispose();
        const step = capture((x: Tensor) => {
          const y = x.matmul(weights.value).tanh();
          const gradient = outer(y, x).columns((c) => c.mean((g) => g.clamp(-0.3, 0.3)));
          weights.assign(weights.value.sub(gradient.reshape([40, 70]).transpose().mul(0.1)));
          return y.square().sum();
        });
        let loss: Tensor | null = null;
        for (let k = 0; k < 5; k++) loss = step(x);
        const bits = [await bitsOf(loss as Tensor), await bitsOf(weights.value)];
        for (const owner of [step, weights, x]) owner.dispose();
        return bits;
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it("reads as arrays of memory of their own", async () => {
    for (const device of devices) {
      const data = await tidy(() => device.ones([300]).add(1)).data();
      expect(data.buffer).toBeInstanceOf(ArrayBuffer);
    }
  });
});
