import {
  concatenated,
  denseSamples,
  expanded,
  generator,
  indexed,
  openDevice,
  outer,
  summed,
  tidy,
  where,
  type ColumnProgram,
  type Device,
  type SampleMatrix,
  type Tensor,
} from "@robgrad/tensor";
import { blockAverages, blockMeans, convolved, squaredDistancesTo } from "@robgrad/tensor/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWebGpu } from "../webgpu/open-web-gpu.js";

const webGpu = await openWebGpu();
const hasWebGpu = webGpu !== null;
webGpu?.dispose();

/** Rows of a matrix, by its definition, on the host. */
type Rows = number[][];

const N = 6;
const T = 3;
const Q = 4;
const P = 5;

function matrixOf(
  g: ReturnType<typeof generator>,
  ...shape: number[]
): { values: Float64Array; at: (...i: number[]) => number } {
  const { values } = g.normal(shape);
  return {
    values,
    at: (...index) => values[index.reduce((place, i, axis) => place * (shape[axis] as number) + i, 0)] as number,
  };
}

interface Case {
  readonly name: string;
  readonly matrix: SampleMatrix;
  readonly rows: Rows;
}

/** Every form, with its rows computed by plain loops. */
function cases(device: Device, dtype: "float32" | "float64"): Case[] {
  const g = generator(11);
  const upload = (m: { values: Float64Array }, shape: number[]) => device.tensor(m.values, { shape, dtype });
  const each = (f: (n: number) => number[]): Rows => Array.from({ length: N }, (_, n) => f(n));
  const pairs = (f: (q: number, p: number) => number): number[] =>
    Array.from({ length: Q * P }, (_, d) => f(Math.floor(d / P), d % P));
  const rows = matrixOf(g, N, Q, P);
  const delta = matrixOf(g, N, Q);
  const x = matrixOf(g, N, P);
  const deltas = matrixOf(g, N, T, Q);
  const xs = matrixOf(g, N, T, P);
  const weights = matrixOf(g, 3, N);
  const time = Array.from({ length: T }, (_, t) => t);
  const dense = {
    name: "dense",
    matrix: denseSamples(upload(rows, [N, Q, P])),
    rows: each((n) => pairs((q, p) => rows.at(n, q, p))),
  };
  const rankOne = {
    name: "outer",
    matrix: outer(upload(delta, [N, Q]), upload(x, [N, P])),
    rows: each((n) => pairs((q, p) => delta.at(n, q) * x.at(n, p))),
  };
  const rankT = {
    name: "expanded",
    matrix: expanded(upload(deltas, [N, T, Q]), upload(xs, [N, T, P])),
    rows: each((n) => pairs((q, p) => time.reduce((sum, t) => sum + deltas.at(n, t, q) * xs.at(n, t, p), 0))),
  };
  const entries = [0, 3, 3, 1, 1, 1, 2, 0, 3, 0, 0, 2, 1, 2, 0, 3, 2, 2];
  const lookedUp = {
    name: "indexed",
    matrix: indexed(device.tensor(Int32Array.from(entries), { shape: [N, T] }), upload(xs, [N, T, P]), { size: Q }),
    rows: each((n) =>
      pairs((q, p) => time.reduce((sum, t) => sum + (entries[n * T + t] === q ? xs.at(n, t, p) : 0), 0)),
    ),
  };
  const [uses, steps] = [2, 3];
  const deltasOfImages = matrixOf(g, N, uses, Q, steps);
  const images = matrixOf(g, N, uses, 1, steps + P - 1);
  const windows = { kernel: [P], stride: [1], dilation: [1], groups: 1 };
  const places = Array.from({ length: uses * steps }, (_, k) => [k % uses, Math.floor(k / uses)] as const);
  const convolution = {
    name: "convolved",
    matrix: convolved(
      upload(deltasOfImages, [N, uses, Q, steps]),
      upload(images, [N, uses, 1, steps + P - 1]),
      windows,
    ),
    rows: each((n) =>
      pairs((q, p) =>
        places.reduce((sum, [u, t]) => sum + deltasOfImages.at(n, u, q, t) * images.at(n, u, 0, t + p), 0),
      ),
    ),
  };
  const add = (a: Rows, b: Rows) => a.map((row, n) => row.map((v, d) => v + (b[n] as number[])[d]!));
  const mix = (a: Rows) =>
    Array.from({ length: 3 }, (_, m) =>
      (a[0] as number[]).map((_, d) => a.reduce((sum, row, n) => sum + weights.at(m, n) * row[d]!, 0)),
    );
  const w = upload(weights, [3, N]);
  /** Means of rows start … stop − 1. */
  const averaged = (a: Rows, blocks: readonly (readonly [start: number, stop: number])[]) =>
    blocks.map(([start, stop]) =>
      (a[0] as number[]).map((_, d) => a.slice(start, stop).reduce((sum, row) => sum + row[d]!, 0) / (stop - start)),
    );
  const means = (matrix: SampleMatrix, blocks: number) => blockMeans(matrix, blockAverages(matrix, blocks));
  const uneven = [
    [0, 2],
    [2, 4],
    [4, 5],
    [5, 6],
  ] as const;
  const both = {
    matrix: concatenated([rankT.matrix, dense.matrix]),
    rows: rankT.rows.map((row, n) => [...row, ...(dense.rows[n] as number[])]),
  };
  return [
    dense,
    rankOne,
    rankT,
    lookedUp,
    {
      name: "summed of a table and a layer tied to it",
      matrix: summed([lookedUp.matrix, rankOne.matrix]),
      rows: add(lookedUp.rows, rankOne.rows),
    },
    convolution,
    {
      name: "summed with convolved",
      matrix: summed([convolution.matrix, outer(upload(delta, [N, Q]), upload(x, [N, P]), { shape: [Q, 1, P] })]),
      rows: add(convolution.rows, rankOne.rows),
    },
    { name: "mixed convolved", matrix: convolution.matrix.mix(w), rows: mix(convolution.rows) },
    {
      name: "means of blocks of convolved",
      matrix: means(convolution.matrix, 4),
      rows: averaged(convolution.rows, uneven),
    },
    {
      name: "summed of one layout",
      matrix: summed([rankOne.matrix, rankT.matrix]),
      rows: add(rankOne.rows, rankT.rows),
    },
    {
      name: "summed of two layouts",
      matrix: summed([rankOne.matrix, dense.matrix]),
      rows: add(rankOne.rows, dense.rows),
    },
    {
      name: "concatenated",
      matrix: concatenated([rankOne.matrix, dense.matrix, rankT.matrix]),
      rows: rankOne.rows.map((row, n) => [...row, ...(dense.rows[n] as number[]), ...(rankT.rows[n] as number[])]),
    },
    { name: "mixed outer", matrix: rankOne.matrix.mix(w), rows: mix(rankOne.rows) },
    {
      name: "mixed summed",
      matrix: summed([rankOne.matrix, dense.matrix]).mix(w),
      rows: mix(add(rankOne.rows, dense.rows)),
    },
    {
      name: "mixed concatenated",
      matrix: concatenated([rankOne.matrix, dense.matrix]).mix(w),
      rows: mix(rankOne.rows.map((row, n) => [...row, ...(dense.rows[n] as number[])])),
    },
    {
      name: "means of equal blocks",
      matrix: means(rankT.matrix, 3),
      rows: averaged(rankT.rows, [
        [0, 2],
        [2, 4],
        [4, 6],
      ]),
    },
    { name: "means of unequal blocks", matrix: means(both.matrix, 4), rows: averaged(both.rows, uneven) },
    {
      name: "means of blocks of a sum",
      matrix: means(summed([rankOne.matrix, dense.matrix]), 4),
      rows: averaged(add(rankOne.rows, dense.rows), uneven),
    },
    {
      name: "mixed means of blocks",
      matrix: means(both.matrix, 6).mix(w),
      rows: mix(both.rows),
    },
    {
      name: "scaled by a number",
      matrix: rankT.matrix.scale(-2),
      rows: rankT.rows.map((row) => row.map((v) => -2 * v)),
    },
    {
      name: "scaled by sample",
      matrix: concatenated([rankOne.matrix, dense.matrix]).scale(device.arange(N, { dtype })),
      rows: rankOne.rows.map((row, n) => [...row, ...(dense.rows[n] as number[])].map((v) => n * v)),
    },
    {
      name: "taken rows",
      matrix: summed([rankOne.matrix, dense.matrix]).take(device.tensor([5, 0, 0], { dtype: "int32" })),
      rows: [5, 0, 0].map((n) => add(rankOne.rows, dense.rows)[n] as number[]),
    },
  ];
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, d) => sum + v * b[d]!, 0);
const middle = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const k = sorted.length - 1;
  return (sorted[k >> 1]! + sorted[(k + 1) >> 1]!) / 2;
};

