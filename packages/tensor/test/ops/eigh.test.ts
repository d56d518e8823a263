import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eigh, generator, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { coded } from "../coded.js";
import { stored } from "../reference.js";

type Matrix = number[][];

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const size = fc.integer({ min: 1, max: 7 });
const full = size.chain((n) =>
  fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n }), {
    minLength: n,
    maxLength: n,
  }),
);
/** G Gᵀ of few columns: rank-deficient, as centred Gram matrices are. */
const gram = fc.tuple(size, fc.integer({ min: 1, max: 2 })).chain(([n, r]) =>
  fc
    .array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: r, maxLength: r }), {
      minLength: n,
      maxLength: n,
    })
    .map((g): Matrix => g.map((a) => g.map((b) => a.reduce((sum, v, k) => sum + v * b[k]!, 0)))),
);

describe("eigh", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    // What is smaller may have lost digits, or all of them where a device takes subnormal numbers for 0.
    const least = dtype === "float32" ? 1e-31 : 1e-300;

    const check = async (given: Matrix, count = given.length) => {
      const a = given.map((row) => row.map((v) => stored(dtype, v)));
      const n = a.length;
      const symmetric = a.map((row, i) => row.map((v, j) => v / 2 + a[j]![i]! / 2));
      const { values, vectors } = eigh(device.tensor(a, { dtype }), count === n ? {} : { largest: count });
      expect([values.shape, vectors.shape]).toEqual([[count], [n, count]]);
      const l = (await values.toArray()) as number[];
      const v = (await vectors.toArray()) as Matrix;
      const scale = Math.max(least, ...a.flat().map(Math.abs));
      for (const k of range(count)) {
        if (k > 0) expect(l[k]!).toBeGreaterThanOrEqual(l[k - 1]!);
        for (const i of range(n)) {
          const image = range(n).reduce((sum, j) => sum + (symmetric[i]![j]! / scale) * v[j]![k]!, 0);
          expect(Math.abs(image - (l[k]! / scale) * v[i]![k]!)).toBeLessThanOrEqual(8 * n * epsilon);
        }
        for (const i of range(count)) {
          const inner = range(n).reduce((sum, j) => sum + v[j]![i]! * v[j]![k]!, 0);
          expect(Math.abs(inner - Number(i === k))).toBeLessThanOrEqual(8 * n * epsilon);
        }
        const column = range(n).map((i) => v[i]![k]!);
        const most = Math.max(...column.map(Math.abs));
        expect(column.some((c) => c > 0 && c >= most - 1e-6)).toBe(true);
      }
      return l;
    };

    /** A matrix of known spectrum: diag(λ) between two reflections I − 2 u uᵀ/‖u‖². */
    const withSpectrum = (spectrum: readonly number[]): Matrix => {
      const n = spectrum.length;
      const u = range(n).map((i) => 1 + ((7 * i) % 5) - i / n);
      const norm = u.reduce((sum, x) => sum + x * x, 0);
      const q = u.map((x, i) => u.map((y, j) => Number(i === j) - (2 * x * y) / norm));
      return q.map((a) => q.map((b) => spectrum.reduce((sum, l, k) => sum + a[k]! * l * b[k]!, 0)));
    };

    it("gives ascending values and orthonormal vectors with A V = V Λ, of the symmetric part", async () => {
      await fc.assert(fc.asyncProperty(full, (a) => check(a).then(() => {})));
    });

    it("does so for matrices of deficient rank", async () => {
      await fc.assert(fc.asyncProperty(gram, (a) => check(a).then(() => {})));
    });

    it("does so for large ones, of full and of deficient rank", async () => {
      const n = device.name === "webgpu" ? 12 : 60;
      const { values } = generator(4).normal([n, n]);
      const g = range(n).map((i) => Array.from(values.subarray(i * n, (i + 1) * n)));
      await check(g);
      await check(range(n).map((i) => range(n).map((j) => g[0]![i]! * g[0]![j]! + g[1]![i]! * g[1]![j]!)));
      await check(range(n).map(() => range(n).map(() => 1)));
    });

    it("gives the largest eigenvalues alone, the repeated ones as often as they are there", async () => {
      const n = device.name === "webgpu" ? 12 : 60;
      const spectra: [number[], number[]][] = [
        [range(n).map((k) => k - n / 3), [1, 2, 3, 7, n - 1]],
        [range(n).map((k) => (k < n - 4 ? 1 : 5)), [1, 3, 4, 6]],
        [range(n).map((k) => (k === 3 ? 2 : 0)), [1, 2, 5]],
        [range(n).map((k) => -1 - k), [1, 2]],
        [range(n).map((k) => 1 - 0.001 ** (1 + k / n)), [1, 2]],
        [range(n).map(() => 0), [1, 3]],
      ];
      for (const [spectrum, counts] of spectra) {
        const sorted = [...spectrum].sort((a, b) => a - b);
        const scale = Math.max(1, ...spectrum.map(Math.abs));
        for (const count of counts) {
          const found = await check(withSpectrum(spectrum), count);
          found.forEach((value, k) =>
            expect(Math.abs(value - sorted[n - count + k]!)).toBeLessThanOrEqual(8 * n * epsilon * scale),
          );
        }
      }
      const { values, vectors } = eigh(device.ones([n, n], { dtype }), { largest: 0 });
      expect([values.shape, vectors.shape]).toEqual([[0], [n, 0]]);
    });

    it("takes the symmetric part of what is far from symmetric, the largest alone as well", async () => {
      const n = device.name === "webgpu" ? 12 : 60;
      const skew = (i: number, j: number) => 64 * Math.sign(i - j) * ((i * j) % 3);
      const a = withSpectrum(range(n).map((k) => k / n)).map((row, i) => row.map((v, j) => v + skew(i, j)));
      for (const count of [1, 3, n]) await check(a, count);
    });

    it("leaves the residual that it is told to, and its square in the eigenvalue", async () => {
      const n = device.name === "webgpu" ? 12 : 60;
      const spectrum = range(n).map((k) => (k === 0 ? 1 : 0.8 * (k / n)));
      const a = withSpectrum(spectrum);
      for (const tolerance of [1e-2, 1e-4]) {
        const { values, vectors } = eigh(device.tensor(a, { dtype }), { largest: 1, tolerance });
        const [l] = (await values.toArray()) as number[];
        const v = ((await vectors.toArray()) as Matrix).map(([x]) => x!);
        const image = a.map((row) => row.reduce((sum, x, j) => sum + x * v[j]!, 0));
        expect(Math.hypot(...image.map((x, i) => x - l! * v[i]!))).toBeLessThanOrEqual(tolerance + 8 * n * epsilon);
        expect(Math.abs(1 - l!)).toBeLessThanOrEqual(tolerance ** 2 / 0.2 + 8 * n * epsilon);
      }
    });

    it("gives the largest eigenvalue of matrices of any size", async () => {
      await fc.assert(fc.asyncProperty(full, (a) => check(a, 1).then(() => {})));
    });

    it("does so at any scale", async () => {
      const scales = dtype === "float32" ? [1e-30, 1e-10, 1e30] : [1e-300, 1e-160, 1e155, 1e300];
      const a = [
        [2, -1, 0.5],
        [-1, 1, 3],
        [0.5, 3, -4],
      ];
      for (const scale of scales) await check(a.map((row) => row.map((v) => v * scale)));
    });

    it("knows simple spectra", async () => {
      const { values, vectors } = eigh(
        device.tensor(
          [
            [2, 1],
            [1, 2],
          ],
          { dtype },
        ),
      );
      await expectClose(values, [1, 3], { ulps: 2 });
      const h = Math.SQRT1_2;
      await expectClose(
        vectors,
        [
          [h, h],
          [-h, h],
        ],
        { ulps: 4 },
      );
      await expectClose(eigh(device.zeros([3, 3], { dtype })).values, [0, 0, 0]);
      await expectClose(eigh(device.eye(3, 3, { dtype })).vectors, [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]);
      await expectClose(eigh(device.tensor([[-7]], { dtype })).values, [-7]);
      expect(eigh(device.zeros([0, 0], { dtype })).vectors.shape).toEqual([0, 0]);
    });

    it("takes a batch of matrices, each as if it were alone", async () => {
      const matrices = [
        [
          [2, -1, 0.5],
          [-1, 1, 3],
          [0.5, 3, -4],
        ],
        [
          [1e6, 0, 0],
          [0, -1e-6, 0],
          [0, 0, 1],
        ],
        [
          [0, 1, 1],
          [1, 0, 1],
          [1, 1, 0],
        ],
      ];
      const { values, vectors } = eigh(device.tensor([matrices, matrices], { dtype }));
      expect([values.shape, vectors.shape]).toEqual([
        [2, 3, 3],
        [2, 3, 3, 3],
      ]);
      for (const [k, matrix] of matrices.entries()) {
        const alone = eigh(device.tensor(matrix, { dtype }));
        for (const half of [0, 1]) {
          const place = (x: Tensor) => x.slice([half, half + 1], [k, k + 1]);
          expect(await place(values).reshape([3]).toArray()).toEqual(await alone.values.toArray());
          expect(await place(vectors).reshape([3, 3]).toArray()).toEqual(await alone.vectors.toArray());
        }
      }
      expect(eigh(device.zeros([0, 3, 3], { dtype })).values.shape).toEqual([0, 3]);
    });

    it("takes a matrix of any layout and leaves it as it is", async () => {
      const wide = device.tensor(
        [
          [0, 2, 1],
          [9, 1, 2],
          [9, 9, 9],
        ],
        { dtype },
      );
      const a = wide.slice([0, 2], [1, 3]);
      await expectClose(eigh(a).values, [1, 3], { ulps: 2 });
      await expectClose(a, [
        [2, 1],
        [1, 2],
      ]);
    });

    it("tells at the next read of elements that are not finite", async () => {
      for (const bad of [NaN, Infinity]) {
        const { values } = eigh(
          device.tensor(
            [
              [1, bad],
              [bad, 1],
            ],
            { dtype, allowNonFinite: true },
          ),
        );
        await expect(values.data()).rejects.toThrow(
          coded("BAD_DATA", "eigh: expected valid data, found a fault on the device: no convergence"),
        );
        await expectClose(values, [NaN, NaN]);
      }
    });

    it("refuses what is no square matrix of floats", () => {
      expect(() => eigh(device.zeros([2, 3], { dtype }))).toThrow(coded("SHAPE_MISMATCH", "square"));
      expect(() => eigh(device.zeros([4], { dtype }))).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => eigh(device.zeros([2, 2], { dtype: "int32" }))).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => eigh([[1]] as never)).toThrow(coded("BAD_ARGUMENT"));
      for (const largest of [-1, 3, 0.5, "1" as never])
        expect(() => eigh(device.zeros([2, 2], { dtype }), { largest })).toThrow(
          coded("BAD_ARGUMENT", `eigh: expected largest to be a whole number from 0 to n = 2, found ${largest}`),
        );
      for (const tolerance of [-1, 1, NaN])
        expect(() => eigh(device.zeros([2, 2], { dtype }), { tolerance })).toThrow(
          coded("BAD_ARGUMENT", `eigh: expected tolerance in [0, 1), found ${tolerance}`),
        );
    });
  });
});
