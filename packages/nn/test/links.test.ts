import { avgPool2d, conv1d, conv2d, maxPool2d, sampleGradients, type Variable } from "@robgrad/autograd";
import {
  AvgPool2d,
  constant,
  Conv1d,
  Conv2d,
  glorot,
  he,
  lecun,
  Linear,
  Link,
  MaxPool2d,
  Parameter,
  relu,
  Sequential,
  squaredError,
  uniform,
} from "@robgrad/nn";
import { openDevice, tidy, type Device, type DeviceRandom, type Tensor } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let device: Device;
let rng: DeviceRandom;

const fixed =
  (rows: number[][]) =>
  (_: DeviceRandom, __: readonly number[], { dtype }: { dtype: "float32" }) =>
    device.tensor(rows, { dtype });

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
    rng = device.rng(0);
  });
  afterEach(() => device.dispose());

  describe("Linear", () => {
    it("computes x Wᵀ + b", async () => {
      const layer = new Linear(2, 3, {
        rng,
        weights: fixed([
          [1, 2],
          [3, 4],
          [5, 6],
        ]) as never,
        bias: constant(10),
      });
      expect(
        await layer
          .forward(
            device.tensor([
              [1, 1],
              [0, 2],
            ]),
          )
          .toArray(),
      ).toEqual([
        [13, 17, 21],
        [14, 18, 22],
      ]);
    });

    it("works on every leading axis of a sequence", async () => {
      const layer = new Linear(2, 1, { rng, weights: fixed([[1, -1]]) as never, bias: false });
      expect(layer.b).toBeNull();
      expect(
        await layer
          .forward(
            device.tensor([
              [
                [1, 2],
                [3, 4],
              ],
              [
                [5, 7],
                [0, 1],
              ],
            ]),
          )
          .toArray(),
      ).toEqual([
        [[-1], [-1]],
        [[-2], [-1]],
      ]);
    });

    it("has zero bias and LeCun weights unless told otherwise", async () => {
      const layer = new Linear(400, 50, { rng });
      expect(await layer.b!.value.abs().max().item()).toBe(0);
      const variance = await layer.W.value.variance().item();
      // 20,000 draws: the variance of the estimate is 2σ⁴/n.
      expect(Math.abs(variance * 400 - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    });

    it("refuses extents below 1 and inputs of another width", () => {
      expect(() => new Linear(0, 3, { rng })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => new Linear(2, 1.5, { rng })).toThrow(/outputs to be a whole number ≥ 1, found 1.5/);
      expect(() => new Linear(2, 3, { rng }).forward(device.zeros([4, 5]))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
      expect(() => new Linear(2, 3, { rng }).forward([1, 2] as never)).toThrow(
        expect.objectContaining({ code: "BAD_ARGUMENT" }),
      );
    });
  });

  describe("Conv2d and Conv1d", () => {
    it("convolve as conv2d and conv1d do, with their options", async () => {
      const images = new Conv2d(4, 6, [3, 2], { rng, stride: 2, padding: [1, 0], groups: 2, bias: constant(0.5) });
      const x = rng.normal([2, 4, 5, 6]);
      expect(images.W.shape).toEqual([6, 2, 3, 2]);
      expect(await images.forward(x).toArray()).toEqual(
        await conv2d(x, images.W, device.full([6], 0.5), { stride: 2, padding: [1, 0], groups: 2 }).toArray(),
      );
      const sequences = new Conv1d(3, 2, 4, { rng, dilation: 2, bias: false });
      const y = rng.normal([2, 3, 9]);
      expect(sequences.b).toBeNull();
      expect(await sequences.forward(y).toArray()).toEqual(
        await conv1d(y, sequences.W, undefined, { dilation: 2 }).toArray(),
      );
    });

    it("start with weights whose variance is that of a window's size", async () => {
      const { W } = new Conv2d(8, 64, 5, { rng, groups: 2 });
      expect((await W.value.square().mean().item()) * (8 / 2) * 25).toBeCloseTo(1, 1);
    });

    it("refuse extents below 1 and groups that do not divide", () => {
      const bad = expect.objectContaining({ code: "BAD_ARGUMENT" }) as unknown as Error;
      expect(() => new Conv2d(0, 1, 3, { rng })).toThrow(bad);
      expect(() => new Conv2d(1, 1, [3, 0], { rng })).toThrow(bad);
      expect(() => new Conv1d(1, 1, 0.5, { rng })).toThrow(bad);
      expect(() => new Conv1d(4, 6, 3, { rng, groups: 4 })).toThrow(/groups to divide.*4 for 4 and 6/);
    });
  });

  describe("MaxPool2d and AvgPool2d", () => {
    it("pool as maxPool2d and avgPool2d do, and have no parameters", async () => {
      const x = rng.normal([2, 3, 7, 6]);
      const options = { stride: [2, 1], padding: 1 };
      const [max, avg] = [new MaxPool2d([3, 2], options), new AvgPool2d([3, 2], options)];
      expect(await max.forward(x).toArray()).toEqual(await maxPool2d(x, [3, 2], options).toArray());
      expect(await avg.forward(x).toArray()).toEqual(await avgPool2d(x, [3, 2], options).toArray());
      expect([...max.parameters(), ...avg.parameters()]).toEqual([]);
    });
  });

  describe("Sequential", () => {
    const model = () => new Sequential(new Linear(2, 4, { rng }), relu, new Linear(4, 1, { rng, bias: false }));

    it("names parameters by position and field", () => {
      expect([...model().namedParameters()].map(([name]) => name)).toEqual(["0.W", "0.b", "2.W"]);
    });

    it("gives parameters their path as name, for errors to tell layers apart", () => {
      const outer = new Sequential(model(), new Linear(1, 1, { rng }));
      expect([...outer.parameters()].map(({ name }) => name)).toEqual(["0.0.W", "0.0.b", "0.2.W", "1.W", "1.b"]);
    });

    it("applies its layers in order", async () => {
      const m = model();
      const x = device.tensor([[0.5, -1]]);
      const [first, , second] = m.layers as [Linear, unknown, Linear];
      const expected = await second.forward(first.forward(x).relu()).toArray();
      expect(await m.forward(x).toArray()).toEqual(expected);
    });

    it("tells its layers whether it trains, and evaluates by default", () => {
      const seen: (boolean | undefined)[] = [];
      const spy = (x: Variable, { training }: { training?: boolean }) => (seen.push(training), x);
      const m = new Sequential(spy, new Sequential(spy));
      m.forward(device.ones([1]));
      m.forward(device.ones([1]), { training: true });
      expect(seen).toEqual([undefined, undefined, true, true]);
    });

    it("refuses what is neither a link nor a function", () => {
      expect(() => new Sequential("relu" as never)).toThrow(/found string at position 0/);
    });

    it("returns its memory on dispose", () => {
      const before = device.memory().live;
      const m = model();
      expect(device.memory().live - before).toBe(4 * (4 * 2 + 4 + 4));
      m.dispose();
      expect(device.memory().live).toBe(before);
    });
  });

  describe("Link", () => {
    class Shared extends Link {
      readonly inner: Linear;
      readonly list: readonly Linear[];
      readonly scale: Parameter;
      constructor() {
        super();
        this.inner = new Linear(2, 2, { rng, bias: false });
        this.list = [this.inner, new Linear(2, 2, { rng })];
        this.scale = new Parameter(device.ones([2]), "scale");
      }
      forward(x: Variable | Tensor) {
        return this.list[1]!.forward(this.inner.forward(this.inner.forward(x))).mul(this.scale);
      }
    }

    it("finds parameters in fields and arrays, a shared one once", () => {
      expect([...new Shared().namedParameters()].map(([name]) => name)).toEqual([
        "inner.W",
        "list.1.W",
        "list.1.b",
        "scale",
      ]);
    });

    it("adds the rows of a layer used twice before anything is aggregated", async () => {
      const link = new Shared();
      const x = device.tensor([
        [1, 2],
        [0, -1],
        [3, 1],
      ]);
      const losses = () => squaredError(link.forward(x), device.zeros([3, 2]));
      const rows = sampleGradients(losses(), link.parameters());
      const sum = (await rows.get(link.inner.W)!.mean().mul(3).toArray()) as number[];
      losses().sum().backward();
      const gradient = ((await link.inner.W.grad!.toArray()) as number[][]).flat();
      sum.forEach((v, d) => expect(v).toBeCloseTo(gradient[d]!, 3));
    });
  });

  describe("Parameter", () => {
    it("starts its gradient anew after the scope of the last one", async () => {
      const w = new Parameter(device.tensor([2]), "w");
      for (let t = 0; t < 3; t++) {
        const found = tidy(() => {
          w.square().sum().backward();
          return w.grad!.value.mul(1);
        });
        expect(await found.toArray()).toEqual([4]);
      }
    });

    it("refuses a graph whose value was assigned since", () => {
      const w = new Parameter(device.tensor([2]), "w");
      const y = w.mul(w).sum();
      w.assign(device.tensor([3]));
      expect(() => y.backward()).toThrow(expect.objectContaining({ code: "STALE_VALUE" }));
    });
  });

  describe("initializers", () => {
    const options = { dtype: "float64", fanIn: 30, fanOut: 10 } as const;
    const shape = [200, 100];
    const count = 20_000;

    it.each([
      ["lecun", lecun, 1 / 30],
      ["he", he, 2 / 30],
      ["glorot", glorot, 2 / 40],
    ])("%s has its variance, normal and uniform", async (_, make, variance) => {
      for (const [distribution, kurtosis] of [
        ["normal", 3],
        ["uniform", 1.8],
      ] as const) {
        const values = Array.from(await make({ distribution })(rng, shape, options).data());
        const mean = values.reduce((a, b) => a + b, 0) / count;
        const moment = (k: number) => values.reduce((a, b) => a + (b - mean) ** k, 0) / count;
        expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / count));
        expect(Math.abs(moment(2) / variance - 1)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / count));
        expect(moment(4) / moment(2) ** 2).toBeCloseTo(kurtosis, 0);
      }
    });

    it("uniform stays in its interval", async () => {
      const values = await uniform({ low: -0.05, high: 0.05 })(rng, shape, options).data();
      expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.05);
      expect(Math.max(...values)).toBeLessThan(0.05);
      expect(() => uniform({ low: 1, high: 0 })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => constant(NaN)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    });
  });
});
