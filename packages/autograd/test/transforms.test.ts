import { type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { grad, noGrad, valueAndGrad, Variable, vjp } from "../src/index.js";

let device: Device;
let dtype: "float32" | "float64";
const at = (...values: number[]) => device.tensor(values, { dtype });

forEachDevice((on) => {
  beforeAll(() => void ({ device, dtype } = on));

  describe("grad", () => {
    it("is the gradient as a function", async () => {
      expect(await grad((x) => x.square().sum())(at(1, 2)).toArray()).toEqual([2, 4]);
    });

    it("is differentiated again, to any order", async () => {
      const cube = (x: Variable) => x.pow(3).sum();
      expect(await grad((x) => grad(cube)(x).sum())(at(2)).toArray()).toEqual([12]);
      expect(await grad(grad(grad(cube)))(at(2)).toArray()).toEqual([6]);
    });

    it("differentiates in one argument, or in several", async () => {
      const f = (x: Variable, y: Variable) => x.mul(y.square()).sum();
      expect(await grad(f)(at(2), at(3)).toArray()).toEqual([9]);
      expect(await grad(f, { argument: 1 })(at(2), at(3)).toArray()).toEqual([12]);
      const both = grad(f, { argument: [1, 0] })(at(2), at(3));
      expect(await Promise.all(both.map((g) => g.toArray()))).toEqual([[12], [9]]);
    });

    it("keeps inner and outer derivatives apart", async () => {
      // d/dx (x · d/dy (x + y)) = d/dx x = 1: not 2, as confusing the two would give.
      const outer = grad((x) => x.mul(grad((y) => x.add(y).sum())(at(1))).sum());
      expect(await outer(at(1)).toArray()).toEqual([1]);
    });

    it("differentiates in what the function closes over", async () => {
      const w = new Variable(at(3));
      grad((x) => w.mul(x.square()).sum())(at(2)).backward();
      expect(await w.grad?.toArray()).toEqual([4]);
    });

    it("leaves the grad of its arguments alone", async () => {
      const x = new Variable(at(2));
      expect(await grad((x) => x.square().sum())(x).toArray()).toEqual([4]);
      expect(x.grad).toBeNull();
    });

    it("works inside noGrad, without a history", async () => {
      const dx = noGrad(() => grad((x) => x.square().sum())(at(2)));
      expect(await dx.toArray()).toEqual([4]);
      expect(dx.requiresGrad).toBe(false);
    });

    it("is zero where the function does not depend on its argument", async () => {
      expect(await grad((_x) => new Variable(at(1)))(at(2, 3)).toArray()).toEqual([0, 0]);
    });

    it("refuses functions of several elements, and arguments that are not there", () => {
      expect(() => grad((x) => x.square())(at(1, 2))).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
      expect(() => grad((x) => x.sum(), { argument: 1 })(at(1))).toThrow(
        expect.objectContaining({ code: "BAD_ARGUMENT" }),
      );
      expect(() => grad((_x: Variable) => at(1) as never)(at(1))).toThrow(
        expect.objectContaining({ code: "BAD_ARGUMENT" }),
      );
      expect(() => grad((x) => x.sum())(2 as never)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    });
  });

  describe("valueAndGrad", () => {
    it("returns both", async () => {
      const [value, gradient] = valueAndGrad((x) => x.square().sum())(at(1, 2));
      expect(await value.item()).toBe(5);
      expect(await gradient.toArray()).toEqual([2, 4]);
    });
  });

  describe("vjp", () => {
    it("pulls any number of vectors back", async () => {
      const { value, pullback } = vjp((x) => x.square(), at(1, 2));
      expect(await value.toArray()).toEqual([1, 4]);
      expect(await pullback(at(1, 0)).toArray()).toEqual([2, 0]);
      expect(await pullback(at(1, 10)).toArray()).toEqual([2, 40]);
    });

    it("takes several arguments as a list", async () => {
      const { pullback } = vjp((x, y) => x.mul(y), [at(2), at(3)]);
      expect(await Promise.all(pullback(at(1)).map((g) => g.toArray()))).toEqual([[3], [2]]);
    });

    it("refuses a vector of another shape", () => {
      expect(() => vjp((x) => x.square(), at(1, 2)).pullback(at(1))).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
    });
  });
});
