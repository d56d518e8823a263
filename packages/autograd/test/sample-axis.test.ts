import { type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { concat, linear, logSumExp, sampleGradients, softmax, sort, stack, Variable, where } from "../src/index.js";
import { checkSampleGradients } from "../src/testing.js";
import { draw } from "./draw.js";

let device: Device;
const N = 3;
const normal = (shape: readonly number[], seed = 0) => draw(device, shape, seed);
const data = (shape: readonly number[]) => new Variable(normal(shape, 50), { requiresGrad: false });
const indices = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  device.tensor(Int32Array.from(values), { shape });
const losses = (y: Variable) => {
  const squares = y.mul(y).add(y.sin());
  return y.shape.length === 1 ? squares : squares.sum({ axis: y.shape.map((_, axis) => axis).slice(1) });
};
/** [N, N]: as many features as samples. */
const hidden = (W: Variable) => linear(data([N, 2]), W);

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("models that mix samples", () => {
      /** All take one parameter W [N, 2], so that every axis of h = x Wᵀ has extent N. */
      const cases: Record<string, readonly [f: (W: Variable) => Variable, node: string]> = {
        "centre by the batch mean": [
          (W) => {
            const h = hidden(W);
            return losses(h.sub(h.mean({ axis: 0 })));
          },
          "mean",
        ],
        "normalise by the batch variance": [
          (W) => {
            const h = hidden(W);
            return losses(h.div(h.variance({ axis: 0 }).add(1)));
          },
          "mean",
        ],
        "sum over all": [
          (W) => {
            const h = hidden(W);
            return losses(h.add(h.sum()));
          },
          "sum",
        ],
        "take the largest of a batch": [
          (W) => {
            const h = hidden(W);
            return losses(h.sub(h.max({ axis: 0, keepdims: true })));
          },
          "max",
        ],
        "multiply XᵀX": [
          (W) => {
            const h = hidden(W);
            return losses(h.matmul(h.transpose().matmul(h)));
          },
          "matmul",
        ],
        "multiply XXᵀ": [
          (W) => {
            const h = hidden(W);
            return losses(h.matmul(h.transpose()));
          },
          "matmul",
        ],
        "combine rows by a parameter": [(W) => losses(new Variable(normal([N, N])).matmul(hidden(W))), "matmul"],
        "multiply raw data from the left by a parameter": [
          (W) =>
            losses(
              W.transpose()
                .matmul(data([N, 2]))
                .sum()
                .add(hidden(W)),
            ),
          "matmul",
        ],
        "add a transposed batch": [
          (W) => {
            const h = hidden(W);
            return losses(h.add(h.transpose()));
          },
          "add",
        ],
        "subtract labels [N] from predictions [N, 1]": [
          (W) =>
            losses(
              hidden(W)
                .sum({ axis: 1, keepdims: true })
                .sub(normal([N])),
            ),
          "sub",
        ],
        "compare all pairs": [
          (W) => {
            const s = hidden(W).sum({ axis: 1 });
            return losses(s.reshape([N, 1]).sub(s.reshape([1, N])));
          },
          "sub",
        ],
        "reorder by indices": [(W) => losses(hidden(W).gather(indices([2, 0, 1]))), "gather"],
        "pick along the batch": [
          (W) =>
            losses(
              hidden(W)
                .takeAlongAxis(indices([0, 1, 2], [1, 3]), { axis: 0 })
                .add(hidden(W)),
            ),
          "takeAlongAxis",
        ],
        "sort the batch": [(W) => losses(sort(hidden(W), { axis: 0 })), "sort"],
        "sum up along the batch": [(W) => losses(hidden(W).cumsum({ axis: 0 })), "cumsum"],
        "normalise over the batch": [(W) => losses(softmax(hidden(W), { axis: 0 })), "softmax"],
        "pool the batch": [(W) => losses(hidden(W).add(logSumExp(hidden(W), { axis: 0 }))), "logSumExp"],
        "shift the batch by one": [
          (W) => {
            const h = hidden(W);
            return losses(h.add(concat([h.slice([1]), h.slice([0, 1])])));
          },
          "add",
        ],
        "compare with the first sample": [
          (W) => {
            const h = hidden(W);
            return losses(h.sub(h.slice([0, 1])));
          },
          "sub",
        ],
        "compare with the first sample without its axis": [
          (W) => {
            const h = hidden(W);
            return losses(h.sub(h.slice([0, 1]).reshape([N])));
          },
          "sub",
        ],
        "put two samples side by side": [
          (W) => {
            const h = hidden(W);
            return losses(concat([h, concat([h.slice([1]), h.slice([0, 1])])], { axis: 1 }));
          },
          "concat",
        ],
        "fold and sum over all": [
          (W) => {
            const h = hidden(W);
            return losses(h.add(h.reshape([N * N]).mean()));
          },
          "mean",
        ],
        "apply a layer to the transposed batch": [
          (W) => losses(linear(hidden(W).transpose(), new Variable(normal([N, N]))).transpose()),
          "linear",
        ],
        "choose between two orders": [
          (W) => {
            const h = hidden(W);
            return losses(where(normal([N, N]).greater(0), h, h.transpose()));
          },
          "where",
        ],
        "average residuals of a location": [
          (W) => {
            const r = W.sum().sub(normal([N]));
            return r.sub(r.mean());
          },
          "mean",
        ],
        "average embeddings": [
          (W) => {
            const e = W.gather(indices([0, 2, 2]));
            return losses(e.sub(e.mean({ axis: 0 })));
          },
          "mean",
        ],
      };
      for (const [name, [f, node]] of Object.entries(cases)) {
        it(`are refused: ${name}`, () => {
          const W = new Variable(normal([N, 2]));
          expect(() => sampleGradients(f(W), [W])).toThrow(
            expect.objectContaining({
              code: "SAMPLES_MIXED",
              message: expect.stringContaining(`found that ${node} joins samples along axis`),
            }),
          );
        });
      }

      it("are refused with node, axis and shape", () => {
        const W = new Variable(normal([N, 2]));
        const h = hidden(W);
        expect(() => sampleGradients(losses(h.sub(h.mean({ axis: 0 }))), [W])).toThrow(
          "sampleGradients: expected loss n of float64 [3] to depend on sample n alone, found that mean joins samples along axis 0; " +
            "per-sample gradients do not exist for batch statistics and other sums over the batch",
        );
      });

      it("are refused for every parameter, also one behind the mixing node", () => {
        const [W, V] = [new Variable(normal([N, 2])), new Variable(normal([2, N], 1))];
        const h = hidden(W);
        const y = losses(linear(h.sub(h.mean({ axis: 0 })), V));
        expect(() => sampleGradients(y, [V])).toThrow(expect.objectContaining({ code: "SAMPLES_MIXED" }));
      });
    });

    describe("models with as many features as samples", () => {
      const cases: Record<string, (W: Variable, p: Variable, s: Variable) => Variable> = {
        "a mask over features": (W) => losses(hidden(W).mul(normal([N]))),
        "a mask over rows of W": (W) => losses(linear(data([N, 2]), W.mul(normal([N, 1])))),
        "a mask over W": (W) => losses(linear(data([N, 2]), W.mul(normal([N, 2])))),
        "a gate with a learned strength over W": (W, p, s) =>
          losses(linear(data([N, 2]), W.mul(s.mul(normal([N, 1])).sigmoid())).add(p)),
        "a learned strength of a mask over features": (W, _, s) => losses(hidden(W).add(s.mul(normal([N])))),
        "a parameter over features": (W, p) => losses(hidden(W).mul(p)),
        "a constant matrix behind a layer": (W) => losses(hidden(W).matmul(normal([N, 2]))),
        "columns chosen by indices": (W) => losses(hidden(W).gather(indices([2, 0, 1]), { axis: 1 })),
        "rows of W chosen by indices": (W) => losses(linear(data([N, 2]), W.gather(indices([2, 0, 1])))),
        "W repeated": (W, p) => losses(linear(data([N, 2]), p.reshape([N, 1]).broadcastTo([N, 2]).add(W))),
        "the transposed batch and back": (W, p) =>
          losses(
            hidden(W)
              .transpose()
              .mul(p.reshape([N, 1]))
              .transpose(),
          ),
        "a sum of a transposed batch over features": (W) => losses(hidden(W).transpose().sum({ axis: 0 })),
        "constants above rows of a parameter": (W) => losses(linear(data([N, 2]), concat([normal([N, 2]), W]))),
        "a parameter as long as the batch": (W, p) => losses(hidden(W).mul(p.reshape([N, 1]))),
        "a mean over a parameter repeated": (W, p) => losses(hidden(W).add(p.broadcastTo([N, N]).mean({ axis: 0 }))),
        "outer products inside a sample": (W) => {
          const h = hidden(W);
          return losses(h.reshape([N, N, 1]).mul(h.reshape([N, 1, N])));
        },
        "products of matrices inside a sample": (W) => {
          const h = hidden(W).reshape([N, 1, N]);
          return losses(h.transpose().matmul(h));
        },
        "one sample apart from the others": (W) => {
          const h = hidden(W);
          return losses(concat([h.slice([0, 1]).mul(2), h.slice([1]).tanh()]));
        },
        "one sample without its axis": (W) => {
          const h = hidden(W);
          return losses(
            stack(
              [0, 1, 2].map((n) =>
                h
                  .slice([n, n + 1])
                  .reshape([N])
                  .tanh(),
              ),
            ),
          );
        },
        "one sample reduced": (W) => {
          const h = hidden(W);
          return losses(stack([0, 1, 2].map((n) => h.slice([n, n + 1]).sum())));
        },
        "layers whose parameters are not asked for": (W) => {
          const frozen = (shape: readonly number[]) => new Variable(normal(shape, 9));
          const h = linear(linear(data([N, 2]), W), frozen([N, N]), frozen([N])).mul(frozen([N]));
          return losses(
            linear(h.matmul(frozen([N, N])), frozen([N, N]).mul(normal([N, 1]))).add(frozen([N, N]).mean({ axis: 0 })),
          );
        },
        "embeddings that are not asked for": (W) =>
          losses(linear(new Variable(normal([N, 2], 9)).gather(indices([0, 2, 2])), W)),
        "weights of low rank, one factor constant": (W) => losses(linear(data([N, 2]), data([N, N]).matmul(W))),
        "rows without a sample before the batch": (W) =>
          losses(concat([device.zeros([1, N], { dtype: "float64" }), hidden(W)]).slice([1])),
      };
      for (const [name, f] of Object.entries(cases)) {
        it(`have rows: ${name}`, async () => {
          await checkSampleGradients(f, [normal([N, 2], 1), normal([N], 2), normal([], 3)]);
        });
      }
    });
  },
  { dtypes: ["float64"] },
);
