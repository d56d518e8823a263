import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  where,
  type Column,
  type ColumnProgram,
  type Device,
  type DType,
  type Scalar,
  type Tensor,
} from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { traceColumn } from "../../src/kernel/column.js";
import type { Factors, View } from "../../src/kernel/kernel.js";
import { empty } from "../../src/ops/creation.js";
import { coded } from "../coded.js";
import { stored } from "../reference.js";

/** Runs a column program over rows [N][D] given as a dense factor. */
function run(device: Device, dtype: DType, rows: number[][], program: ColumnProgram, operands: Tensor[] = []): Tensor {
  const values = device.tensor(rows.flat(), { shape: [rows.length, rows[0]!.length], dtype, allowNonFinite: true });
  return runOn(device, dtype, { kind: "dense", rows: values }, rows.length, rows[0]!.length, program, operands);
}

function runOn(
  device: Device,
  dtype: DType,
  factors: Factors,
  samples: number,
  features: number,
  program: ColumnProgram,
  operands: readonly View[] = [],
): Tensor {
  const out = empty(device, dtype, [features]);
  device.run({ form: "column", out, program: traceColumn(program, samples, operands.length), factors, operands });
  return out;
}

const columnOf = (rows: readonly (readonly number[])[], d: number) => rows.map((row) => row[d]!);
const ascending = (a: number, b: number) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b);
const sum = (v: readonly number[]) => v.reduce((a, b) => a + b, 0);

/** numpy.quantile, method "linear". */
function quantile(values: readonly number[], q: number): number {
  if (values.some(Number.isNaN)) return NaN;
  const sorted = [...values].sort(ascending);
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const [a, b] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
  return a === b || position === low ? a : a + (position - low) * (b - a);
}

/** One step of a random program: on the device's column, and on plain numbers. */
interface Step {
  readonly traced: (c: Column, k: Scalar) => Column;
  readonly plain: (values: number[], k: number) => number[];
}
interface Ending {
  readonly traced: (c: Column, k: Scalar) => Scalar;
  readonly plain: (values: number[], k: number) => number;
}

const constant = fc.integer({ min: -8, max: 8 }).map((n) => n / 4);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ traced: (c) => c.sorted(), plain: (v) => [...v].sort(ascending) }),
  constant.map((s): Step => ({ traced: (c) => c.map((u) => u.mul(s).add(1)), plain: (v) => v.map((u) => u * s + 1) })),
  fc.constant<Step>({
    traced: (c, k) => c.map((u, m) => u.sub(m!).abs(), k),
    plain: (v, k) => v.map((u) => Math.abs(u - k)),
  }),
  fc.constant<Step>({
    traced: (c) => c.map((u, m) => where(u.greater(m!), u, m!), c.mean()),
    plain: (v) => {
      const m = sum(v) / v.length;
      return v.map((u) => (u > m ? u : m));
    },
  }),
  fc.nat().map((choice): Step => {
    const bounds = (n: number): [number, number] => [choice % n, n - (choice % (n - (choice % n)))];
    return { traced: (c) => c.slice(...bounds(c.length)), plain: (v) => v.slice(...bounds(v.length)) };
  }),
);
const endings: fc.Arbitrary<Ending> = fc.oneof(
  fc.constant<Ending>({ traced: (c) => c.mean(), plain: (v) => sum(v) / v.length }),
  fc.constant<Ending>({ traced: (c, k) => c.sum((u, m) => u.mul(m!), k), plain: (v, k) => sum(v.map((u) => u * k)) }),
  fc.constant<Ending>({ traced: (c) => c.max(), plain: (v) => Math.max(...v) }),
  fc.constant<Ending>({ traced: (c) => c.min((u) => u.square()), plain: (v) => Math.min(...v.map((u) => u * u)) }),
  fc.constant<Ending>({ traced: (c) => c.median(), plain: (v) => quantile(v, 0.5) }),
  fc.integer({ min: 0, max: 10 }).map((tenths): Ending => ({
    traced: (c) => c.quantile(tenths / 10),
    plain: (v) => quantile(v, tenths / 10),
  })),
  fc.constant<Ending>({
    traced: (c) => c.mean((u) => u.greater(0)),
    plain: (v) => v.filter((u) => u > 0).length / v.length,
  }),
  fc.constant<Ending>({
    traced: (c, k) => c.iterate(k, (s) => s.add(c.mean()).mul(0.5), { maximum: 4, tolerance: 0.01 }),
    plain: (v, k) => {
      let s = k;
      for (let turn = 0; turn < 4; turn++) {
        const next = (s + sum(v) / v.length) * 0.5;
        const change = Math.abs(next - s);
        s = next;
        if (change <= 0.01) break;
      }
      return s;
    },
  }),
);
const element = fc.oneof(
  { weight: 9, arbitrary: constant },
  { weight: 1, arbitrary: fc.double({ min: -9, max: 9, noNaN: true }) },
);
const table = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }))
  .chain(([n, d]) => fc.array(fc.array(element, { minLength: d, maxLength: d }), { minLength: n, maxLength: n }));