for (const [label, open] of [
  ["cpu", () => openDevice("cpu")],
  ["cpu, interpreted", () => openDevice("cpu", { interpret: true })],
  ["wasm", () => openDevice("wasm")],
  ["webgpu", () => openDevice("webgpu")],
] as const) {
  for (const dtype of label === "webgpu" ? (["float32"] as const) : (["float64", "float32"] as const)) {
    describe.skipIf(label === "webgpu" && !hasWebGpu)(`sample matrices on ${label}, ${dtype}`, () => {
      let device: Device;
      beforeAll(async () => {
        device = await open();
      });
      afterAll(() => device.dispose());

      const tolerance = dtype === "float64" ? 1e-12 : 2e-5;
      const close = async (actual: Tensor, expected: readonly number[]) => {
        const values = Array.from(await actual.data());
        expect(values.length).toBe(expected.length);
        const size = Math.max(1, ...expected.map(Math.abs));
        values.forEach((v, i) =>
          expect(Math.abs(v - expected[i]!) / size, `${i}: ${v} and ${expected[i]}`).toBeLessThan(tolerance),
        );
      };

      const names = [
        "dense",
        "outer",
        "expanded",
        "convolved",
        "summed with convolved",
        "mixed convolved",
        "means of blocks of convolved",
        "summed of one layout",
        "summed of two layouts",
        "concatenated",
        "mixed outer",
        "mixed summed",
        "mixed concatenated",
        "means of equal blocks",
        "means of unequal blocks",
        "means of blocks of a sum",
        "mixed means of blocks",
        "scaled by a number",
        "scaled by sample",
        "taken rows",
      ];
      it("answers tile by tile on block means of more columns than a tile has", async () => {
        const rng = device.rng(5);
        const matrix = outer(rng.normal([9, 70], { dtype }), rng.normal([9, 600], { dtype }));
        const averages = blockAverages(matrix, 4);
        const [found, expected] = [blockMeans(matrix, averages), matrix.mix(averages)];
        await close(found.squaredDistances(), Array.from(await expected.squaredDistances().data()));
        const shift = rng.normal([matrix.features], { dtype });
        const program: ColumnProgram = (c, a) => c.max().sub(a!);
        await close(found.columns(program, shift), Array.from(await expected.columns(program, shift).data()));
        rng.dispose();
      });

      it.each(names)("%s answers every question as its rows do", async (name) => {
        const { matrix, rows } = cases(device, dtype).find((c) => c.name === name)!;
        const features = rows[0]!.length;
        const columns = rows[0]!.map((_, d) => rows.map((row) => row[d]!));
        expect(matrix.samples).toBe(rows.length);
        expect(matrix.features).toBe(features);

        await close(matrix.rows(), rows.flat());
        await close(
          matrix.rows([3, 11]),
          rows.flatMap((row) => row.slice(3, 11)),
        );
        await close(
          matrix.mean(),
          columns.map((c) => c.reduce((a, b) => a + b) / c.length),
        );

        const shift = generator(3).normal([features]).values;
        const perFeature = device.tensor(shift, { dtype });
        await close(
          matrix.mean((g, a) => g.sub(a).tanh(), perFeature),
          columns.map((c, d) => c.reduce((sum, v) => sum + Math.tanh(v - shift[d]!), 0) / c.length),
        );

        const program: ColumnProgram = (c, a) => {
          const m = c.median();
          const spread = c.map((g) => g.sub(m).abs()).median();
          return where(
            a!.greater(0),
            c
              .sorted()
              .slice(1, c.length - 1)
              .mean(),
            m.add(spread),
          );
        };
        const usable = rows.length > 2;
        if (usable) {
          await close(
            matrix.columns(program, perFeature),
            columns.map((c, d) => {
              const inner = [...c].sort((a, b) => a - b).slice(1, -1);
              const m = middle(c);
              return shift[d]! > 0
                ? inner.reduce((a, b) => a + b) / inner.length
                : m + middle(c.map((v) => Math.abs(v - m)));
            }),
          );
        }

        const weights = rows.map((_, n) => (n === 1 ? 0 : n - 1.5));
        await close(
          matrix.combine(device.tensor(weights, { dtype })),
          columns.map((c) => dot(c, weights)),
        );
        await close(
          matrix.gram(),
          rows.flatMap((a) => rows.map((b) => dot(a, b))),
        );
        await close(
          matrix.squaredDistances(),
          rows.flatMap((a) => rows.map((b) => a.reduce((sum, v, d) => sum + (v - b[d]!) ** 2, 0))),
        );
        await close(
          matrix.squaredNorms(),
          rows.map((row) => dot(row, row)),
        );
        await close(
          squaredDistancesTo(matrix, perFeature),
          rows.map((row) => row.reduce((sum, v, d) => sum + (v - shift[d]!) ** 2, 0)),
        );
        await close(
          matrix.dot(perFeature),
          rows.map((row) => dot(row, Array.from(shift))),
        );
      });

      it("returns its memory", () => {
        const before = device.memory().live;
        tidy(() => {
          for (const { matrix } of cases(device, dtype)) {
            matrix.squaredDistances();
            matrix.gram();
            matrix.mean((g) => g.abs());
          }
        });
        expect(device.memory().live).toBe(before);
      });
    });
  }
}

