import { momentum, Parameter, sgd, type Optimizer } from "@robgrad/nn";
import { openDevice, type Device } from "@robgrad/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let device: Device;
let w: Parameter;

const gradientAt = (t: number) => [t + 1, 0.5 - t];

/** The trajectory of an optimizer on gradients that depend on the step alone. */
async function run(optimizer: Optimizer, steps: number): Promise<unknown> {
  for (let t = 0; t < steps; t++) optimizer.update(new Map([[w, device.tensor(gradientAt(t), { dtype: "float64" })]]));
  return w.toArray();
}

describe.each(["cpu", "wasm"] as const)("on %s", (name) => {
  beforeEach(async () => {
    device = await openDevice(name);
    w = new Parameter(device.tensor([1, -2], { dtype: "float64" }), "w");
  });
  afterEach(() => device.dispose());

  describe("sgd", () => {
    it("moves against the gradient", async () => {
      expect(await run(sgd({ stepSize: 0.25 }), 3)).toEqual([1 - 0.25 * 6, -2 - 0.25 * (1.5 - 3)]);
    });

    it("moves the parameters it is given and no others", async () => {
      const other = new Parameter(device.ones([2]), "other");
      sgd({ stepSize: 1 }).update(new Map([[other, device.ones([2])]]));
      expect(await other.toArray()).toEqual([0, 0]);
      expect(await w.toArray()).toEqual([1, -2]);
    });
  });

  describe("momentum", () => {
    it("accumulates a velocity", async () => {
      const expected = [1, -2];
      const velocity = [0, 0];
      for (let t = 0; t < 4; t++) {
        gradientAt(t).forEach((g, d) => {
          velocity[d] = 0.9 * velocity[d]! + g;
          expected[d] = expected[d]! - 0.1 * velocity[d]!;
        });
      }
      const found = (await run(momentum({ stepSize: 0.1 }), 4)) as number[];
      found.forEach((v, d) => expect(v).toBeCloseTo(expected[d]!, 14));
    });

    it("without momentum is gradient descent", async () => {
      expect(await run(momentum({ stepSize: 0.25, momentum: 0 }), 3)).toEqual([-0.5, -1.625]);
    });

    it("returns its memory on dispose", async () => {
      const before = device.memory().live;
      const optimizer = momentum({ stepSize: 0.1 });
      const gradient = device.ones([2], { dtype: "float64" });
      optimizer.update(new Map([[w, gradient]]));
      gradient.dispose();
      expect(device.memory().live).toBeGreaterThan(before);
      optimizer.dispose();
      expect(device.memory().live).toBe(before);
    });
  });

  describe.each([
    ["sgd", () => sgd({ stepSize: 1 })],
    ["momentum", () => momentum({ stepSize: 1 })],
  ])("%s", (name, make) => {
    it("moves nothing when one of several gradients is not finite, and says which", async () => {
      const other = new Parameter(device.ones([3], { dtype: "float64" }), "other");
      const optimizer = make();
      const bad = device.tensor([1, NaN, 1], { dtype: "float64", allowNonFinite: true });
      const good = device.ones([2], { dtype: "float64" });
      optimizer.update(
        new Map([
          [w, good],
          [other, bad],
        ]),
      );
      await expect(w.data()).rejects.toMatchObject({
        code: "BAD_DATA",
        message: expect.stringMatching(new RegExp(`${name}.*non-finite value of the gradient of other at element 1`)),
      });
      expect(await w.toArray()).toEqual([1, -2]);
      optimizer.update(new Map([[w, good]]));
      expect(await w.toArray()).toEqual([0, -3]);
    });

    it("refuses gradients of another shape, dtype or device, and step sizes out of range", async () => {
      const other = await openDevice("cpu");
      const optimizer = make();
      expect(() => optimizer.update(new Map([[w, device.ones([3], { dtype: "float64" })]]))).toThrow(
        /shape \[2\] for w, found \[3\]/,
      );
      expect(() => optimizer.update({} as never)).toThrow(/expected a map from parameters to gradients/);
      expect(() => optimizer.update(new Map([[w, device.ones([2])]]))).toThrow(
        expect.objectContaining({ code: "DTYPE_MISMATCH" }),
      );
      expect(() => optimizer.update(new Map([[w, other.ones([2], { dtype: "float64" })]]))).toThrow(
        expect.objectContaining({ code: "DEVICE_MISMATCH" }),
      );
      for (const stepSize of [-1, NaN, Infinity]) {
        expect(() => (name === "sgd" ? sgd({ stepSize }) : momentum({ stepSize }))).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
      }
      expect(() => momentum({ stepSize: 1, momentum: 1 })).toThrow(/momentum in \[0, 1\), found 1/);
      other.dispose();
    });

    it("leaves a value taken before the step as it was", async () => {
      const before = w.value;
      make().update(new Map([[w, device.ones([2], { dtype: "float64" })]]));
      expect(await before.toArray()).toEqual([1, -2]);
      expect(await w.toArray()).toEqual([0, -3]);
    });
  });
});
