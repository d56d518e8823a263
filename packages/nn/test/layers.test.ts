import { sampleGradients, Variable } from "@robgrad/autograd";
import { checkSampleGradients } from "@robgrad/autograd/testing";
import {
  BatchNorm,
  Dropout,
  Embedding,
  Flatten,
  GroupNorm,
  LayerNorm,
  Linear,
  Link,
  MultiHeadAttention,
  relu,
  Residual,
  Sequential,
  sgd,
  softmaxCrossEntropy,
} from "@robgrad/nn";
import { capture, generator, tidy, type DeviceRandom, type Nested, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { expectCase, expectDerivatives, type FixtureCase } from "./fixture-case.js";
import fixtures from "./fixtures/layers.json" with { type: "json" };

const coded = (code: string, message = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

forEachDevice((on) => {
  const { device, dtype, epsilon } = on;
  const exact = dtype === "float64" && on.quick;
  let rng: DeviceRandom;
  /** What a test has to dispose besides tensors. */
  let owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(link: T): T => {
    owned.push(link);
    return link;
  };

  beforeEach(() => void (rng = own(device.rng(0))));
  afterEach(() => {
    for (const link of owned) link.dispose();
    owned = [];
  });

  const normal = (shape: readonly number[]) => rng.normal(shape, { dtype });
  const int32 = (values: Nested) => device.tensor(values, { dtype: "int32" });

  /**
   * A function of the layer's parameters as well: their values are put where the layer's own would be, so that gradients
   * in them can be compared.
   */
  const withParameters =
    (link: Link, names: readonly string[], forward: (x: Variable | undefined) => Variable, hasInput = true) =>
    (...variables: Variable[]): Variable => {
      const replaced = names.map((name, k) => [name, variables[k + (hasInput ? 1 : 0)]!] as const);
      const undo = replaced.map(([path, variable]) => replace(link, path, variable));
      try {
        return forward(hasInput ? variables[0] : undefined);
      } finally {
        for (const back of undo) back();
      }
    };

  /** Puts a Variable in the place of a parameter; returns what undoes it. */
  const replace = (link: Link, path: string, variable: Variable) => {
    const fields = path.split(".");
    const last = fields.pop()!;
    const holder = fields.reduce(
      (object, field) => (object instanceof Sequential ? object.layers : object)[field as never] as object,
      link as object,
    ) as Record<string, unknown>;
    const before = holder[last];
    holder[last] = variable;
    return () => (holder[last] = before);
  };

  const attentionNames = ["query.W", "key.W", "value.W", "output.W", "query.b", "key.b", "value.b", "output.b"];
  const attention = (options: { heads: number; causal?: boolean }) =>
    own(new MultiHeadAttention(6, { ...options, rng, dtype }));
  const maskOf = (name: keyof typeof fixtures) =>
    device.tensor(
      (fixtures[name] as unknown as { constants: { mask: boolean[][] } }).constants.mask.map((row) => row.map(Number)),
      {
        dtype: "bool",
      },
    );
  const running = (name: keyof typeof fixtures) => {
    const { constants } = fixtures[name] as unknown as {
      constants: { running: { mean: number[]; variance: number[] } };
    };
    const layer = own(new BatchNorm(4, { device, dtype }));
    layer.runningMean.assign(device.tensor(constants.running.mean, { dtype }));
    layer.runningVariance.assign(device.tensor(constants.running.variance, { dtype }));
    return layer;
  };
  const normNames = ["gain", "shift"];
  const norm = (link: Link, options = {}) => withParameters(link, normNames, (x) => link.forward(x!, options));

  /** The function of the inputs of every case of layers.json. */
  const cases: Record<keyof typeof fixtures, () => (...inputs: Variable[]) => Variable> = {
    Embedding: () => {
      const layer = own(new Embedding(6, 4, { rng, dtype }));
      const indices = int32(
        (fixtures.Embedding as unknown as { constants: { indices: number[][] } }).constants.indices,
      );
      return withParameters(layer, ["W"], () => layer.forward(indices), false);
    },
    "LayerNorm [6]": () => norm(own(new LayerNorm(6, { device, dtype }))),
    "LayerNorm [2, 3], epsilon 0.1": () => norm(own(new LayerNorm([2, 3], { device, dtype, epsilon: 0.1 }))),
    "GroupNorm 2 of 4": () => norm(own(new GroupNorm(2, 4, { device, dtype }))),
    "GroupNorm 1 of 4": () => norm(own(new GroupNorm(1, 4, { device, dtype, epsilon: 0.01 }))),
    "BatchNorm, evaluating": () => norm(running("BatchNorm, evaluating")),
    "BatchNorm, training on images": () => norm(running("BatchNorm, training on images"), { training: true }),
    "BatchNorm, training on rows": () => norm(running("BatchNorm, training on rows"), { training: true }),
    "MultiHeadAttention, self": () => {
      const layer = attention({ heads: 3 });
      return withParameters(layer, attentionNames, (x) => layer.forward(x!));
    },
    "MultiHeadAttention, causal": () => {
      const layer = attention({ heads: 2, causal: true });
      return withParameters(layer, attentionNames, (x) => layer.forward(x!));
    },
    "MultiHeadAttention, padded": () => {
      const layer = attention({ heads: 2 });
      const mask = maskOf("MultiHeadAttention, padded");
      return withParameters(layer, attentionNames, (x) => layer.forward(x!, { mask }));
    },
    "MultiHeadAttention, causal and padded": () => {
      const layer = attention({ heads: 1, causal: true });
      const mask = maskOf("MultiHeadAttention, causal and padded");
      return withParameters(layer, attentionNames, (x) => layer.forward(x!, { mask }));
    },
    "MultiHeadAttention, cross": () => {
      const layer = attention({ heads: 2 });
      return (x, memory, ...parameters) =>
        withParameters(layer, attentionNames, () => layer.forward(x!, { memory: memory! }), false)(...parameters);
    },
  };

  describe.each(Object.keys(cases) as (keyof typeof fixtures)[])("%s", (name) => {
    const example = fixtures[name] as unknown as FixtureCase;

    it("has the values and gradients of PyTorch", () => expectCase(on, example, cases[name]()));

    if (!exact) return;
    it("has first and second derivatives as central differences", () =>
      expectDerivatives(device, example, cases[name]()));
  });

  /** Expects the rows of every parameter to be those of each loss alone, and none to take a backward pass per sample. */
  const expectRows = async (link: Link, losses: () => Variable): Promise<void> => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    // Attention does not depend on the keys' bias: its gradient is rounding, which has no relative error.
    const named = [...link.namedParameters()].filter(([path]) => !path.endsWith("key.b"));
    const f = withParameters(
      link,
      named.map(([path]) => path),
      () => losses(),
      false,
    );
    const given = named.map(([, parameter]) => parameter.value.add(normal(parameter.shape).mul(0.3)));
    await checkSampleGradients(f, given, { relative: dtype === "float64" ? 1e-10 : 3e-4 });
    expect(warned.mock.calls).toEqual([]);
    warned.mockRestore();
  };
  const scored = (y: Variable) =>
    y
      .sin()
      .mul(y)
      .sum({ axis: y.shape.map((_, axis) => axis).slice(1) });

  describe("per-sample gradients", () => {
    it.each([
      ["of LayerNorm over rows", () => new LayerNorm(4, { device, dtype }), [3, 4]],
      ["of LayerNorm over sequences as long as the batch", () => new LayerNorm(3, { device, dtype }), [3, 3, 3]],
      ["of GroupNorm on images", () => new GroupNorm(2, 4, { device, dtype }), [3, 4, 2, 2]],
      ["of GroupNorm with as many channels as samples", () => new GroupNorm(1, 3, { device, dtype }), [3, 3, 3]],
      ["of BatchNorm while it evaluates", () => new BatchNorm(3, { device, dtype }), [3, 3, 2]],
      ["of attention", () => new MultiHeadAttention(4, { heads: 2, rng, dtype }), [3, 3, 4]],
      ["of causal attention", () => new MultiHeadAttention(4, { heads: 2, causal: true, rng, dtype }), [3, 3, 4]],
      [
        "of a residual block",
        () => new Residual(new Linear(4, 4, { rng, dtype }), { shortcut: new Linear(4, 4, { rng, dtype }) }),
        [3, 4],
      ],
    ] as const)("%s are those of each loss alone", async (_, make, shape) => {
      const layer = own(make());
      const x = normal(shape);
      await expectRows(layer, () => scored(layer.forward(x)));
    });

    it("of Embedding are those of each loss alone, with repeated and unused entries", async () => {
      const layer = own(new Embedding(5, 3, { rng, dtype }));
      await expectRows(layer, () =>
        scored(
          layer.forward(
            int32([
              [0, 4, 4],
              [2, 1, 0],
              [1, 1, 1],
            ]),
          ),
        ),
      );
      await expectRows(layer, () => scored(layer.forward(int32([2, 0, 2, 3]))));
    });

    it("of a model with every layer are those of each loss alone", async () => {
      const model = own(
        new Sequential(
          new Embedding(5, 4, { rng, dtype }),
          new LayerNorm(4, { device, dtype }),
          new Residual(new MultiHeadAttention(4, { heads: 2, rng, dtype })),
          new GroupNorm(1, 3, { device, dtype }),
          new Flatten(),
          new BatchNorm(12, { device, dtype }),
          new Dropout(0.5, { rng }),
          new Linear(12, 3, { rng, dtype }),
        ),
      );
      const x = int32([
        [0, 4, 4],
        [2, 1, 0],
        [1, 1, 3],
      ]);
      const labels = int32([2, 0, 1]);
      await expectRows(model, () => softmaxCrossEntropy(model.forward(x), labels));
    });

    it("of an embedding are kept in factors, not as N × V·E", () => {
      const layer = own(new Embedding(50, 40, { rng, dtype }));
      const losses = scored(
        layer.forward(
          int32([
            [1, 2],
            [3, 3],
            [0, 49],
          ]),
        ),
      );
      const matrix = sampleGradients(losses, [layer.W]).get(layer.W)!;
      expect(matrix.shape).toEqual([50, 40]);
      expect(matrix.factors).toMatchObject({
        kind: "expanded",
        delta: { shape: [3, 2, 50] },
        x: { shape: [3, 2, 40] },
      });
    });
  });

  it("layers map an empty batch to an empty batch", () => {
    const empty = (shape: readonly number[]) => device.zeros([0, ...shape], { dtype });
    expect(own(new LayerNorm(3, { device, dtype })).forward(empty([3])).shape).toEqual([0, 3]);
    expect(own(new GroupNorm(2, 4, { device, dtype })).forward(empty([4, 3])).shape).toEqual([0, 4, 3]);
    expect(own(new BatchNorm(4, { device, dtype })).forward(empty([4, 3])).shape).toEqual([0, 4, 3]);
    expect(new Dropout(0.5, { rng }).forward(empty([4]), { training: true }).shape).toEqual([0, 4]);
    expect(new Residual(relu).forward(empty([4])).shape).toEqual([0, 4]);
    expect(new Flatten().forward(empty([3, 2])).shape).toEqual([0, 6]);
    const table = own(new Embedding(3, 2, { rng, dtype }));
    expect(table.forward(device.zeros([0, 4], { dtype: "int32" })).shape).toEqual([0, 4, 2]);
  });

  describe("Link", () => {
    it("finds cells in its fields once, and takes nothing else for one", () => {
      class Counting extends Link {
        readonly count = own(device.cell(device.zeros([], { dtype })));
        readonly again = [this.count];
        readonly inner = own(new BatchNorm(1, { device, dtype }));
        readonly optimizer = sgd({ stepSize: 1 });
        readonly rng = rng;
        readonly nothing = null;
        forward(x: Variable) {
          return x;
        }
      }
      const found = [...new Counting().namedCells()].map(([name]) => name);
      expect(found).toEqual(["count", "inner.runningMean", "inner.runningVariance"]);
    });
  });

  describe("a captured robust step", () => {
    it("moves a model with every layer as an eager step does, dropping anew each time", async () => {
      const made = () => {
        const own = device.rng(11);
        owned.push(own);
        const model = new Sequential(
          new Embedding(5, 4, { rng: own, dtype }),
          new LayerNorm(4, { device, dtype }),
          new Residual(new MultiHeadAttention(4, { heads: 2, causal: true, rng: own, dtype })),
          new Dropout(0.3, { rng: own }),
          new GroupNorm(1, 3, { device, dtype }),
          new Flatten(),
          new Linear(12, 3, { rng: own, dtype }),
        );
        owned.push(model);
        const optimizer = sgd({ stepSize: 0.1 });
        const step = (x: Tensor, labels: Tensor) => {
          const losses = softmaxCrossEntropy(model.forward(x, { training: true }), labels, { labelSmoothing: 0.1 });
          const gradients = sampleGradients(losses, model.parameters());
          // Coordinate by coordinate a bounded mean: every form of rows is asked for its values.
          const bounded = [...gradients].map(
            ([p, g]) => [p, g.mean((u) => u.clamp(-0.1, 0.1)).reshape(g.shape)] as const,
          );
          optimizer.update(new Map(bounded));
          return losses;
        };
        return { model, step };
      };
      const [eager, recorded] = [made(), made()];
      const captured = capture(recorded.step);
      for (let t = 0; t < 4; t++) {
        const x = int32([
          [0, 4, t],
          [2, 1, 0],
          [1, t, 3],
          [4, 4, 4],
        ]);
        const labels = int32([t % 3, 0, 1, 2]);
        const losses = await tidy(() => eager.step(x, labels).value.copy()).toArray();
        await expectClose(captured(x, labels).value, losses, { relative: 2000 * epsilon, absolute: 100 * epsilon });
      }
      captured.dispose();
      const expected = [...eager.model.parameters()];
      for (const [k, parameter] of [...recorded.model.parameters()].entries())
        await expectClose(parameter.value, await expected[k]!.value.toArray(), {
          relative: 2000 * epsilon,
          absolute: 100 * epsilon,
        });
    });
  });

  describe("Flatten", () => {
    it("keeps samples and joins the rest", async () => {
      const x = device.arange(12, { dtype }).reshape([2, 3, 2]);
      await expectClose(new Flatten().forward(x).value, [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
      ]);
      expect(new Flatten().forward(x.slice([0, 0])).shape).toEqual([0, 6]);
      expect(new Flatten().forward(device.ones([3], { dtype })).shape).toEqual([3, 1]);
    });

    it("refuses a single number", () => {
      expect(() => new Flatten().forward(device.ones([], { dtype }))).toThrow(coded("SHAPE_MISMATCH", /Flatten/));
    });
  });

  describe("Residual", () => {
    it("adds what it was given", async () => {
      const x = device.tensor([[1, -2]], { dtype });
      await expectClose(new Residual(relu).forward(x).value, [[2, -2]]);
      await expectClose(new Residual(relu, { shortcut: (y) => y.mul(3) }).forward(x).value, [[4, -6]]);
    });

    it("tells both ways whether it trains, and names their parameters", () => {
      const seen: unknown[] = [];
      const spy = (x: Variable, options: object) => (seen.push(options), x);
      new Residual(spy, { shortcut: spy }).forward(device.ones([1], { dtype }), { training: true });
      expect(seen).toEqual([{ training: true }, { training: true }]);
      const block = own(new Residual(new Linear(2, 2, { rng }), { shortcut: new Linear(2, 2, { rng, bias: false }) }));
      expect([...block.namedParameters()].map(([name]) => name)).toEqual(["body.W", "body.b", "shortcut.W"]);
    });

    it("refuses ways of different shapes, even if they would broadcast, and what is no layer", () => {
      const sums = (x: Variable) => x.sum({ axis: 1, keepdims: true });
      expect(() => new Residual(sums).forward(device.ones([2, 3], { dtype }))).toThrow(
        coded("SHAPE_MISMATCH", /\[2, 1\] through the body and \[2, 3\] around/),
      );
      expect(() => new Residual("relu" as never)).toThrow(coded("BAD_ARGUMENT"));
      expect(() => new Residual(undefined as never)).toThrow(coded("BAD_ARGUMENT"));
      expect(() => new Residual(relu, { shortcut: 1 as never })).toThrow(coded("BAD_ARGUMENT"));
    });
  });

  describe("Embedding", () => {
    it.each([-1, 3])("reports an index of %d at the next read, by table and place", async (index) => {
      const model = own(new Sequential(new Embedding(3, 2, { rng, dtype })));
      const y = model.forward(
        int32([
          [0, 1],
          [2, index],
        ]),
      );
      await expect(y.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/Embedding.*index out of range of 0\.W at element 3/),
      });
    });

    it("refuses indices that are no int32, extents below 1 and a parameter of another shape", () => {
      const layer = own(new Embedding(3, 2, { rng, dtype }));
      expect(() => layer.forward(device.zeros([2], { dtype }))).toThrow(coded("DTYPE_MISMATCH", /int32 indices/));
      expect(() => layer.forward(device.zeros([], { dtype: "int32" }))).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => new Embedding(0, 2, { rng })).toThrow(coded("BAD_ARGUMENT", /entries/));
      expect(() => new Embedding(3, 2.5, { rng })).toThrow(coded("BAD_ARGUMENT", /features/));
      expect(() => new Embedding(3, 2, {})).toThrow(coded("BAD_ARGUMENT", /rng or a parameter/));
      expect(() => new Embedding(2, 3, { weights: layer.W })).toThrow(
        coded("SHAPE_MISMATCH", /\[2, 3\], found \[3, 2\]/),
      );
    });

    it("starts with variance 1/E", async () => {
      const layer = own(new Embedding(200, 100, { rng, dtype }));
      const variance = await layer.W.value.variance().item();
      // 20,000 draws: the variance of the estimate is 2σ⁴/n.
      expect(Math.abs(variance * 100 - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    });
  });

  describe("tied weights", () => {
    class Reader extends Link {
      readonly project: Linear;
      readonly embed: Embedding;
      constructor() {
        super();
        this.project = new Linear(3, 5, { rng, dtype });
        this.embed = new Embedding(5, 3, { weights: this.project.W });
      }
      forward(x: Variable | Tensor) {
        return this.project.forward(this.embed.forward(x).mean({ axis: 1 }));
      }
    }
    const x = () =>
      int32([
        [0, 4],
        [2, 2],
        [1, 0],
      ]);
    const labels = () => int32([4, 2, 0]);

    it("are one parameter with the name of its first place", () => {
      const model = own(new Reader());
      expect([...model.namedParameters()].map(([name]) => name)).toEqual(["project.W", "project.b"]);
    });

    it("have the rows of their uses added before anything is aggregated", async () => {
      const model = own(new Reader());
      const { W } = model.project;
      const losses = softmaxCrossEntropy(model.forward(x()), labels());
      const matrix = sampleGradients(losses, model.parameters()).get(W)!;
      // The uses keep their factors: two positions of the embedding and one of the projection.
      expect(matrix.factors).toMatchObject({ kind: "expanded", delta: { shape: [3, 3, 5] } });
      const rows = matrix.rows();
      for (let n = 0; n < 3; n++) {
        W.clearGrad();
        softmaxCrossEntropy(model.forward(x().slice([n, n + 1])), labels().slice([n, n + 1]))
          .sum()
          .backward();
        const alone = (await W.grad!.value.reshape([15]).toArray()) as number[];
        await expectClose(rows.slice([n, n + 1]).reshape([15]), alone, {
          relative: 100 * epsilon,
          absolute: 10 * epsilon,
        });
      }
    });

    it("agree on any question with the sum of rows taken apart", async () => {
      const model = own(new Reader());
      const { W } = model.project;
      const all = sampleGradients(softmaxCrossEntropy(model.forward(x()), labels()), [W]).get(W)!;
      const rows = all.rows();
      const tolerance = { relative: 1000 * epsilon, absolute: 100 * epsilon };
      await expectClose(all.gram(), await rows.matmul(rows.transpose()).toArray(), tolerance);
      await expectClose(
        all.mean((u) => u.tanh()),
        await rows.tanh().mean({ axis: 0 }).toArray(),
        tolerance,
      );
    });
  });

  describe("LayerNorm", () => {
    it("keeps its digits beside a large common part", async () => {
      const layer = own(new LayerNorm(4, { device, dtype, epsilon: 1e-30 }));
      const x = device.tensor([[1000, 1001, 1002, 1003]], { dtype });
      const s = Math.sqrt(1.25);
      await expectClose(layer.forward(x).value, [[-1.5 / s, -0.5 / s, 0.5 / s, 1.5 / s]], { relative: 20 * epsilon });
    });

    it("refuses other extents, ε ≤ 0 and no extents", () => {
      const layer = own(new LayerNorm([2, 3], { device, dtype }));
      for (const shape of [[4, 3, 2], [2, 3], [3]])
        expect(() => layer.forward(device.zeros(shape, { dtype }))).toThrow(coded("SHAPE_MISMATCH", /\[N, …, 2, 3\]/));
      expect(() => new LayerNorm([], { device })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => new LayerNorm(0, { device })).toThrow(coded("BAD_ARGUMENT"));
      for (const bad of [0, -1, NaN])
        expect(() => new LayerNorm(2, { device, epsilon: bad })).toThrow(coded("BAD_ARGUMENT", /epsilon > 0/));
    });
  });

  describe("GroupNorm", () => {
    it("with a group per channel standardizes every image", async () => {
      const layer = own(new GroupNorm(2, 2, { device, dtype, epsilon: 1e-30 }));
      const x = device.tensor(
        [
          [
            [1, 3],
            [10, 50],
          ],
        ],
        { dtype },
      );
      await expectClose(
        layer.forward(x).value,
        [
          [
            [-1, 1],
            [-1, 1],
          ],
        ],
        { relative: 20 * epsilon },
      );
    });

    it("refuses groups that do not divide and other channels", () => {
      expect(() => new GroupNorm(3, 4, { device })).toThrow(coded("BAD_ARGUMENT", /divide channels, found 3 and 4/));
      const layer = own(new GroupNorm(2, 4, { device, dtype }));
      for (const shape of [[2, 3, 4], [4]])
        expect(() => layer.forward(device.zeros(shape, { dtype }))).toThrow(coded("SHAPE_MISMATCH", /\[N, 4, …\]/));
    });
  });

  describe("BatchNorm", () => {
    const name = "BatchNorm, training on images";
    const images = () => device.tensor(fixtures[name].inputs.x, { dtype });
    const { after } = fixtures[name].constants;

    it("moves its running statistics as PyTorch does, and evaluation does not", async () => {
      const layer = running(name);
      layer.forward(images());
      layer.forward(images(), { training: true });
      layer.forward(images());
      await expectClose(layer.runningMean.value, after.mean, { relative: 50 * epsilon });
      await expectClose(layer.runningVariance.value, after.variance, { relative: 50 * epsilon });
    });

    it("throws SAMPLES_MIXED when it trains with per-sample gradients, and not while it evaluates", () => {
      const model = own(new Sequential(new Linear(3, 4, { rng, dtype }), new BatchNorm(4, { device, dtype })));
      const x = normal([5, 3]);
      expect(() => sampleGradients(scored(model.forward(x, { training: true })), model.parameters())).toThrow(
        coded("SAMPLES_MIXED", /BatchNorm joins samples along axis 0/),
      );
      expect(sampleGradients(scored(model.forward(x)), model.parameters()).size).toBe(4);
    });

    it("leaves running statistics alone when a batch is not finite, and says so", async () => {
      const layer = running(name);
      const before = await layer.runningMean.value.toArray();
      const bad = device.full([2, 4], NaN, { dtype });
      const y = layer.forward(bad, { training: true });
      await expect(y.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/BatchNorm.*non-finite value of the batch mean/),
      });
      await expectClose(layer.runningMean.value, before);
    });

    it("names its running statistics by path, and returns their memory on dispose", () => {
      const before = device.memory().live;
      const model = new Sequential(relu, new Residual(new BatchNorm(3, { device, dtype })));
      expect([...model.namedCells()].map(([path]) => path)).toEqual(["1.body.runningMean", "1.body.runningVariance"]);
      model.dispose();
      expect(device.memory().live).toBe(before);
    });

    it("gives gradients of an evaluation although a training pass came after it", async () => {
      const layer = running(name);
      const x = new Variable(images());
      const losses = layer.forward(x).square().sum();
      layer.forward(images(), { training: true });
      losses.backward();
      const again = running(name);
      const fresh = new Variable(images());
      again.forward(fresh).square().sum().backward();
      await expectClose(x.grad!.value, await fresh.grad!.value.toArray());
    });

    it("refuses one value per channel, other channels and options out of range", () => {
      const layer = own(new BatchNorm(4, { device, dtype }));
      expect(() => layer.forward(device.zeros([1, 4], { dtype }), { training: true })).toThrow(
        coded("SHAPE_MISMATCH", /two values per channel/),
      );
      expect(() => layer.forward(device.zeros([0, 4], { dtype }), { training: true })).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => layer.forward(device.zeros([2, 3], { dtype }))).toThrow(coded("SHAPE_MISMATCH"));
      for (const momentum of [0, 1.5, NaN])
        expect(() => new BatchNorm(4, { device, momentum })).toThrow(coded("BAD_ARGUMENT", /momentum/));
    });

    it("trains in captured steps, running statistics included", async () => {
      const [eager, captured] = [running(name), running(name)];
      const forward = (layer: BatchNorm) => (x: Tensor) => {
        layer.gain.clearGrad();
        const loss = layer.forward(x, { training: true }).square().mul(0.5).sin().mean();
        loss.backward();
        return { loss, gradient: layer.gain.grad! };
      };
      const step = capture(forward(captured));
      for (let t = 0; t < 4; t++) {
        const x = normal([3, 4, 2]);
        const expected = tidy(() => forward(eager)(x));
        const found = step(x);
        await expectClose(found.loss.value, await expected.loss.toArray(), { relative: 100 * epsilon });
        await expectClose(found.gradient.value, (await expected.gradient.toArray()) as number[], {
          relative: 1000 * epsilon,
          absolute: 100 * epsilon,
        });
      }
      step.dispose();
      await expectClose(captured.runningMean.value, await eager.runningMean.value.toArray(), {
        relative: 100 * epsilon,
      });
      await expectClose(captured.runningVariance.value, await eager.runningVariance.value.toArray(), {
        relative: 100 * epsilon,
      });
    });
  });

  describe("Dropout", () => {
    const training = { training: true };

    it("keeps a share of 1 − p, scaled so that the mean stays", async () => {
      const found = (await new Dropout(0.25, { rng })
        .forward(device.ones([4096], { dtype }), training)
        .toArray()) as number[];
      expect(new Set(found.map((v) => Math.fround(v)))).toEqual(new Set([0, Math.fround(4 / 3)]));
      const kept = found.filter((v) => v > 0).length / found.length;
      // Five standard errors of a share of 4096 draws.
      expect(Math.abs(kept - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 4096));
    });

    it("drops where draws of the host's generator lie below p", async () => {
      const expected = generator(7).uniform([40]).values;
      const same = own(device.rng(7));
      const found = (await new Dropout(0.5, { rng: same })
        .forward(device.ones([40], { dtype: "float32" }), training)
        .toArray()) as number[];
      expect(found).toEqual(Array.from(expected, (u) => (u >= 0.5 ? 2 : 0)));
    });

    it("does nothing in evaluation and for p = 0", () => {
      const x = new Variable(device.ones([3], { dtype }));
      expect(new Dropout(0.5, { rng }).forward(x)).toBe(x);
      expect(new Dropout(0, { rng }).forward(x, training)).toBe(x);
    });

    it("sends gradients through what it kept", async () => {
      const x = new Variable(device.ones([50], { dtype }));
      const y = new Dropout(0.5, { rng }).forward(x, training);
      y.sum().backward();
      await expectClose(x.grad!.value, (await y.toArray()) as number[]);
    });

    it("draws anew at each call and at each replay, the same as without capture", async () => {
      const [eager, captured] = [5, 5].map((seed) => new Dropout(0.5, { rng: own(device.rng(seed)) })) as [
        Dropout,
        Dropout,
      ];
      const x = device.ones([64], { dtype });
      const step = capture((input: Tensor) => captured.forward(input, training));
      const seen = new Set<string>();
      for (let t = 0; t < 5; t++) {
        const expected = (await eager.forward(x, training).toArray()) as number[];
        await expectClose(step(x).value, expected);
        seen.add(expected.join());
      }
      expect(seen.size).toBe(5);
      step.dispose();
    });

    it("keeps rows apart", async () => {
      const W = own(new Linear(3, 4, { rng, dtype }));
      const x = normal([4, 3]);
      await expectRows(W, () => {
        const mask = device.rng(3);
        const y = new Dropout(0.5, { rng: mask }).forward(W.forward(x), training);
        mask.dispose();
        return scored(y);
      });
    });

    it.each([-0.1, 1, NaN])("refuses p = %d", (p) => {
      expect(() => new Dropout(p, { rng })).toThrow(coded("BAD_ARGUMENT", /p in \[0, 1\)/));
    });

    it("refuses integers", () => {
      expect(() => new Dropout(0.5, { rng }).forward(int32([1]), training)).toThrow(coded("DTYPE_MISMATCH"));
    });
  });

  describe("MultiHeadAttention", () => {
    const x = () => normal([2, 3, 6]);

    it("does not see later positions when causal", async () => {
      const layer = attention({ heads: 2, causal: true });
      const a = x();
      const changed = a.add(device.tensor([[[0], [0], [5]]], { dtype }));
      const first = (y: Variable) => y.value.slice(null, [0, 2]);
      await expectClose(first(layer.forward(changed)), await first(layer.forward(a)).toArray());
    });

    it("does not see padding, whatever it holds", async () => {
      const layer = attention({ heads: 2 });
      const a = x();
      const mask = device.tensor(
        [
          [1, 0, 1],
          [1, 1, 0],
        ],
        { dtype: "bool" },
      );
      const memory = a.add(
        device.tensor(
          [
            [[0], [9], [0]],
            [[0], [0], [-9]],
          ],
          { dtype },
        ),
      );
      const found = layer.forward(a, { memory, mask });
      await expectClose(found.value, await layer.forward(a, { mask }).toArray());
    });

    it("gives its output's bias where causality and padding leave nothing", async () => {
      const layer = attention({ heads: 2, causal: true });
      layer.output.b!.assign(device.arange(6, { dtype }));
      const mask = device.tensor(
        [
          [0, 1, 1],
          [1, 1, 1],
        ],
        { dtype: "bool" },
      );
      const y = layer.forward(x(), { mask }).value.slice([0, 1], [0, 1]).reshape([6]);
      await expectClose(y, [0, 1, 2, 3, 4, 5]);
    });

    it("reports a sample without any position at the next read", async () => {
      const mask = device.tensor(
        [
          [1, 0, 0],
          [0, 0, 0],
        ],
        { dtype: "bool" },
      );
      await expect(attention({ heads: 2 }).forward(x(), { mask }).data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(/MultiHeadAttention.*no position to attend to of mask at element 1/),
      });
    });

    it("replays with other sequences and masks", async () => {
      const layer = attention({ heads: 2, causal: true });
      const forward = (a: Tensor, mask: Tensor) => layer.forward(a, { mask });
      const step = capture(forward);
      for (const row of [
        [1, 1, 0],
        [1, 0, 1],
        [1, 1, 1],
        [1, 0, 0],
      ]) {
        const [a, mask] = [x(), device.tensor([row, [1, 1, 1]], { dtype: "bool" })];
        await expectClose(step(a, mask).value, await forward(a, mask).toArray(), {
          relative: 1000 * epsilon,
          absolute: 50 * epsilon,
        });
      }
      step.dispose();
    });

    it("refuses heads that do not divide, other shapes and masks, and no positions", () => {
      expect(() => new MultiHeadAttention(6, { heads: 4, rng })).toThrow(coded("BAD_ARGUMENT", /found 4 and 6/));
      const layer = attention({ heads: 2 });
      for (const shape of [
        [2, 6],
        [2, 3, 5],
        [2, 0, 6],
        [0, 3, 6],
      ])
        expect(() => layer.forward(device.zeros(shape, { dtype }))).toThrow(coded("SHAPE_MISMATCH", /N, T ≥ 1/));
      const a = x();
      expect(() => layer.forward(a, { memory: device.zeros([3, 3, 6], { dtype }) })).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => layer.forward(a, { mask: device.ones([2, 3], { dtype }) })).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => layer.forward(a, { mask: device.ones([2, 4], { dtype: "bool" }) })).toThrow(
        coded("SHAPE_MISMATCH", /mask \[2, 3\], found \[2, 4\]/),
      );
    });
  });
});
