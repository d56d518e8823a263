import { read, tidy, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { add, exp, noGrad, sampleGradients, sin, Variable } from "../src/index.js";

let device: Device;

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("Variable", () => {
      it("knows value, shape, dtype, device and name", async () => {
        const value = device.tensor([[1, 2]]);
        const x = new Variable(value, { name: "x" });
        expect(x.value).toBe(value);
        expect([x.shape, x.dtype, x.device, x.name, x.size]).toEqual([[1, 2], "float32", device, "x", 2]);
        expect(await x.toArray()).toEqual([[1, 2]]);
        expect(await x.data()).toEqual(Float32Array.of(1, 2));
        expect(await x.sum().item()).toBe(3);
        expect(await read({ x, grad: x.grad })).toEqual({ x: [[1, 2]], grad: null });
      });

      it("is recognised by a brand", () => {
        expect(Variable.is(new Variable(device.ones([1])))).toBe(true);
        expect(Variable.is({ [Symbol.for("robgrad.variable")]: true })).toBe(true);
        expect(Variable.is(device.ones([1]))).toBe(false);
        expect(Variable.is(null)).toBe(false);
      });

      it("asks for gradients of floating values only", () => {
        expect(new Variable(device.ones([1])).requiresGrad).toBe(true);
        expect(new Variable(device.ones([1]), { requiresGrad: false }).requiresGrad).toBe(false);
        expect(new Variable(device.ones([1], { dtype: "int32" })).requiresGrad).toBe(false);
        expect(() => new Variable(device.ones([1], { dtype: "int32" }), { requiresGrad: true })).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH" }),
        );
      });

      it("prints shape and dtype, and refuses to be a number", () => {
        const x = new Variable(device.ones([2]), { name: "x" });
        expect(`${x}`).toBe(
          `Variable x float32 [2] on ${device.name} (read it with await x.toArray(), x.data() or x.item())`,
        );
        expect(x.neg().toString()).toContain("made by neg");
        expect(() => (x as unknown as number) + 1).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => Math.tanh(x as unknown as number)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      });

      it("takes Variables, tensors and numbers beside it", async () => {
        const x = new Variable(device.tensor([2]));
        const y = x
          .mul(device.tensor([3]))
          .add(1)
          .sub(x);
        expect(await y.toArray()).toEqual([5]);
        expect(await add(exp(x), sin(x)).toArray()).toEqual([
          Math.fround(Math.fround(Math.exp(2)) + Math.fround(Math.sin(2))),
        ]);
      });

      it("detaches into a constant of the same value", async () => {
        const x = new Variable(device.tensor([2]), { name: "x" });
        const y = x.square().detach();
        expect([y.requiresGrad, y.creator]).toEqual([false, null]);
        expect(x.detach().name).toBe("x");
        y.mul(x).backward();
        expect(await x.grad?.toArray()).toEqual([4]);
      });
    });

    describe("backward", () => {
      it("adds to the gradients of leaves until they are cleared", async () => {
        const x = new Variable(device.tensor([3]));
        x.square().backward();
        x.square().backward();
        expect(await x.grad?.toArray()).toEqual([12]);
        x.clearGrad();
        expect(x.grad).toBeNull();
        x.square().backward();
        expect(await x.grad?.toArray()).toEqual([6]);
      });

      it("adds up over every use of a Variable", async () => {
        const x = new Variable(device.tensor([3]));
        const h = x.square();
        h.mul(h).add(h).add(x).backward();
        expect(await x.grad?.toArray()).toEqual([4 * 27 + 6 + 1]);
      });

      it("keeps intermediate gradients when asked, those of the last call", async () => {
        const x = new Variable(device.tensor([3]));
        const h = x.square();
        const y = h.mul(2);
        y.backward({ retainGrad: true });
        y.backward({ retainGrad: true });
        expect(await read({ x: x.grad, h: h.grad, y: y.grad })).toEqual({ x: [24], h: [2], y: [1] });
      });

      it("starts from gradOutput where there are several elements", async () => {
        const x = new Variable(device.tensor([1, 2]));
        expect(() => x.square().backward()).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "backward: expected one element, found float32 [2]; reduce it with mean() or pass gradOutput",
          }),
        );
        x.square().backward({ gradOutput: device.tensor([1, 10]) });
        expect(await x.grad?.toArray()).toEqual([2, 40]);
        expect(() => x.square().backward({ gradOutput: device.ones([3]) })).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
        expect(() => x.square().backward({ gradOutput: device.ones([2], { dtype: "float64" }) })).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH" }),
        );
      });

      it("takes a scalar of rank 0 and of any rank", async () => {
        const x = new Variable(device.tensor([[2]]));
        x.square().backward();
        x.square().sum().backward();
        expect(await x.grad?.toArray()).toEqual([[8]]);
      });

      it("refuses a Variable without a history", () => {
        const x = new Variable(device.tensor([2]), { requiresGrad: false });
        expect(() => x.square().backward()).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => noGrad(() => new Variable(device.ones([1])).neg()).backward()).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
      });

      it("differentiates gradients again when asked", async () => {
        const x = new Variable(device.tensor([2]));
        x.pow(4).backward({ enableDoubleBackprop: true });
        const first = x.grad as Variable;
        x.clearGrad();
        first.backward({ enableDoubleBackprop: true });
        const second = x.grad as unknown as Variable;
        x.clearGrad();
        second.backward();
        expect(await read({ first, second, third: x.grad })).toEqual({ first: [32], second: [48], third: [48] });
      });

      it("records nothing otherwise", () => {
        const x = new Variable(device.tensor([2]));
        x.square().backward();
        expect(x.grad?.requiresGrad).toBe(false);
      });

      it("goes through a chain of any length", async () => {
        const x = new Variable(device.tensor([1]));
        let y = x;
        for (let i = 0; i < 20_000; i++) y = y.add(1);
        y.backward();
        expect(await x.grad?.toArray()).toEqual([1]);
      });
    });

    describe("noGrad", () => {
      it("records nothing, also when nested, and recovers from errors", () => {
        const x = new Variable(device.tensor([2]));
        expect(noGrad(() => x.square()).requiresGrad).toBe(false);
        expect(() =>
          noGrad(() =>
            noGrad(() => {
              throw new Error("inside");
            }),
          ),
        ).toThrow("inside");
        expect(x.square().requiresGrad).toBe(true);
      });
    });

    describe("a Variable on a cell", () => {
      it("has the cell's present value without a handle of its own", async () => {
        const cell = device.cell(device.tensor([1, 2]));
        const w = new Variable({ cell }, { name: "w" });
        const bytes = device.memory().live;
        w.square().sum().backward();
        const made = device.memory().live;
        cell.assign(device.zeros([2]));
        // Nothing held on to the old value, so assigning did not copy it: only the zeros are new.
        expect(device.memory().live - made).toBe(8);
        expect(bytes).toBeLessThan(made);
        expect(await w.toArray()).toEqual([0, 0]);
        expect(await w.grad?.toArray()).toEqual([2, 4]);
        cell.dispose();
      });

      it("keeps what was computed from it when it is assigned", async () => {
        const cell = device.cell(device.tensor([1, 2]));
        const w = new Variable({ cell });
        const kept = [w.value, w.reshape([2, 1]).value, w.detach().value];
        cell.assign(device.zeros([2]));
        expect(await Promise.all(kept.map((t) => t.data()))).toEqual(kept.map(() => Float32Array.of(1, 2)));
        cell.dispose();
      });

      it("refuses to go back through a value assigned since, naming it and the node", () => {
        const cell = device.cell(device.tensor([1, 2]));
        const w = new Variable({ cell }, { name: "w" });
        const y = w.square().sum();
        cell.assign(device.zeros([2]));
        expect(() => y.backward()).toThrow(
          expect.objectContaining({
            code: "STALE_VALUE",
            message:
              "square: expected w (float32 [2]) to hold the value it had in forward, found it assigned 1 times since; go backward before the update",
          }),
        );
        cell.dispose();
      });

      it("may be assigned where the value is not needed", async () => {
        const cell = device.cell(device.tensor([1, 2]));
        const w = new Variable({ cell });
        const y = w.add(1).sum();
        cell.assign(device.zeros([2]));
        y.backward();
        expect(await w.grad?.toArray()).toEqual([1, 1]);
        cell.dispose();
      });
    });

    describe("memory", () => {
      it("of a whole step returns to its start under tidy", () => {
        const w = new Variable(device.ones([3, 3]));
        const x = device.ones([4, 3]);
        const start = device.memory().live;
        tidy(() => {
          const losses = new Variable(x).matmul(w).tanh().max({ axis: 1 });
          sampleGradients(losses, [w]);
          losses.sum().backward();
          w.clearGrad();
        });
        expect(device.memory().live).toBe(start);
      });

      it("of what a returned Variable goes back through is kept by tidy", async () => {
        const x = new Variable(device.tensor([[1, 3]]));
        const y = tidy(() => x.tanh().square().max({ axis: 1 }));
        y.backward();
        const t = Math.tanh(3);
        expect((await x.grad?.data())?.[1]).toBeCloseTo(2 * t * (1 - t * t), 6);
      });

      it("of a gradient is kept by tidy with its Variable", async () => {
        const x = tidy(() => {
          const x = new Variable(device.tensor([3]));
          x.square().backward();
          return x;
        });
        expect(await x.grad?.toArray()).toEqual([6]);
      });

      it("of temporaries that a node leaves is returned at once", () => {
        const x = new Variable(device.ones([10, 10]));
        const start = device.memory().live;
        x.variance({ axis: 1 });
        // Deviations and their squares stay for backward, the mean does not need to.
        expect(device.memory().live - start).toBeLessThanOrEqual(4 * (100 + 100 + 10 + 10 + 10));
      });
    });
  },
  { dtypes: ["float32"] },
);
