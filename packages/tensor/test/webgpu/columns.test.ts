import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  denseSamples,
  eigh,
  expanded,
  generator,
  openDevice,
  outer,
  scatterAdd,
  where,
  type ColumnProgram,
  type Device,
  type Tensor,
} from "@robgrad/tensor";
import { memoryReturns } from "@robgrad/tensor/testing";
import { openWebGpu } from "./open-web-gpu.js";

const opened = await openWebGpu();

/** Sizes at which column programs and routines are printed in another way than for small ones. */
describe.skipIf(opened === null)("webgpu column programs", () => {
  const device = opened as Device;
  let cpu: Device;
  beforeAll(async () => {
    cpu = await openDevice("cpu");
  });
  afterAll(() => {
    device.dispose();
    cpu.dispose();
  });
  memoryReturns(() => device);
  memoryReturns(() => cpu);

  const dtype = (on: Device) => (on === device ? "float32" : "float64");
  /** Normal numbers of float32, the same on both devices. */
  const normal = (on: Device, seed: number, shape: readonly number[], change = (v: number, _i: number) => v) =>
    on.tensor(
      Float64Array.from(generator(seed).normal(shape).values, (v, i) => Math.fround(change(v, i))),
      {
        shape,
        dtype: dtype(on),
        allowNonFinite: true,
      },
    );
  const near = async (f: (on: Device) => Tensor, tolerance: number) => {
    const [found, expected] = await Promise.all([f(device).data(), f(cpu).data()]);
    expect(found.length).toBe(expected.length);
    found.forEach((value, i) => {
      const wanted = expected[i] as number;
      if (Object.is(value, wanted) || value === wanted) return;
      expect(Math.abs(value - wanted), `${i}: ${value} and ${wanted}`).toBeLessThanOrEqual(
        tolerance * Math.max(1, Math.abs(wanted)),
      );
    });
  };

  const order: ColumnProgram = (c) => {
    const m = c.median();
    const kept = c.sorted().slice(Math.floor(c.length / 5), c.length - 3);
    return kept
      .map((u) => u.sub(m).abs())
      .sorted()
      .slice(1, kept.length - 1)
      .mean()
      .add(c.quantile(0.9));
  };
  const location: ColumnProgram = (c) => {
    const s = c.mean((u) => u.abs()).add(0.1);
    const step = (t: ReturnType<typeof c.mean>) => t.add(c.mean((u) => u.sub(t).div(s).tanh()).mul(s));
    return c.iterate(c.median(), step, { maximum: 9, tolerance: 0 });
  };
  const ties = (v: number, i: number) => (i % 3 === 0 ? Math.round(v) : i % 101 === 7 ? NaN : v);

  it.each([
    [9, 300],
    [70, 33],
    [240, 3],
    [5000, 3],
  ] as const)("find order statistics and fixed points of %d samples of %d coordinates", async (n, d) => {
    await near((on) => denseSamples(normal(on, n, [n, d])).columns(order), 1e-5);
    await near(
      (on) =>
        denseSamples(normal(on, n, [n, d], ties)).columns((c) =>
          c
            .sorted()
            .slice(1, n - 1)
            .max(),
        ),
      0,
    );
    await near((on) => denseSamples(normal(on, n, [n, d])).columns(location), 1e-4);
  });

  it("keep the digits of long sums", async () => {
    await near((on) => denseSamples(normal(on, 2, [20000, 2], (v) => v + 100)).columns((c) => c.mean()), 2e-7);
  });

  it("have squares of coordinates in wide layers", async () => {
    const program: ColumnProgram = (c, a) => c.mean((u) => u.sub(a!).tanh()).add(c.max());
    const shift = (on: Device) => normal(on, 9, [129 * 131]);
    await near((on) => outer(normal(on, 1, [5, 129]), normal(on, 2, [5, 131])).columns(program, shift(on)), 1e-5);
    await near(
      (on) => expanded(normal(on, 1, [4, 3, 129]), normal(on, 2, [4, 3, 131])).columns(program, shift(on)),
      1e-5,
    );
  });

  const [N, Q, P] = [60, 66, 70];
  const deviation: ColumnProgram = (c) => {
    const m = c.mean();
    return c.mean((u) => u.sub(m).square()).sqrt();
  };
  const soft: ColumnProgram = (c) => {
    const m = c.mean();
    const s = c
      .mean((u) => u.sub(m).square())
      .sqrt()
      .mul(2);
    const per = where(s.greater(0), s.reciprocal(), 0);
    const psi = c.mean((u) => {
      const z = u.sub(m).mul(per).clamp(-Math.SQRT2, Math.SQRT2);
      return z.sub(z.mul(z).mul(z).div(6));
    });
    return m.add(s.mul(psi));
  };
  const huber: ColumnProgram = (c) => {
    const s = c.mean((u) => u.square()).sqrt();
    const per = where(s.greater(0), s.reciprocal(), 0);
    const step = (t: ReturnType<typeof c.mean>) => t.add(c.mean((u) => u.sub(t).mul(per).clamp(-3, 3)).mul(s));
    return c.iterate(c.mean(), step, { maximum: 2, tolerance: 0 });
  };
  const inputs: Record<string, (v: number, n: number, k: number) => readonly [number, number]> = {
    "normal factors": (v) => [v, v],
    "two hostile samples": (v, n) => (n < 2 ? [1e4 * v, 1e4 * v] : [v, v]),
    "a large common part": (v) => [v + 1000, v + 1000],
    "sparse outputs and constant-zero inputs": (v, n, k) => [Math.max(v, 0), k % 3 === 0 ? 0 : (n * k) % 7],
    "what a softmax and a ReLU leave": (v, n, k) => [(n === k ? -1 : 0) + 1e-4 * Math.exp(v), Math.max(v, 0)],
    "heavy tails": (v) => [v ** 7, v ** 5],
    "tiny numbers": (v) => [1e-15 * v, v],
    "huge numbers": (v) => [1e15 * v, v],
    "what is not finite": (v, n, k) => [k === 3 && n === 5 ? Infinity : v, k === 7 && n === 6 ? NaN : v],
  };
  it.each(Object.keys(inputs))(
    "by sums of powers stay within a small part of a standard error for %s",
    async (name) => {
      const draw = inputs[name]!;
      const matrix = (on: Device) => {
        const factor = (which: 0 | 1, columns: number) =>
          normal(on, 8 + which, [N, columns], (v, i) => draw(v, Math.floor(i / columns), i % columns)[which]);
        return outer(factor(0, Q), factor(1, P));
      };
      const exact = matrix(cpu);
      const [sd, mean] = await Promise.all([exact.columns(deviation).data(), exact.mean().data()]);
      for (const program of [soft, huber]) {
        const [found, expected] = await Promise.all([
          matrix(device).columns(program).data(),
          exact.columns(program).data(),
        ]);
        found.forEach((value, d) => {
          const wanted = expected[d] as number;
          if (Object.is(value, wanted)) return;
          const bound = (1e-4 * (sd[d] as number)) / Math.sqrt(N) + 1e-6 * Math.abs(mean[d] as number);
          expect(Math.abs(value - wanted), `${d}: ${value} and ${wanted}`).toBeLessThanOrEqual(bound);
        });
      }
    },
  );

  it("sort, add up and scatter along long axes", async () => {
    for (const descending of [false, true]) {
      await near((on) => {
        const x = normal(on, 3, [2, 1100, 2], ties);
        return descending ? x.topk(900, { axis: 1 }).indices : x.argsort({ axis: 1 });
      }, 0);
    }
    await near((on) => normal(on, 4, [2, 1100, 2], Math.round).cast("int32").cumsum({ axis: 1 }), 0);
    await near((on) => normal(on, 4, [2, 1100, 2]).cumsum({ axis: 1 }), 1e-5);
    const places = (on: Device) => on.tensor(Int32Array.from({ length: 500 }, (_, i) => (i * i) % 13));
    await near((on) => scatterAdd(places(on), normal(on, 5, [500, 3]), { size: 11 + 2 }), 1e-5);
    await near((on) => scatterAdd(places(on), normal(on, 5, [3, 500]), { size: 11 + 2, axis: 1 }), 1e-5);
  });

  it("find the eigenvalues of matrices with more pairs than an odd number of indices has", async () => {
    await near((on) => {
      const a = normal(on, 6, [33, 33], Math.round);
      return eigh(a.add(a.transpose())).values;
    }, 1e-5);
  });
});
