import {
  AvgPool2d,
  BatchNorm,
  Conv1d,
  Conv2d,
  Dropout,
  Flatten,
  LayerNorm,
  Linear,
  Link,
  MaxPool2d,
  relu,
  Residual,
  Sequential,
  sigmoid,
  softplus,
  squaredError,
  tanh,
} from "@robgrad/nn";
import { exportOnnx, type OnnxForm } from "@robgrad/nn/onnx";
import type { Variable } from "@robgrad/autograd";
import { openDevice, type Device, type DType, type Tensor } from "@robgrad/tensor";
import { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-web";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** What ONNX Runtime makes of an input. */
async function evaluate(
  file: Uint8Array,
  x: Tensor,
): Promise<{ readonly dims: readonly number[]; readonly data: number[] }> {
  const session = await InferenceSession.create(file);
  const data = await x.data();
  const input =
    x.dtype === "float64"
      ? new RuntimeTensor("float64", data as Float64Array, x.shape)
      : new RuntimeTensor("float32", data as Float32Array, x.shape);
  const { y } = await session.run({ x: input });
  const found = { dims: y!.dims, data: Array.from(y!.data as Float32Array) };
  await session.release();
  return found;
}

describe("exportOnnx", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice("cpu");
  });
  afterAll(() => device.dispose());

  /** Compares ONNX Runtime's outputs with ours at 1e-5. */
  async function agrees(
    model: Link,
    x: Tensor,
    input: readonly (number | string)[],
    forms?: ReadonlyMap<unknown, OnnxForm>,
  ) {
    const file = await exportOnnx(model, { input, ...(forms && { forms }) });
    const y = model.forward(x);
    const found = await evaluate(file, x);
    expect(found.dims).toEqual(y.shape);
    (await y.value.data()).forEach((value, k) => expect(Math.abs(found.data[k]! - value)).toBeLessThan(1e-5));
    return file;
  }

  const trained = async (dtype: DType) => {
    const rng = device.rng(4);
    const options = { rng, dtype };
    const model = new Sequential(
      new Linear(4, 8, options),
      relu,
      new Sequential(new Linear(8, 7, options), tanh, new Linear(7, 6, { ...options, bias: false }), sigmoid),
      new Linear(6, 5, options),
      // ONNX Runtime has no softplus in double precision.
      dtype === "float32" ? softplus : relu,
      new Linear(5, 3, options),
    );
    const [x, y] = [rng.normal([20, 4], { dtype }), rng.normal([20, 3], { dtype })];
    for (let t = 0; t < 20; t++) {
      for (const parameter of model.parameters()) parameter.grad = null;
      squaredError(model.forward(x), y).mean().backward();
      for (const parameter of model.parameters()) parameter.assign(parameter.value.sub(parameter.grad!.value.mul(0.1)));
    }
    return { model, x };
  };

  it.each(["float32", "float64"] as const)(
    "runs in ONNX Runtime with our outputs: a trained network in %s",
    async (dtype) => {
      const { model, x } = await trained(dtype);
      await agrees(model, x, ["N", 4]);
    },
  );

  describe("layers for images and sequences", () => {
    it("runs a trained convolutional network with our outputs", async () => {
      const rng = device.rng(6);
      const model = new Sequential(
        new Conv2d(1, 4, 3, { rng, padding: 1 }),
        new BatchNorm(4, { device }),
        relu,
        new MaxPool2d(2),
        new Conv2d(4, 6, [3, 2], { rng, stride: [1, 2], dilation: [2, 1], groups: 2, bias: false }),
        tanh,
        new AvgPool2d(2, { stride: 1, padding: 1 }),
        new Flatten(),
        new Dropout(0.5, { rng }),
        new Linear(6 * 3 * 4, 5, { rng }),
        new LayerNorm(5, { device }),
        new Residual(new Sequential(new Linear(5, 5, { rng }), relu)),
        new Residual(tanh, { shortcut: new Linear(5, 5, { rng }) }),
      );
      const [x, y] = [rng.normal([8, 1, 12, 12]), rng.normal([8, 5])];
      for (let t = 0; t < 5; t++) {
        for (const parameter of model.parameters()) parameter.grad = null;
        squaredError(model.forward(x, { training: true }), y)
          .mean()
          .backward();
        for (const p of model.parameters()) p.assign(p.value.sub(p.grad!.value.mul(0.02)));
      }
      await agrees(model, x, ["N", 1, 12, 12]);
    });

    it.each([
      [
        "Conv1d",
        [2, 4, 20],
        () => new Conv1d(4, 6, 3, { rng: device.rng(0), stride: 2, padding: 2, dilation: 2, groups: 2 }),
      ],
      ["MaxPool2d", [2, 3, 9, 8], () => new MaxPool2d([3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2] })],
      ["AvgPool2d", [2, 3, 9, 8], () => new AvgPool2d([3, 2], { padding: [1, 1] })],
      ["LayerNorm of several axes", [2, 3, 4, 5], () => new LayerNorm([4, 5], { device, epsilon: 1e-3 })],
    ] as const)("%s", async (_, shape, make) => {
      const layer = make();
      const channels = shape[1];
      const rng = device.rng(2);
      // A layer of parameters beside it, which tells the dtype.
      const scale = new BatchNorm(channels, { device });
      for (const parameter of layer.parameters()) parameter.assign(rng.normal(parameter.shape));
      await agrees(new Sequential(scale, layer), rng.normal(shape), ["N", ...shape.slice(1)]);
    });

    it("refuses a mean over windows with holes, which these operators have not", async () => {
      const model = new Sequential(new Conv2d(1, 1, 1, { rng: device.rng(0) }), new AvgPool2d(2, { dilation: 2 }));
      await expect(exportOnnx(model, { input: ["N", 1, 8, 8] })).rejects.toThrow(/AvgPool2d without dilation/);
    });
  });

  it("takes any number of samples, and axes before the last", async () => {
    const model = new Sequential(new Linear(4, 3, { rng: device.rng(1) }), tanh);
    const file = await agrees(model, device.rng(0).normal([2, 5, 4]), ["N", "T", 4]);
    for (const samples of [1, 7]) {
      const x = device.rng(samples).normal([samples, 3, 4]);
      const found = await evaluate(file, x);
      expect(found.dims).toEqual([samples, 3, 3]);
    }
  });

  it("stores a layer that is used twice once", async () => {
    const shared = new Linear(30, 30, { rng: device.rng(1) });
    const once = await exportOnnx(new Sequential(shared), { input: ["N", 30] });
    const twice = await agrees(new Sequential(shared, tanh, shared), device.rng(0).normal([2, 30]), ["N", 30]);
    expect(twice.length).toBeLessThan(once.length + 900);
  });

  it("is extended by forms: for links, for functions, and for links around others", async () => {
    class Scaled extends Link {
      readonly inner = new Linear(3, 3, { rng: device.rng(2) });
      forward(x: Variable | Tensor) {
        return this.inner.forward(x).mul(this.inner.b!);
      }
    }
    const halved = (x: Variable) => x.mul(0.5);
    const half = device.cell(device.tensor(0.5));
    const forms = new Map<unknown, OnnxForm>([
      [
        Scaled,
        ({ inner }: Scaled, x, graph) =>
          graph.node("Mul", [graph.layer("inner", inner, x), graph.value(inner.b!.cell)]),
      ],
      [halved, (_, x, graph) => graph.node("Mul", [x, graph.value(half)])],
    ]);
    const model = new Sequential(new Scaled(), halved);
    for (const parameter of model.parameters()) parameter.assign(device.rng(5).normal(parameter.shape));
    await agrees(model, device.rng(0).normal([4, 3]), ["N", 3], forms);
  });

  it("names a layer that has no form", async () => {
    class Twice extends Linear {
      override forward(x: Variable | Tensor) {
        return super.forward(x).mul(2);
      }
    }
    class Renamed extends Linear {}
    const options = { rng: device.rng(0) };
    const odd = (x: Variable) => x;
    const refused = (model: Sequential) => expect(exportOnnx(model, { input: ["N", 2] })).rejects;
    await refused(new Sequential(new Linear(2, 2, options), odd)).toThrow(/found the function odd at 1; give it one/);
    await refused(new Sequential(new Linear(2, 2, options), new Sequential(new Twice(2, 2, options)))).toMatchObject({
      code: "BAD_ARGUMENT",
      message: expect.stringMatching(/found Twice at 1\.0/),
    });
    await agrees(new Sequential(new Renamed(2, 2, options)), device.ones([1, 2]), [1, 2]);
  });

  it("refuses what is no model, no shape, or not finite", async () => {
    const model = new Sequential(new Linear(2, 2, { rng: device.rng(0) }));
    await expect(exportOnnx(new Sequential(relu), { input: ["N"] })).rejects.toThrow(/model with parameters/);
    await expect(exportOnnx({} as never, { input: ["N"] })).rejects.toThrow(/expected a link/);
    await expect(exportOnnx(model, { input: [-1, 2] })).rejects.toThrow(/found \[-1,2\]/);
    const [first] = model.parameters();
    first!.assign(
      device.tensor(
        [
          [1, NaN],
          [0, 0],
        ],
        { allowNonFinite: true },
      ),
    );
    await expect(exportOnnx(model, { input: ["N", 2] })).rejects.toThrow(/0\.W to be finite, found NaN at element 1/);
  });
});