describe("column programs", () => {
  forEachDevice(({ device, dtype, epsilon, quick }) => {
    const close = { relative: 8 * epsilon, absolute: 64 * epsilon };

    it("do on every coordinate what the same steps do on plain numbers", async () => {
      await fc.assert(
        fc.asyncProperty(table, fc.array(steps, { maxLength: 4 }), endings, async (given, list, end) => {
          const rows = given.map((row) => row.map((v) => stored(dtype, v)));
          const k = rows[0]!.map((_, d) => d - 1);
          const program: ColumnProgram = (c, m) =>
            end.traced(
              list.reduce((column, step) => step.traced(column, m!), c),
              m!,
            );
          const found = run(device, dtype, rows, program, [device.tensor(k, { dtype })]);
          const expected = k.map((m, d) =>
            end.plain(
              list.reduce((values, step) => step.plain(values, m), columnOf(rows, d)),
              m,
            ),
          );
          await expectClose(
            found,
            expected.map((v) => stored(dtype, v)),
            close,
          );
        }),
        // Every case is compiled: an adapter in software takes a tenth of a second for it.
        { numRuns: quick ? 300 : 40 },
      );
    });

    /** Small whole numbers and zeros of either sign, so that there are many ties, and a few that are not finite. */
    const tied = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -9, max: 9 }) },
      { weight: 2, arbitrary: fc.constant(-0) },
      { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 1e30, -1e-30) },
    );
    const mostlyNaN = fc.oneof({ weight: 9, arbitrary: fc.constant(NaN) }, { weight: 1, arbitrary: tied });
    /** Slices of one sorted vector, as shares of its length and what is left; more than four ends are sorted for. */
    const slices = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    const nearAnEnd = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), {
      minLength: 1,
      maxLength: 2,
    });
    /** What is read of a slice, and the same of plain numbers. */
    const readings: readonly Ending[] = [
      { traced: (c) => c.mean(), plain: (v) => sum(v) / v.length },
      { traced: (c) => c.max(), plain: (v) => Math.max(...v) },
      { traced: (c) => c.min(), plain: (v) => Math.min(...v) },
      // NaN is neither: it counts as 4.
      {
        traced: (c) => c.sum((u) => where(u.less(0.5), 1, where(u.greater(0), 2, 4))),
        plain: (v) => sum(v.map((u) => (u < 0.5 ? 1 : u > 0 ? 2 : 4))),
      },
      {
        traced: (c) => c.map((u) => u.mul(2).add(1)).sum((u) => u.clamp(-30, 30)),
        plain: (v) => sum(v.map((u) => Math.max(-30, Math.min(30, 2 * u + 1)))),
      },
    ];
    const change = (choice: number): Step =>
      choice === 0
        ? { traced: (c) => c, plain: (v) => v }
        : { traced: (c) => c.map((u) => u.sub(1).abs()), plain: (v) => v.map((u) => Math.abs(u - 1)) };
    const bounds = fc.oneof(
      slices.map(
        (list) => (n: number) =>
          list.map(([a, b]): [number, number] => {
            const start = Math.min(n - 1, Math.floor(a * n));
            return [start, Math.max(start + 1, Math.min(n, start + Math.ceil(b * (n - start))))];
          }),
      ),
      nearAnEnd.map(
        (list) => (n: number) =>
          list.map(([a, b]): [number, number] => {
            const start = Math.min(a, n - 1);
            return [start, Math.max(start + 1, n - b)];
          }),
      ),
      fc
        .integer({ min: 0, max: 5 })
        .map((k) => (n: number) => [[Math.max(0, n - 1 - k), Math.max(1, n - k)] as [number, number]]),
    );
    const reading = fc.record({
      bounds,
      choice: fc.nat(1),
      which: fc.nat(readings.length - 1),
      again: fc.nat(readings.length - 1),
    });
    /** Two readings of every slice, added up with weights that tell them apart. */
    const cut = ({
      bounds,
      choice,
      which,
      again,
    }: typeof reading extends fc.Arbitrary<infer T> ? T : never): Ending => {
      const both = [readings[which]!, readings[again]!];
      const { traced, plain } = change(choice);
      return {
        traced: (c, k) => {
          const sorted = traced(c, k).sorted();
          return bounds(c.length)
            .flatMap(([start, stop]) => both.map((end) => end.traced(sorted.slice(start, stop), k)))
            .reduce((total, value, i) => total.add(value.mul(i + 1)));
        },
        plain: (v, k) => {
          const sorted = [...plain([...v], k)].sort(ascending);
          return bounds(v.length)
            .flatMap(([start, stop]) => both.map((end) => end.plain(sorted.slice(start, stop), k)))
            .reduce((total, value, i) => total + value * (i + 1));
        },
      };
    };

    it("take slices of sorted values as a sort does, among ties, zeros and what is not finite", async () => {
      const columns = fc
        .tuple(fc.integer({ min: 2, max: 70 }), fc.constantFrom(1, 3, 9), fc.constantFrom(tied, tied, mostlyNaN))
        .chain(([n, d, one]) =>
          fc.array(fc.array(one, { minLength: d, maxLength: d }), { minLength: n, maxLength: n }),
        );
      await fc.assert(
        fc.asyncProperty(columns, reading, async (given, how) => {
          const rows = given.map((row) => row.map((v) => stored(dtype, v)));
          const end = cut(how);
          const found = run(device, dtype, rows, (c) => end.traced(c, undefined as never));
          const expected = rows[0]!.map((_, d) => stored(dtype, end.plain(columnOf(rows, d), 0)));
          await expectClose(found, expected, { relative: 1e-4, absolute: 1e-3 });
        }),
        { numRuns: quick ? 120 : 4 },
      );
    });

    it("take slices of sorted values of outer products, most of them zeros", async () => {
      const [q, p] = [8, 65];
      const strange = fc.constantFrom(0, 0, 1e30, NaN, Infinity);
      const samples = fc.constantFrom(16, 37, 130).chain((n) =>
        fc.record({
          n: fc.constant(n),
          seed: fc.nat(1000),
          sparse: fc.integer({ min: 1, max: 9 }),
          levels: fc.constantFrom(2, 5, 1000),
          strange,
        }),
      );
      await fc.assert(
        fc.asyncProperty(
          samples,
          reading,
          fc.constantFrom(0, 0.25, 0.5, 0.9, 1),
          async ({ n, seed, sparse, levels, strange }, how, at) => {
            const draw = (i: number) => ((i * 7919 + seed * 104729 + ((i * i) % 8191) * 31) % 10007) / 10007;
            const delta = Array.from({ length: n * q }, (_, i) =>
              10 * draw(i) < sparse ? 0 : Math.round((draw(i + 17) - 0.5) * levels),
            );
            const x = Array.from({ length: n * p }, (_, i) => Math.round((draw(3 * i + 5) - 0.4) * levels));
            if (strange !== 0) x[p + 3] = strange;
            const end = cut(how);
            const program: ColumnProgram = (c) =>
              end.traced(c, undefined as never).add(c.map((u) => u.abs()).quantile(at));
            const tensorOf = (values: number[], width: number) =>
              device.tensor(values, { shape: [n, 1, width], dtype, allowNonFinite: true });
            const factors: Factors = { kind: "expanded", delta: tensorOf(delta, q), x: tensorOf(x, p) };
            const found = runOn(device, dtype, factors, n, q * p, program);
            const expected = Array.from({ length: q * p }, (_, d) => {
              const [j, i] = [Math.floor(d / p), d % p];
              const values = Array.from({ length: n }, (_, s) =>
                stored(dtype, delta[s * q + j]! * stored(dtype, x[s * p + i]!)),
              );
              return stored(dtype, end.plain(values, 0) + quantile(values.map(Math.abs), at));
            });
            await expectClose(found, expected, { relative: 1e-4, absolute: 1e-3 });
          },
        ),
        { numRuns: quick ? 40 : 3 },
      );
    });

    it("combine several passes in arithmetic of scalars and numbers", async () => {
      const rows = [
        [1, 5],
        [2, -5],
        [6, 0],
      ];
      const found = run(device, dtype, rows, (c) => {
        const mean = c.mean();
        const variance = c.mean((u, m) => u.sub(m!).square(), mean);
        return c.max().sub(c.min()).div(variance.sqrt()).add(mean.mul(2));
      });
      const expected = [0, 1].map((d) => {
        const v = columnOf(rows, d);
        const m = sum(v) / 3;
        return (Math.max(...v) - Math.min(...v)) / Math.sqrt(sum(v.map((u) => (u - m) ** 2)) / 3) + 2 * m;
      });
      await expectClose(found, expected, close);
    });

    it("may return a number, a test, or what they were given", async () => {
      const rows = [
        [1, -2],
        [3, 4],
      ];
      await expectClose(
        run(device, dtype, rows, () => 7),
        [7, 7],
      );
      await expectClose(
        run(device, dtype, rows, (c) => c.min().greater(0)),
        [1, 0],
      );
      await expectClose(
        run(device, dtype, rows, (_, k) => k!, [device.tensor([8, 9], { dtype })]),
        [8, 9],
      );
    });

    it("find order statistics among ties, infinities and single values", async () => {
      const rows = [
        [2, Infinity, 7],
        [2, -Infinity, 7],
        [1, 0, 7],
        [2, 1, 7],
      ];
      await expectClose(
        run(device, dtype, rows, (c) => c.median()),
        [2, 0.5, 7],
      );
      await expectClose(
        run(device, dtype, rows, (c) => c.quantile(0)),
        [1, -Infinity, 7],
      );
      await expectClose(
        run(device, dtype, rows, (c) => c.quantile(1)),
        [2, Infinity, 7],
      );
      await expectClose(
        run(device, dtype, [[5, -1]], (c) => c.quantile(0.3)),
        [5, -1],
      );
      const huge = dtype === "float32" ? 3e38 : 1.7e308;
      await expectClose(
        run(device, dtype, [[huge], [huge]], (c) => c.median()),
        [stored(dtype, huge)],
      );
    });

    it("give NaN for quantiles of NaN, and sort it last", async () => {
      const rows = [
        [NaN, 1],
        [2, 3],
        [1, 2],
      ];
      await expectClose(
        run(device, dtype, rows, (c) => c.median()),
        [NaN, 2],
      );
      await expectClose(
        run(device, dtype, rows, (c) => c.sorted().slice(0, 2).mean()),
        [1.5, 1.5],
      );
      await expectClose(
        run(device, dtype, rows, (c) => c.max()),
        [NaN, 3],
      );
    });

    it("stop every coordinate on its own in an iteration, nested ones as well", async () => {
      const rows = [
        [0, 10],
        [0, 20],
      ];
      const counted: ColumnProgram = (c) =>
        c.iterate(0, (s) => where(s.less(c.max()), s.add(1), s), { maximum: 100, tolerance: 0 });
      await expectClose(run(device, dtype, rows, counted), [0, 20]);
      const nested: ColumnProgram = (c) =>
        c.iterate(
          1,
          (s) => {
            const inner = c.iterate(s, (t) => t.mul(2), { maximum: 2, tolerance: 0 });
            return inner.add(c.min((u) => u.mul(0)));
          },
          { maximum: 3, tolerance: 0 },
        );
      await expectClose(run(device, dtype, rows, nested), [64, 64]);
      const tolerant: ColumnProgram = (c) =>
        c.iterate(c.mean(), (s) => s.mul(0.5), { maximum: 50, tolerance: c.max().mul(0.1) });
      await expectClose(run(device, dtype, rows, tolerant), [0, 15 / 8]);
      await expectClose(
        run(device, dtype, [[NaN]], (c) => c.iterate(c.mean(), (s) => s, { maximum: 5, tolerance: 1 })),
        [NaN],
      );
    });

    it("read transposed, sliced and broadcast factors", async () => {
      const whole = device.tensor(
        [
          [9, 1, 2],
          [9, 3, 5],
        ],
        { dtype },
      );
      const rows = whole.slice(null, [1]).transpose();
      const program: ColumnProgram = (c, k) => c.sum().mul(k!);
      const k = device.tensor([2], { dtype }).broadcastTo([2]);
      await expectClose(runOn(device, dtype, { kind: "dense", rows }, 2, 2, program, [k]), [6, 16]);
    });

    it("read values formed from factors", async () => {
      const delta = device.tensor(
        [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ],
        { dtype },
      );
      const x = device.tensor(
        [
          [
            [1, 0, 2],
            [0, 1, 1],
          ],
          [
            [2, 2, 0],
            [1, 0, 3],
          ],
        ],
        { dtype },
      );
      const row = (n: number, q: number, p: number) => {
        const d = [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6],
            [7, 8],
          ],
        ][n]!;
        const y = [
          [
            [1, 0, 2],
            [0, 1, 1],
          ],
          [
            [2, 2, 0],
            [1, 0, 3],
          ],
        ][n]!;
        return d[0]![q]! * y[0]![p]! + d[1]![q]! * y[1]![p]!;
      };
      const values = [0, 1].map((n) => [0, 1].flatMap((q) => [0, 1, 2].map((p) => row(n, q, p))));
      const expanded: Factors = { kind: "expanded", delta, x };
      const max: ColumnProgram = (c) => c.max();
      await expectClose(
        runOn(device, dtype, expanded, 2, 6, max),
        values[0]!.map((v, d) => Math.max(v, values[1]![d]!)),
      );
      const dense = device.tensor(
        [
          [NaN, 1, 1, 1, 1, 1],
          [1, 2, 3, 4, 5, 6],
        ],
        { dtype, allowNonFinite: true },
      );
      const summed: Factors = { kind: "summed", parts: [expanded, { kind: "dense", rows: dense }] };
      const weights = device.tensor(
        [
          [0, 2],
          [0, 1],
          [0, -1],
        ],
        { dtype },
      );
      const mixed: Factors = { kind: "mixed", weights, base: summed };
      const last = values[1]!.map((v, d) => v + d + 1);
      await expectClose(
        runOn(device, dtype, mixed, 3, 6, (c) => c.sum()),
        last.map((v) => 2 * v),
      );
      const both: Factors = { kind: "summed", parts: [mixed, mixed] };
      await expectClose(
        runOn(device, dtype, both, 3, 6, (c) => c.sorted().slice(1, 2).mean()),
        last.map((v) => 2 * v),
      );
    });

    it("leave nothing behind and form nothing of N × D", () => {
      const rows = device.zeros([100, 50], { dtype });
      device.resetPeak();
      const before = device.memory().live;
      runOn(device, dtype, { kind: "dense", rows }, 100, 50, (c) => c.sorted().slice(10, 90).mean());
      expect(device.memory().peak - before).toBe(50 * (dtype === "float32" ? 4 : 8));
    });
  });
});

