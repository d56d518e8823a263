import { sampleGradients } from "@robgrad/autograd";
import { constant, GRU, LSTM, Linear, Sequential, squaredError, type Peephole } from "@robgrad/nn";
import { openDevice, type Device, type DeviceRandom } from "@robgrad/tensor";
import { expectClose } from "@robgrad/tensor/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let device: Device;
let rng: DeviceRandom;

const coded = (code: string) => expect.objectContaining({ code }) as Error;

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
    rng = device.rng(0);
  });
  afterEach(() => device.dispose());

  describe("LSTM", () => {
    it("names its parameters, peepholes by gate", () => {
      const model = new Sequential(new LSTM(2, 3, { rng, peephole: "full" }), new GRU(3, 4, { rng }));
      expect([...model.namedParameters()].map(([path, { shape }]) => [path, shape])).toEqual([
        ["0.U", [2, 12]],
        ["0.W", [3, 12]],
        ["0.b", [12]],
        ["0.V.0", [3, 3]],
        ["0.V.1", [3, 3]],
        ["0.V.2", [3, 3]],
        ["1.U", [3, 12]],
        ["1.W", [4, 12]],
        ["1.b", [12]],
        ["1.d", [4]],
      ]);
      expect(new LSTM(2, 3, { rng }).V).toEqual([]);
    });

    it("starts with a forget gate that is open", async () => {
      expect(await new LSTM(2, 2, { rng }).b.toArray()).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
      const layer = new LSTM(2, 2, { rng, bias: constant(3), forgetBias: -1 });
      expect(await layer.b.toArray()).toEqual([3, 3, -1, -1, 3, 3, 3, 3]);
    });

    it("does the same with full peepholes that are diagonal as with diagonal ones", async () => {
      const [diagonal, full] = (["diagonal", "full"] as const).map(
        (peephole) => new LSTM(2, 3, { rng: device.rng(5), peephole, dtype: "float64" }),
      ) as [LSTM, LSTM];
      const values = rng.normal([3, 3], { dtype: "float64" });
      diagonal.V.forEach((v, k) => v.assign(values.slice([k, k + 1]).reshape([3])));
      full.V.forEach((v, k) => v.assign(device.eye(3, 3, { dtype: "float64" }).mul(values.slice([k, k + 1]))));
      const x = rng.normal([4, 5, 2], { dtype: "float64" });
      const near = { relative: 1e-9, absolute: 1e-9 };
      await expectClose(full.forward(x).value, await diagonal.forward(x).toArray(), near);
      for (const layer of [diagonal, full]) layer.forward(x).square().sum().backward();
      for (const field of ["U", "W", "b"] as const)
        await expectClose(full[field].grad!.value, await diagonal[field].grad!.toArray(), near);
      for (const [k, v] of diagonal.V.entries()) {
        const onDiagonal = full.V[k]!.grad!.value.mul(device.eye(3, 3, { dtype: "float64" })).sum({ axis: 0 });
        await expectClose(onDiagonal, await v.grad!.toArray(), near);
      }
    });

    it("refuses another peephole and extents below 1", () => {
      expect(() => new LSTM(2, 3, { rng, peephole: "half" as Peephole })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => new LSTM(0, 3, { rng })).toThrow(/LSTM: expected inputs to be a whole number ≥ 1, found 0/);
      expect(() => new GRU(2, 1.5, { rng })).toThrow(/GRU: expected hidden to be a whole number ≥ 1, found 1.5/);
    });
  });

  describe.each([
    ["LSTM", LSTM],
    ["GRU", GRU],
  ] as const)("%s", (_, Layer) => {
    const build = (options: { readonly fused?: boolean } = {}) => new Layer(2, 3, { rng, ...options });

    it.each([true, false])("goes on where it left off, fused: %s", async (fused) => {
      const layer = build({ fused });
      const x = rng.normal([4, 6, 2]);
      const whole = layer.unroll(x);
      const first = layer.unroll(x.slice(null, [0, 2]));
      const rest = layer.unroll(x.slice(null, [2, 6]), { ...first });
      await expectClose(rest.outputs.value, (await whole.outputs.slice(null, [2, 6]).toArray()) as number[][][], {
        absolute: 1e-6,
      });
      await expectClose(rest.h.value, (await whole.h.toArray()) as number[][], { absolute: 1e-6 });
    });

    it.each([true, false])("leaves the state alone over sequences of length 0, fused: %s", async (fused) => {
      const h = rng.normal([4, 3]);
      const { outputs, h: last } = build({ fused }).unroll(device.zeros([4, 0, 2]), { h });
      expect(outputs.shape).toEqual([4, 0, 3]);
      expect(await last.toArray()).toEqual(await h.toArray());
    });

    it.each([true, false])("takes no sequences at all, fused: %s", (fused) => {
      const layer = build({ fused });
      const outputs = layer.forward(device.zeros([0, 4, 2]));
      expect(outputs.shape).toEqual([0, 4, 3]);
      outputs.sum().backward();
      expect(layer.U.grad!.shape).toEqual(layer.U.shape);
    });

    it("has gradients of zeros where no step counts", async () => {
      const layer = build();
      const mask = device.tensor([[false, false]]).broadcastTo([4, 2]);
      const { outputs } = layer.unroll(rng.normal([4, 2, 2]), { mask });
      expect((await outputs.data()).every((value) => value === 0)).toBe(true);
      outputs.square().add(outputs).sum().backward();
      for (const parameter of layer.parameters())
        expect((await parameter.grad!.data()).every((value) => value === 0)).toBe(true);
    });

    it("gives rows of samples to a model that reads the last output", async () => {
      const [layer, head] = [build(), new Linear(3, 1, { rng })];
      const x = rng.normal([4, 5, 2]);
      const losses = () => squaredError(head.forward(layer.unroll(x).h), device.ones([4, 1]));
      const parameters = [...layer.parameters(), ...head.parameters()];
      const rows = sampleGradients(losses(), parameters);
      losses().sum().backward();
      for (const parameter of parameters) {
        const sum = rows.get(parameter)!.mean().mul(4).reshape(parameter.shape);
        await expectClose(sum, (await parameter.grad!.toArray()) as number[], { relative: 1e-4, absolute: 1e-5 });
      }
    });

    it("says which operand has which shape", () => {
      const layer = build();
      const x = device.zeros([4, 5, 2]);
      const bool = (shape: readonly number[]) => device.zeros(shape).equal(0);
      expect(() => layer.forward(device.zeros([4, 2]))).toThrow(/expected x of shape \[B, T, D\], found \[4, 2\]/);
      expect(() => layer.forward(device.zeros([4, 5, 3]))).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => layer.unroll(x, { h: device.zeros([3, 3]) })).toThrow(
        /expected h of shape \[B, H\], found \[3, 3\]/,
      );
      expect(() => layer.unroll(x, { mask: bool([5, 4]) })).toThrow(/expected mask of shape \[B, T\], found \[5, 4\]/);
      expect(() => layer.unroll(x, { mask: bool([4]) })).toThrow(coded("SHAPE_MISMATCH"));
      expect(() => layer.unroll(x, { mask: device.ones([4, 5]) })).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => layer.unroll(x, { mask: [[1]] as never })).toThrow(coded("BAD_ARGUMENT"));
      expect(() => layer.forward(device.zeros([4, 5, 2], { dtype: "float64" }))).toThrow(coded("DTYPE_MISMATCH"));
      expect(() => layer.forward([1] as never)).toThrow(coded("BAD_ARGUMENT"));
    });
  });
});
