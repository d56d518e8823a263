import { denseSamples, type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { FunctionNode, type Variable } from "../src/index.js";
import { checkBackward, checkDoubleBackward, checkSampleGradients } from "../src/testing.js";
import { draw } from "./draw.js";

let device: Device;

/** y = x², with a wrong gradient in element [1, 2]. */
class WrongFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainInputs(0);
    return [x.square()];
  }
  backward([gy]: readonly [Variable]) {
    const wrong = device.tensor(
      [
        [0, 0, 0],
        [0, 0, 1],
      ],
      { dtype: "float64" },
    );
    return [() => gy.mul(this.retained(0)).mul(2).add(wrong)];
  }
}

/** y = x³ with a right gradient that does not know it depends on x. */
class DetachedFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainInputs(0);
    return [x.pow(3)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.retained(0).detach().square().mul(3))];
  }
}

/** y = x · w, with rows in the wrong order. */
class SwappedFunction extends FunctionNode {
  forward([x, w]: readonly [Tensor, Tensor]) {
    this.retainInputs(0, 1);
    return [x.mul(w)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.retained(1)), () => gy.mul(this.retained(0)).sum({ axis: 0 })];
  }
  override backwardSamples([gy]: readonly [Variable]) {
    const rows = gy.value.mul(this.retained(0).value);
    return [null, () => denseSamples(rows.gather(device.tensor(Int32Array.of(1, 0, 2))))];
  }
}

const apply = (node: FunctionNode, ...inputs: (Variable | Tensor)[]) => node.apply(...inputs)[0] as Variable;

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("checkBackward", () => {
      it("accepts a right gradient", async () => {
        await checkBackward((x, y) => x.mul(y).sin(), [draw(device, [2, 3], 0), draw(device, [3], 1)]);
      });

      it("takes integer inputs as constants", async () => {
        await checkBackward((x, at) => x.gather(at), [draw(device, [3], 0), device.tensor(Int32Array.of(2, 0))]);
      });

      it("tells expected, found, input, direction and worst element of a wrong one", async () => {
        await expect(
          checkBackward((x) => apply(new WrongFunction(), x), [draw(device, [2, 3], 0)]),
        ).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringMatching(
            /^checkBackward: expected the directional derivative -?[\d.e-]+ \(central difference, step 0.00001\), found -?[\d.e-]+ from backward, in input 0 \(float64 \[2, 3\]\) along direction 1 of 3 \(seed 0\); worst element \[1, 2\]: expected -?[\d.e-]+, found -?[\d.e-]+$/,
          ),
        });
      });

      it("refuses float32, which has too few digits", async () => {
        await expect(checkBackward((x) => x.sin(), [device.ones([2])])).rejects.toMatchObject({
          code: "DTYPE_MISMATCH",
        });
        await expect(checkBackward((x) => x, [device.ones([2], { dtype: "int32" })])).rejects.toMatchObject({
          code: "BAD_ARGUMENT",
        });
      });
    });

    describe("checkDoubleBackward", () => {
      it("accepts right second derivatives", async () => {
        await checkDoubleBackward(
          (x, y) => x.div(y).exp(),
          [draw(device, [3], 0), device.tensor([1, 2, 3], { dtype: "float64" })],
        );
      });

      it("finds a gradient that is right but forgets what it depends on", async () => {
        const x = [draw(device, [3], 0)];
        await checkBackward((x) => apply(new DetachedFunction(), x), x);
        await expect(checkDoubleBackward((x) => apply(new DetachedFunction(), x), x)).rejects.toMatchObject({
          code: "BAD_PLUGIN",
        });
      });
    });

    describe("checkSampleGradients", () => {
      const x = () => draw(device, [3, 2], 0);

      it("accepts rows that are the gradients of single losses", async () => {
        await checkSampleGradients((w) => w.mul(x()).sum({ axis: 1 }), [draw(device, [2], 1)]);
      });

      it("finds rows in the wrong order, though their sum is right", async () => {
        await expect(
          checkSampleGradients((w) => apply(new SwappedFunction(), x(), w).sum({ axis: 1 }), [draw(device, [2], 1)]),
        ).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringMatching(
            /^checkSampleGradients: expected row 0 of parameter 0 \(float64 \[2\]\) to be -?[\d.e-]+ at element 0, found/,
          ),
        });
      });
    });
  },
  { dtypes: ["float64"] },
);