describe.each(["cpu", "wasm", "webgpu"] as const)("on %s", (name) => {
  const absent = name === "webgpu" && !hasWebGpu;
  describe.skipIf(absent)("sample matrices with a non-finite row", () => {
    it("leave it out where its weight is 0", async () => {
      const device = await openDevice(name);
      const delta = device.tensor(
        [
          [1, 2],
          [Infinity, 1],
          [3, 4],
        ],
        { allowNonFinite: true },
      );
      const x = device.tensor(
        [
          [1, 1, 1],
          [NaN, 0, Infinity],
          [2, 0, 1],
        ],
        { allowNonFinite: true },
      );
      const forms = [outer(delta, x), denseSamples(outer(delta, x).rows()), concatenated([outer(delta, x)])];
      const w = device.tensor([0.5, 0, 0.5]);
      const expected = [0.5 + 3, 0.5, 0.5 + 1.5, 1 + 4, 1, 1 + 2];
      for (const form of forms) {
        expect(await form.combine(w).toArray()).toEqual(expected);
        const mixed = form.mix(
          device.tensor([
            [0.5, 0, 0.5],
            [1, 0, 0],
          ]),
        );
        expect(await mixed.rows().slice([0, 1]).toArray()).toEqual([expected]);
        expect(await mixed.columns((c) => c.max()).toArray()).toEqual([3.5, 1, 2, 5, 2, 3]);
        const gram = (await mixed.gram().toArray()) as number[][];
        expect(gram[0]![0]).toBeCloseTo(
          expected.reduce((sum, v) => sum + v * v, 0),
          4,
        );
      }
      device.dispose();
    });
  });

  describe.skipIf(absent)("squared distances in float32", () => {
    // Small ones are reduced; large ones are products of matrices on wasm.
    const extents = [
      [8, 6, 7],
      [40, 4, 784],
    ] as const;
    const offsets = [1, 10, 100, 1000];
    it.each(extents.flatMap((extent) => offsets.map((offset) => [...extent, offset] as const)))(
      "keep their digits when %d rows [%d, %d] share a common part %d times the spread",
      async (N, Q, P, offset) => {
        const device = await openDevice(name);
        const g = generator(5);
        const delta = Float32Array.from(g.normal([N, Q]).values, (v) => v + offset);
        const x = Float32Array.from(g.normal([N, P]).values, (v) => v + offset);
        // Two hostile rows, the first among them, and a sign that the factors exchange.
        for (let q = 0; q < Q; q++) {
          delta[q] = 1e4 * delta[q]!;
          delta[5 * Q + q] = -1e4 * delta[5 * Q + q]!;
          delta[3 * Q + q] = -delta[3 * Q + q]!;
        }
        for (let p = 0; p < P; p++) x[3 * P + p] = -x[3 * P + p]!;
        const rows = Array.from({ length: N }, (_, n) =>
          Array.from({ length: Q * P }, (_, d) => delta[n * Q + Math.floor(d / P)]! * x[n * P + (d % P)]!),
        );
        const matrix = outer(device.tensor(delta, { shape: [N, Q] }), device.tensor(x, { shape: [N, P] }));
        const found = (await matrix.squaredDistances().toArray()) as number[][];
        rows.forEach((a, m) =>
          rows.forEach((b, n) => {
            const exact = a.reduce((sum, v, d) => sum + (v - b[d]!) ** 2, 0);
            expect(Math.abs(found[m]![n]! - exact)).toBeLessThanOrEqual(2e-6 * exact);
          }),
        );
        device.dispose();
      },
    );

    it("to a point keep their digits when rows and it share a common part", async () => {
      const device = await openDevice(name);
      const g = generator(6);
      const [N, Q, P, offset] = [6, 5, 7, 1000];
      const delta = Float32Array.from(g.normal([N, Q]).values, (v) => v + offset);
      const x = Float32Array.from(g.normal([N, P]).values, (v) => v + offset);
      const rows = Array.from({ length: N }, (_, n) =>
        Array.from({ length: Q * P }, (_, d) => delta[n * Q + Math.floor(d / P)]! * x[n * P + (d % P)]!),
      );
      const point = Float32Array.from(rows[2]!);
      const factors = [device.tensor(delta, { shape: [N, Q] }), device.tensor(x, { shape: [N, P] })] as const;
      const found = await squaredDistancesTo(outer(...factors), device.tensor(point)).data();
      rows.forEach((row, n) => {
        const exact = row.reduce((sum, v, d) => sum + (v - point[d]!) ** 2, 0);
        // δ·x is rounded once before the difference.
        const rounded = row.reduce((sum, v) => sum + (2 ** -24 * v) ** 2, 0);
        expect(Math.abs(Math.sqrt(found[n]!) - Math.sqrt(exact))).toBeLessThanOrEqual(
          2e-6 * Math.sqrt(exact) + Math.sqrt(rounded),
        );
      });
      device.dispose();
    });

    it.each([1e-15, 1e15])("stay in range at scale %d however the factors share it", async (scale) => {
      const device = await openDevice(name);
      for (const [a, b] of [
        [scale, 1],
        [Math.sqrt(scale), Math.sqrt(scale)],
        [scale * 1e10, 1e-10],
      ] as const) {
        const matrix = outer(
          device.tensor([
            [a, 0],
            [0, a],
          ]),
          device.tensor([[b], [b]]),
        );
        const found = (await matrix.squaredDistances().toArray()) as number[][];
        expect(found[0]![1]! / (2 * (a * b) ** 2)).toBeCloseTo(1, 5);
        const gram = (await matrix.gram().toArray()) as number[][];
        expect(gram[0]![0]! / (a * b) ** 2).toBeCloseTo(1, 5);
      }
      device.dispose();
    });
  });
});
