import { Linear, relu, Sequential, summary } from "@robgrad/nn";
import { memoryReturns } from "@robgrad/tensor/testing";
import { openDevice, type Device } from "@robgrad/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu");
});
afterAll(() => device.dispose());

describe("summary", () => {
  memoryReturns(() => device);

  it("lists layers, shapes and parameters, a shared one once", () => {
    const rng = device.rng(0);
    const shared = new Linear(3, 3, { rng });
    const model = new Sequential(new Linear(2, 3, { rng }), relu, new Sequential(shared, relu, shared), (x) =>
      x.mul(2),
    );
    const { rows, total } = summary(model, [5, 2]);
    expect(rows).toEqual([
      { name: "0", link: "Linear", outputShape: [5, 3], parameters: 9 },
      { name: "1", link: "relu", outputShape: [5, 3], parameters: 0 },
      { name: "2.0", link: "Linear", outputShape: [5, 3], parameters: 12 },
      { name: "2.1", link: "relu", outputShape: [5, 3], parameters: 0 },
      { name: "2.2", link: "Linear", outputShape: [5, 3], parameters: 0 },
      { name: "3", link: "function", outputShape: [5, 3], parameters: 0 },
    ]);
    expect(total).toBe([...model.parameters()].reduce((sum, { size }) => sum + size, 0));
    model.dispose();
    rng.dispose();
  });

  it("prints a table", () => {
    const rng = device.rng(0);
    const model = new Sequential(new Linear(20, 50, { rng }), relu);
    expect(String(summary(model, device.ones([1, 20])))).toBe(
      [
        "layer  link    output   parameters",
        "0      Linear  [1, 50]        1050",
        "1      relu    [1, 50]           0",
        "total                         1050",
      ].join("\n"),
    );
    model.dispose();
    rng.dispose();
  });

  it("takes one link, and asks for an input where no parameter tells the device", () => {
    const rng = device.rng(0);
    const layer = new Linear(2, 1, { rng, bias: false });
    expect(summary(layer, [4, 2]).rows).toEqual([{ name: "", link: "Linear", outputShape: [4, 1], parameters: 2 }]);
    expect(() => summary(layer, [4, 3])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
    expect(() => summary(new Sequential(relu), [4, 2])).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    expect(summary(new Sequential(relu), device.ones([4, 2])).total).toBe(0);
    layer.dispose();
    rng.dispose();
  });
});
