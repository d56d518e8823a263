import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { denseSamples, iterate, openDevice, tidy, where, type Device, type Tensor } from "@robgrad/tensor";
import { mergeAxes } from "../../src/kernel/access.js";
import { apply, constant, input } from "../../src/kernels.js";

describe("compiled kernels", () => {
  const original = globalThis.Function;
  let compiled = 0;
  let device: Device;

  beforeEach(async () => {
    device = await openDevice("cpu");
    compiled = 0;
    globalThis.Function = new Proxy(original, {
      construct(target, args: string[]) {
        compiled++;
        return Reflect.construct(target, args) as object;
      },
    });
  });
  afterEach(() => {
    globalThis.Function = original;
    device.dispose();
  });

  /** How many functions are compiled while work runs for 1000 different numbers, beyond those for the first. */
  function compiledFor(work: (k: number) => unknown): number {
    tidy(() => void work(0.5));
    const first = compiled;
    for (let k = 1; k <= 1000; k++) tidy(() => void work(k / 1009));
    return compiled - first;
  }

  it("are compiled once for all numbers that a formula may hold", () => {
    const x = device.ones([3, 4], { dtype: "float64" });
    const cell = device.cell(x);
    const rows = denseSamples(x);
    expect(compiledFor((k) => x.mul(k).add(k))).toBe(0);
    expect(compiledFor((k) => x.map((u) => where(u.greater(k), u.mul(k), u.clamp(-k, k))))).toBe(0);
    expect(compiledFor((k) => cell.update(apply("sub", input(0), apply("mul", constant(k), input(1))), [x]))).toBe(0);
    expect(compiledFor((k) => device.full([2], k))).toBe(0);
    expect(compiledFor((k) => device.linspace(0, k, 5))).toBe(0);
    expect(compiledFor((k) => rows.mean((g) => g.clamp(-k, k)))).toBe(0);
    expect(compiledFor((k) => rows.columns((c) => c.iterate(k, (s) => s.mul(k), { maximum: 3, tolerance: k })))).toBe(
      0,
    );
    expect(compiledFor((k) => iterate(x, (y) => y.mul(k), { maximum: 1 }))).toBe(0);
    expect(compiled).toBeGreaterThan(5);
  });

  it("are compiled once for all shapes of equal structure", () => {
    expect(
      compiledFor((k) => {
        const n = 1 + Math.floor(50 * k);
        const x = device.ones([n, 3]);
        return [x.add(x), x.sum({ axis: 0 }), x.matmul(x.transpose()), x.transpose().add(1)];
      }),
    ).toBeLessThan(20);
  });

  it("are told apart by dtype, formula and structure", async () => {
    const x = device.tensor([
      [1, 2],
      [3, 4],
    ]);
    const results: Tensor[] = [
      x.add(x),
      x.sub(x),
      x.cast("int32").add(1),
      x.transpose().sub(x),
      x.sum(),
      x.max(),
      x.sum({ axis: 0 }),
    ];
    expect(compiled).toBeGreaterThanOrEqual(results.length - 1);
    expect(await Promise.all(results.map((y) => y.toArray()))).toEqual([
      [
        [2, 4],
        [6, 8],
      ],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [2, 3],
        [4, 5],
      ],
      [
        [0, 1],
        [-1, 0],
      ],
      10,
      4,
      [4, 6],
    ]);
  });

  it("are not made where they are to be walked", async () => {
    const walked = await openDevice("cpu", { interpret: true });
    expect(await walked.ones([2]).add(1).toArray()).toEqual([2, 2]);
    expect(compiled).toBe(0);
    walked.dispose();
  });
});

describe("mergeAxes", () => {
  /** Every pointer of an iteration, in order. */
  const walk = (extents: readonly number[], strides: readonly number[]): number[] =>
    extents.reduce<number[]>(
      (pointers, extent, axis) =>
        pointers.flatMap((p) => Array.from({ length: extent }, (_, i) => p + i * strides[axis]!)),
      [0],
    );

  it("visits the same pointers in the same order with as few axes as strides allow", () => {
    const axis = fc.record({ extent: fc.integer({ min: 0, max: 3 }), strides: fc.tuple(fc.nat(4), fc.nat(4)) });
    fc.assert(
      fc.property(fc.array(axis, { maxLength: 4 }), (axes) => {
        const shape = axes.map(({ extent }) => extent);
        const strides = [0, 1].map((k) => axes.map((a) => a.strides[k]!));
        const merged = mergeAxes(shape, strides);
        for (const k of [0, 1]) expect(walk(merged.extents, merged.strides[k]!)).toEqual(walk(shape, strides[k]!));
      }),
    );
    expect(
      mergeAxes(
        [2, 3, 4],
        [
          [12, 4, 1],
          [12, 4, 1],
        ],
      ),
    ).toEqual({ extents: [24], strides: [[1], [1]] });
    expect(
      mergeAxes(
        [2, 3, 4],
        [
          [12, 4, 1],
          [0, 4, 1],
        ],
      ),
    ).toEqual({
      extents: [2, 12],
      strides: [
        [12, 1],
        [0, 1],
      ],
    });
    expect(mergeAxes([1, 5, 1], [[9, 2, 7]])).toEqual({ extents: [5], strides: [[2]] });
    expect(mergeAxes([], [[], []])).toEqual({ extents: [], strides: [[], []] });
  });
});
