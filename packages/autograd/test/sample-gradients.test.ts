import { denseSamples, type SampleMatrix, type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { afterAll, beforeAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  concat,
  FunctionNode,
  linear,
  logSumExp,
  sampleGradients,
  sort,
  stack,
  Variable,
  where,
  type SampleAxis,
} from "../src/index.js";
import { checkOnDevice, checkSampleGradients } from "../src/testing.js";
import { draw } from "./draw.js";

let device: Device;
let dtype: "float32" | "float64" = "float64";
const normal = (shape: readonly number[], seed = 0) => draw(device, shape, seed, dtype);
const indices = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  device.tensor(Int32Array.from(values), { shape });
/** Σ over all but axis 0 of a curved function: losses [N]. */
const losses = (y: Variable) => {
  const squares = y.mul(y).add(y.sin());
  return y.shape.length === 1 ? squares : squares.sum({ axis: y.shape.map((_, axis) => axis).slice(1) });
};

type Losses = (...params: Variable[]) => Variable;

/** Whether all rows came from one pass: no parameter took a backward pass per sample. */
async function isFast(f: Losses, shapes: readonly (readonly number[])[]): Promise<boolean> {
  forget();
  await checkSampleGradients(
    f,
    shapes.map((shape, k) => normal(shape, k + 1)),
  );
  return warn.mock.calls.length === 0;
}

const forget = () => {
  (globalThis as { [key: symbol]: unknown })[Symbol.for("robgrad.reported")] = new Set();
  warn.mockClear();
};
let warn = vi.spyOn(console, "warn");
beforeEach(() => {
  warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  forget();
});
afterEach(() => warn.mockRestore());

const N = 4;
const x2 = () => normal([N, 3], 90);
const x3 = () => normal([N, 2, 3], 91);

const inOnePass: Record<string, readonly [Losses, readonly (readonly number[])[]]> = {
  "linear on [N, P]": [(W, b) => losses(linear(x2(), W, b)), [[2, 3], [2]]],
  "linear on data that ask for gradients too": [(W, b) => losses(linear(new Variable(x2()), W, b)), [[2, 3], [2]]],
  "elementwise on data that ask for gradients too": [(w) => losses(new Variable(x2()).mul(w)), [[3]]],
  "linear on [N, T, P]": [(W, b) => losses(linear(x3(), W, b)), [[2, 3], [2]]],
  "linear on [N, S, T, P]": [(W, b) => losses(linear(normal([N, 2, 2, 3], 92), W, b)), [[2, 3], [2]]],
  "linear on [N·T, P]": [
    (V, W, b) =>
      losses(
        linear(
          linear(x3(), V)
            .reshape([N * 2, 3])
            .tanh(),
          W,
          b,
        ).reshape([N, 2, 2]),
      ),
    [[3, 3], [2, 3], [2]],
  ],
  "linear on [T, N, P]": [
    (V, W, b) => losses(linear(linear(x3(), V).permute([1, 0, 2]), W, b).permute([1, 0, 2])),
    [[3, 3], [2, 3], [2]],
  ],
  "linear on [T·N, P]": [
    (V, W, b) =>
      losses(
        linear(
          linear(x3(), V)
            .permute([1, 0, 2])
            .reshape([2 * N, 3]),
          W,
          b,
        )
          .reshape([2, N, 2])
          .permute([1, 0, 2]),
      ),
    [[3, 3], [2, 3], [2]],
  ],
  "matmul on [N, P]": [(W) => losses(new Variable(x2(), { requiresGrad: false }).matmul(W)), [[3, 2]]],
  "matmul on [N, T, P]": [(W) => losses(new Variable(x3(), { requiresGrad: false }).matmul(W)), [[3, 2]]],
  "elementwise, over features": [(w) => losses(w.mul(x2())), [[3]]],
  "elementwise, over [N, T, P]": [(w) => losses(w.mul(x3())), [[3]]],
  "elementwise, with inner axes of extent 1": [(w) => losses(w.mul(x3())), [[2, 1]]],
  "elementwise, a scalar": [(w) => losses(w.mul(x2()).exp()), [[]]],
  "elementwise, on folded samples": [
    (V, w) =>
      losses(
        linear(x3(), V)
          .reshape([N * 2, 3])
          .mul(w)
          .reshape([N, 6]),
      ),
    [[3, 3], [3]],
  ],
  "addition, whose rows are the gradient itself": [(w) => losses(w.add(x2())), [[3]]],
  "a function of the user's own": [(w) => losses(w.map((u, v) => u.mul(v).tanh(), x2())), [[3]]],
  "clamped at a parameter": [(high) => losses(new Variable(x2(), { requiresGrad: false }).clamp(-9, high)), [[3]]],
  "a function that is flat": [(w) => losses(w.mul(x2()).add(w.map((u, v) => u.floor().mul(v), x2()))), [[3]]],
  "where with a parameter": [(w) => losses(where(x2().greater(0), w, x2())), [[3]]],
  "a table of embeddings": [(E) => losses(E.gather(indices([0, 2, 2, 1]))), [[3, 2]]],
  "a table of embeddings of sequences": [(E) => losses(E.gather(indices([0, 2, 2, 1, 1, 1, 0, 3], [N, 2]))), [[4, 2]]],
  "a parameter repeated for every sample": [
    (W, c) => losses(concat([c.broadcastTo([N, 1, 3]), linear(x3(), W)], { axis: 1 })),
    [[3, 3], [3]],
  ],
  "a layer used twice": [(W, b) => losses(linear(linear(x2(), W, b).tanh(), W, b)), [[3, 3], [3]]],
  "a layer used in linear and elementwise": [(w) => losses(linear(w.mul(x2()), w)), [[1, 3]]],
  "a residual connection": [
    (W) => {
      const h = linear(x2(), W);
      return losses(linear(h.tanh(), W).add(h));
    },
    [[3, 3]],
  ],
  "reductions inside a sample": [
    (W) => logSumExp(linear(x2(), W), { axis: 1 }).add(sort(linear(x2(), W)).max({ axis: 1 })),
    [[5, 3]],
  ],
  "batches taken apart and put together": [
    (W, V) => {
      const h = linear(x2(), W);
      return losses(linear(concat([h.slice([0, 1]), h.slice([1])]).tanh(), V));
    },
    [
      [2, 3],
      [2, 2],
    ],
  ],
  "a reordered batch": [
    (W, V) => {
      const h = linear(x2(), W);
      return losses(linear(concat([h.slice([2]), h.slice([0, 2])]).tanh(), V));
    },
    [
      [2, 3],
      [2, 2],
    ],
  ],
  "parts of a batch of unequal size": [
    (W, V) => {
      const h = linear(x3(), W);
      const folded = h.reshape([N * 2, 2]).slice([0, 5]);
      const rest = linear(folded.tanh(), V);
      return losses(concat([rest, h.reshape([N * 2, 2]).slice([5])]).reshape([N, 2, 2]));
    },
    [
      [2, 3],
      [2, 2],
    ],
  ],
};
const onePassPerSample: Record<string, readonly [Losses, readonly (readonly number[])[], label: string]> = {
  "a transposed parameter": [
    (W) => losses(new Variable(x2(), { requiresGrad: false }).matmul(W.transpose())),
    [[2, 3]],
    "transpose",
  ],
  "a parameter under tanh": [(W) => losses(linear(x2(), W.tanh())), [[2, 3]], "tanh"],
  "a slice of a parameter": [(W) => losses(linear(x2(), W.slice([0, 2]))), [[3, 3]], "slice"],
  "a product of parameters": [
    (U, V) => losses(linear(x2(), U.matmul(V))),
    [
      [2, 2],
      [2, 3],
    ],
    "matmul",
  ],
  "tied through an operation": [(W) => losses(linear(linear(x2(), W), W.transpose())), [[2, 3]], "transpose"],
  "a parameter per sample": [(P) => losses(P.mul(x2())), [[N, 3]], "mul"],
  "a batch read as pairs": [(W) => losses(linear(x2(), W).reshape([2, 2, 2]).reshape([N, 2])), [[2, 3]], "reshape"],
  "an embedding used as a matrix": [(E) => losses(linear(x2(), E.gather(indices([1, 0])))), [[2, 3]], "gather"],
  "samples one by one": [
    (W) => stack(Array.from({ length: N }, (_, n) => losses(linear(x2().slice([n, n + 1]), W)))).reshape([N]),
    [[2, 3]],
    "reshape",
  ],
  "two losses of one sample": [
    (W) => {
      const h = losses(linear(x2(), W));
      return concat([h.slice([0, 2]), h.slice([0, 2])]);
    },
    [[2, 3]],
    "concat",
  ],
};

forEachDevice(
  (on) => {
    describe("per-sample gradients in float32", () => {
      beforeEach(() => void ([device, dtype] = [on.device, "float32"]));
      afterAll(() => void (dtype = "float64"));

      it.each(Object.entries({ ...inOnePass, ...onePassPerSample }))(
        "of %s are those of cpu in float64, called and replayed",
        async (_, [f, shapes]) => {
          // Data are where the parameters are, and in their dtype.
          const there = (...xs: Variable[]) => {
            const [x] = xs as [Variable];
            [device, dtype] = [x.device, x.dtype as "float32"];
            return f(...xs);
          };
          const params = shapes.map((shape, k) => normal(shape, k + 1));
          await checkOnDevice(on.device, there, params, { samples: true });
        },
      );
    });
  },
  { dtypes: ["float32"] },
);

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("rows taken in one pass", () => {
      for (const [name, [f, shapes]] of Object.entries(inOnePass)) {
        it(`are right for ${name}`, async () => expect(await isFast(f, shapes)).toBe(true));
      }

      it("keep factors: linear hands out no N × D", () => {
        const W = new Variable(normal([200, 300]));
        const b = new Variable(normal([200], 1));
        const x = normal([N, 300], 2);
        const y = losses(linear(x, W, b));
        const before = device.memory().live;
        sampleGradients(y, [W, b]);
        expect(device.memory().live - before).toBeLessThan(8 * 200 * 300);
      });

      it("give a parameter that is not reached rows of zeros in the memory of one number", async () => {
        const W = new Variable(normal([2, 3]));
        const unused = new Variable(normal([100, 100]));
        const y = losses(linear(x2(), W));
        const before = device.memory().live;
        const matrix = sampleGradients(y, [unused]).get(unused) as SampleMatrix;
        expect(device.memory().live - before).toBeLessThan(1000);
        expect(matrix.samples).toBe(N);
        expect(matrix.shape).toEqual([100, 100]);
        expect(await matrix.squaredNorms().toArray()).toEqual([0, 0, 0, 0]);
      });

      it("are unscaled, in the order of the parameters, and leave grad alone", async () => {
        const w = new Variable(device.tensor([1, 2]));
        const b = new Variable(device.tensor([0]));
        const y = w
          .mul(
            device.tensor([
              [1, 2],
              [3, 4],
            ]),
          )
          .sum({ axis: 1 })
          .add(b);
        const found = sampleGradients(y, [b, w]);
        expect([...found.keys()]).toEqual([b, w]);
        expect(await found.get(w)?.rows().toArray()).toEqual([
          [1, 2],
          [3, 4],
        ]);
        expect(await found.get(b)?.rows().toArray()).toEqual([[1], [1]]);
        expect(w.grad).toBeNull();
      });

      it("of one sample are its gradient, even where the model takes a batch statistic", async () => {
        const w = new Variable(device.tensor([1, 2]));
        const h = w.mul(device.tensor([[3, 4]]));
        const y = h
          .sub(h.mean({ axis: 0 }))
          .add(h)
          .sum({ axis: 1 });
        expect(await sampleGradients(y, [w]).get(w)?.rows().toArray()).toEqual([[3, 4]]);
      });
    });

    describe("rows taken one backward pass per sample", () => {
      for (const [name, [f, shapes, label]] of Object.entries(onePassPerSample)) {
        it(`are right for ${name}`, async () => {
          expect(await isFast(f, shapes)).toBe(false);
          expect(warn.mock.calls.join()).toContain(` ${label}`);
        });
      }

      it("are reported once per node, by name", () => {
        const W = new Variable(normal([2, 3]), { name: "W" });
        const y = () => losses(linear(x2(), W.tanh()));
        sampleGradients(y(), [W]);
        sampleGradients(y(), [W]);
        expect(warn).toHaveBeenCalledTimes(1);
        expect(warn.mock.calls[0]?.[0]).toMatch(
          /^sampleGradients: W \(float64 \[2, 3\]\) reaches the losses through tanh, which keeps no rows per sample: 4 backward passes/,
        );
      });

      it("concern only the parameters that need it", async () => {
        const W = new Variable(normal([2, 3]));
        const V = new Variable(normal([2, 2], 1));
        const found = sampleGradients(losses(linear(linear(x2(), W), V.exp())), [W, V]);
        expect((found.get(W) as SampleMatrix).factors?.kind).toBe("expanded");
        expect((found.get(V) as SampleMatrix).factors?.kind).toBe("dense");
      });
    });

    /** y = x · w without a word about samples. */
    class SilentFunction extends FunctionNode {
      forward([x, w]: readonly [Tensor, Tensor]) {
        this.retainInputs(0, 1);
        return [x.mul(w)];
      }
      backward([gy]: readonly [Variable]) {
        return [() => gy.mul(this.retained(1)), () => gy.mul(this.retained(0)).sum({ axis: 0 })];
      }
    }

    class DiagonalFunction extends SilentFunction {
      override backwardSamples([gy]: readonly [Variable]) {
        return [null, () => denseSamples(gy.value.mul(this.retained(0).value))];
      }
    }

    class MixingFunction extends SilentFunction {
      override sampleAxis(): SampleAxis {
        return { kind: "mixed", node: "mixing", axis: 0 };
      }
    }

    class WrongRowsFunction extends SilentFunction {
      override backwardSamples([gy]: readonly [Variable]) {
        return [null, () => denseSamples(gy.value.sum({ axis: 1, keepdims: true }))];
      }
    }

    describe("nodes of the user's own", () => {
      const x = () => new Variable(normal([N, 3], 90), { requiresGrad: false });
      const through = (node: FunctionNode, ...inputs: (Variable | Tensor)[]) =>
        losses(node.apply(...inputs)[0] as Variable);

      it("with backwardSamples alone have their samples on axis 0", async () => {
        expect(await isFast((w) => through(new DiagonalFunction(), x(), w), [[3]])).toBe(true);
        expect(await isFast((W, w) => through(new DiagonalFunction(), linear(x(), W), w), [[3, 3], [3]])).toBe(true);
      });

      it("with backwardSamples alone are not trusted where samples lie elsewhere", async () => {
        const f: Losses = (W, w) =>
          losses((new DiagonalFunction().apply(linear(x(), W).transpose(), w)[0] as Variable).transpose());
        expect(await isFast(f, [[3, 3], [N]])).toBe(false);
      });

      it("that say nothing take one backward pass per sample", async () => {
        expect(await isFast((w) => through(new SilentFunction(), x(), w), [[3]])).toBe(false);
        expect(await isFast((W, w) => through(new SilentFunction(), linear(x(), W), w), [[3, 3], [3]])).toBe(false);
        expect(warn.mock.calls.join()).toContain("through silent,");
      });

      it("may say that they mix samples", () => {
        const w = new Variable(normal([3]));
        expect(() => sampleGradients(through(new MixingFunction(), x(), w), [w])).toThrow(
          expect.objectContaining({
            code: "SAMPLES_MIXED",
            message: expect.stringMatching(/mixing joins samples along axis 0/),
          }),
        );
      });

      it("must return rows of the parameter's size", () => {
        const w = new Variable(normal([3]));
        expect(() => sampleGradients(through(new WrongRowsFunction(), x(), w), [w])).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "wrongRows.backwardSamples: expected 4 rows of 3 features, found 4 of 1",
          }),
        );
      });
    });

    describe("refusals", () => {
      it("name what losses should be", () => {
        const w = new Variable(device.ones([3]));
        expect(() => sampleGradients(w.sum(), [w])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
        expect(() => sampleGradients(w.reshape([3, 1]), [w])).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
        expect(() => sampleGradients(w.slice([0, 0]), [w])).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
        expect(() => sampleGradients(device.ones([3]) as never, [w])).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
        expect(() => sampleGradients(w, [device.ones([3]) as never])).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
      });

      it("name a parameter assigned since", () => {
        const cell = device.cell(normal([3, 3]));
        const W = new Variable({ cell }, { name: "W" });
        const y = losses(linear(linear(normal([N, 3]), W), W));
        cell.assign(normal([3, 3], 1));
        expect(() => sampleGradients(y, [W])).toThrow(
          expect.objectContaining({ code: "STALE_VALUE", message: expect.stringMatching(/^linear: expected W /) }),
        );
        cell.dispose();
      });
    });
  },
  { dtypes: ["float64"] },
);
