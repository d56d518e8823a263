import { type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { FunctionNode, noGrad, Variable } from "../src/index.js";

let device: Device;

/** y = a · b, with a record of what ran. */
class ProductFunction extends FunctionNode {
  readonly ran: string[] = [];
  forward([a, b]: readonly [Tensor, Tensor]) {
    this.retainInputs(0, 1);
    return [a.mul(b)];
  }
  backward([gy]: readonly [Variable]) {
    this.ran.push("backward");
    return [
      () => {
        this.ran.push("a");
        return gy.mul(this.retained(1));
      },
      () => {
        this.ran.push("b");
        return gy.mul(this.retained(0));
      },
    ];
  }
}

/** Two outputs: 2x and 3x, retained. */
class TwiceThriceFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainOutputs(1);
    return [x.mul(2), x.mul(3)];
  }
  backward([twice, thrice]: readonly [Variable, Variable]) {
    return [() => twice.mul(2).add(thrice.mul(this.retainedOutput(1).detach().mul(0).add(3)))];
  }
}

class MaskFunction extends FunctionNode {
  mask: Tensor | undefined;
  #hidden: Tensor | undefined;
  #kept: Tensor | undefined;
  override get label() {
    return "mask";
  }
  forward([x]: readonly [Tensor]) {
    this.mask = x.greater(0).cast(x.dtype);
    this.#hidden = x.mul(5);
    this.#kept = this.keep(x.mul(7));
    return [x.mul(this.mask)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.mask as Tensor)];
  }
  get live() {
    return [this.mask, this.#hidden, this.#kept].map((t) => !(t as Tensor).disposed);
  }
}

const two = () => [new Variable(device.tensor([2])), new Variable(device.tensor([3]))] as const;

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("FunctionNode", () => {
      it("runs only the thunks that are wanted", async () => {
        const [a] = two();
        const constant = new Variable(device.tensor([3]), { requiresGrad: false });
        const node = new ProductFunction();
        const [y] = node.apply(a, constant);
        (y as Variable).backward();
        expect(node.ran).toEqual(["backward", "a"]);
        expect(await a.grad?.toArray()).toEqual([3]);
        expect(constant.grad).toBeNull();
      });

      it("is not asked at all off the way", () => {
        const [a, b] = two();
        const node = new ProductFunction();
        node.apply(a, b);
        a.square().backward();
        expect(node.ran).toEqual([]);
      });

      it("is recorded only if an input requires a gradient, and not inside noGrad", () => {
        const [a, b] = two();
        const [y] = new ProductFunction().apply(a, device.tensor([1]));
        expect(y?.creator).toBeInstanceOf(ProductFunction);
        expect(new ProductFunction().apply(device.tensor([1]), device.tensor([1]))[0]?.creator).toBeNull();
        expect(noGrad(() => new ProductFunction().apply(a, b))[0]?.creator).toBeNull();
      });

      it("is named after its class", () => {
        expect(new ProductFunction().label).toBe("product");
        expect(new MaskFunction().label).toBe("mask");
      });

      it("is applied once", () => {
        const [a, b] = two();
        const node = new ProductFunction();
        node.apply(a, b);
        expect(() => node.apply(a, b)).toThrow(
          expect.objectContaining({
            code: "BAD_ARGUMENT",
            message: expect.stringMatching(/^product: expected a node to be applied once/),
          }),
        );
      });

      it("refuses operands that are neither Variables nor tensors", () => {
        expect(() => new ProductFunction().apply(two()[0], 2 as never)).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
      });

      it("gives back an input that was retained, and refuses one that was not", () => {
        class ForgetfulFunction extends ProductFunction {
          override forward([a, b]: readonly [Tensor, Tensor]) {
            this.retainInputs(1);
            return [a.mul(b)];
          }
        }
        const [a, b] = two();
        const [y] = new ForgetfulFunction().apply(a, b);
        expect(() => y?.backward()).toThrow(
          expect.objectContaining({
            code: "BAD_ARGUMENT",
            message: "forgetful: expected input 0 to be retained, found it dropped; call retainInputs(0) in forward",
          }),
        );
      });

      it("gets zeros for an output that no gradient reached", async () => {
        const x = new Variable(device.tensor([1]));
        const [, thrice] = new TwiceThriceFunction().apply(x);
        (thrice as Variable).backward();
        expect(await x.grad?.toArray()).toEqual([3]);
        const [twice, again] = new TwiceThriceFunction().apply(x);
        (twice as Variable).add(again as Variable).backward();
        expect(await x.grad?.toArray()).toEqual([3 + 5]);
      });

      it("may return an input, which becomes a Variable of its own", async () => {
        class IdentityFunction extends FunctionNode {
          forward([x]: readonly [Tensor]) {
            return [x];
          }
          backward([gy]: readonly [Variable]) {
            return [() => gy.mul(2)];
          }
        }
        const x = new Variable(device.tensor([1]));
        const [y] = new IdentityFunction().apply(x);
        expect(y?.value).not.toBe(x.value);
        y?.backward();
        expect(await x.grad?.toArray()).toEqual([2]);
      });

      it("must return gradients in the shape and dtype of its inputs", () => {
        class TransposedFunction extends ProductFunction {
          override backward([gy]: readonly [Variable]) {
            return [() => gy.reshape([1, 1]), () => gy];
          }
        }
        const [a, b] = two();
        const [y] = new TransposedFunction().apply(a, b);
        expect(() => y?.backward()).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "transposed.backward, input 0: expected a gradient of shape [1], found [1, 1]",
          }),
        );
      });

      it("must not return more thunks than it has inputs", () => {
        const [a] = two();
        class ScaleFunction extends FunctionNode {
          forward([x]: readonly [Tensor]) {
            return [x.mul(2)];
          }
          backward([gy]: readonly [Variable]) {
            return [() => gy, () => gy];
          }
        }
        const [y] = new ScaleFunction().apply(a);
        expect(() => y?.backward()).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      });

      it("keeps fields and what keep() names, and returns other temporaries", async () => {
        const x = new Variable(device.tensor([1, -1]));
        const node = new MaskFunction();
        const [y] = node.apply(x);
        expect(node.live).toEqual([true, false, true]);
        (y as Variable).sum().backward();
        expect(await x.grad?.toArray()).toEqual([1, 0]);
      });
    });
  },
  { dtypes: ["float32"] },
);