describe("tracing a column program", () => {
  const trace = (program: ColumnProgram) => () => traceColumn(program, 5, 1);

  it("refuses slices, quantiles and iterations that are none", () => {
    for (const [start, stop] of [
      [-1, 2],
      [2, 2],
      [3, 2],
      [0, 6],
      [0.5, 2],
      [NaN, 2],
    ] as const) {
      expect(trace((c) => c.slice(start, stop).mean())).toThrow(coded("BAD_ARGUMENT", "slice"));
    }
    expect(trace((c) => c.slice(1, 3).slice(0, 3).mean())).toThrow(coded("BAD_ARGUMENT", "≤ 2"));
    for (const q of [-0.1, 1.1, NaN]) expect(trace((c) => c.quantile(q))).toThrow(coded("BAD_ARGUMENT", "[0, 1]"));
    for (const maximum of [0, 1.5, NaN]) {
      expect(trace((c) => c.iterate(0, (s) => s, { maximum, tolerance: 0 }))).toThrow(coded("BAD_ARGUMENT", "maximum"));
    }
  });

  it("knows how many values there are", () => {
    traceColumn(
      (c) => {
        expect([c.length, c.sorted().slice(1, 4).length, c.map((u) => u.neg()).length]).toEqual([5, 3, 5]);
        return 0;
      },
      5,
      0,
    );
  });

  it("refuses results that are no scalars of its own", () => {
    let leaked: Scalar | undefined;
    traceColumn((c) => (leaked = c.mean()), 5, 0);
    for (const program of [
      () => leaked!,
      (c: Column) => c.mean().add(leaked!),
      (c: Column) => c.mean((u) => u.add(leaked!)),
    ]) {
      expect(trace(program)).toThrow(coded("BAD_ARGUMENT", "another"));
    }
    expect(trace((c) => c as never)).toThrow(coded("BAD_ARGUMENT"));
    expect(trace(() => undefined as never)).toThrow(coded("BAD_ARGUMENT"));
    expect(trace((c) => Math.abs(c.mean() as never))).toThrow(coded("BAD_ARGUMENT"));
  });

  it("refuses elements outside of the pass they belong to", () => {
    const escaping = (program: (c: Column, keep: (u: Scalar) => Scalar) => Scalar): ColumnProgram => {
      return (c) => {
        let kept: Scalar | undefined;
        return program(c, (u) => (kept ??= u));
      };
    };
    const message = "an element of another pass";
    expect(
      trace((c) => {
        let kept: Scalar | undefined;
        c.mean((u) => (kept = u));
        return kept!;
      }),
    ).toThrow(coded("BAD_ARGUMENT", message));
    expect(trace(escaping((c, keep) => c.map((u) => keep(u).add(u)).mean((v) => v.add(keep(v)))))).toThrow(
      coded("BAD_ARGUMENT", message),
    );
    expect(trace((c) => c.mean((u) => c.sum((v) => v.mul(u))))).toThrow(coded("BAD_ARGUMENT", message));
    expect(trace((c) => c.mean((u) => u.sub(c.max())))).not.toThrow();
  });

  it("computes before a pass what does not depend on its element, once", () => {
    const { statements } = traceColumn(
      (c, k) => {
        const scale = c.mean().abs().sqrt();
        return c.mean((u) => where(k!.greater(0), u.div(scale).add(scale), k!.exp().mul(u)));
      },
      5,
      1,
    );
    expect(statements.map(({ kind }) => kind)).toEqual(["reduce", "let", "let", "reduce"]);
    const last = statements.at(-1)!;
    expect(last.kind === "reduce" && JSON.stringify(last.f)).not.toMatch(/sqrt|exp/);
    const inside = traceColumn(
      (c) => c.iterate(0, (s) => c.mean((u) => u.mul(s.exp())), { maximum: 2, tolerance: 0 }),
      5,
      0,
    );
    const [loop] = inside.statements;
    expect(loop!.kind === "iterate" && loop!.body.map(({ kind }) => kind)).toEqual(["let", "reduce"]);
  });

  it("refuses numbers where tests are expected", () => {
    expect(trace((c) => c.mean((u) => u.and(u)))).toThrow(coded("DTYPE_MISMATCH", "tests"));
    expect(trace((c) => where(c.mean(), 1, 2))).toThrow(coded("DTYPE_MISMATCH"));
  });
});
