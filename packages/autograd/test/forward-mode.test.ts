import { capture, generator, tidy, type Device, type Tensor } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import {
  FunctionNode,
  grad,
  hessian,
  hvp,
  jacobianForward,
  jacobianReverse,
  jvp,
  linear,
  noGrad,
  sin,
  softmax,
  sort,
  stack,
  Variable,
} from "../src/index.js";
import { draw } from "./draw.js";

let device: Device;

const at = (...values: number[]) => device.tensor(values, { dtype: "float64" });

async function expectClose(found: Variable | Tensor, expected: ArrayLike<number>, tolerance = 1e-12) {
  const values = await found.data();
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) => expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(tolerance));
}

/** y = x³, forward mode only by two walks back. */
class CubeFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainInputs(0);
    return [x.mul(x).mul(x)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.retained(0).square()).mul(3)];
  }
}

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("jvp", () => {
      it("pushes a direction forward", async () => {
        const { value, tangent } = jvp((x) => x.square(), at(1, 2), at(10, 1));
        await expectClose(value, [1, 4]);
        await expectClose(tangent, [20, 4]);
      });

      it("takes several arguments as a list, with null for zeros", async () => {
        const f = (x: Variable, y: Variable) => x.mul(y).add(y);
        await expectClose(jvp(f, [at(2), at(3)], [at(1), at(10)]).tangent, [33]);
        await expectClose(jvp(f, [at(2), at(3)], [at(1), null]).tangent, [3]);
      });

      it("gives many outputs their tangents in one sweep", async () => {
        let runs = 0;
        const { value, tangent } = jvp(
          (x) => {
            runs++;
            const [u3, u4] = [x.square(), sin(x)];
            return [1, 2, 3].map((j) => u3.mul(j).add(u4.mul(10 * j)));
          },
          at(0.5),
          at(1),
        );
        expect(runs).toBe(1);
        for (const [k, j] of [1, 2, 3].entries()) {
          await expectClose(value[k] as Variable, [j * 0.25 + 10 * j * Math.sin(0.5)]);
          await expectClose(tangent[k] as Variable, [j + 10 * j * Math.cos(0.5)]);
        }
      });

      it("gives zeros to what does not depend on x", async () => {
        await expectClose(
          jvp((x) => [x.detach(), x.floor(), noGrad(() => x.square())], at(1.5), at(1)).tangent[0] as Variable,
          [0],
        );
        await expectClose(jvp((x) => x.floor(), at(1.5), at(1)).tangent, [0]);
        await expectClose(jvp((x) => noGrad(() => x.square()), at(1.5), at(1)).tangent, [0]);
      });

      it("refuses a tangent of another form, and a function that returns no Variable", () => {
        expect(() => jvp((x) => x, at(1, 2), at(1))).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "jvp: expected a tangent of shape [2], found [1]",
          }),
        );
        expect(() => jvp((x) => x, at(1), device.ones([1]))).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH" }),
        );
        expect(() => jvp((x, y) => x.add(y), [at(1), at(2)], [at(1)] as never)).toThrow(
          expect.objectContaining({ code: "BAD_ARGUMENT" }),
        );
        expect(() => jvp(() => 3 as never, at(1), at(1))).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      });

      it("keeps sweeps inside one another apart", async () => {
        // d/dx (x · d/dy (x + y)) = 1, and not 2.
        const inner = (x: Variable) => x.mul(jvp((y) => x.add(y), at(5), at(1)).tangent);
        await expectClose(jvp(inner, at(3), at(1)).tangent, [1]);
        const third = (x: Variable) => x.pow(4);
        const derivative = (f: (x: Variable) => Variable) => (x: Variable) => jvp(f, x, at(1)).tangent;
        await expectClose(derivative(derivative(derivative(third)))(new Variable(at(2))), [48]);
        await expectClose(
          noGrad(() => derivative(derivative(sin))(new Variable(at(2)))),
          [-Math.sin(2)],
        );
      });

      it("can be differentiated backward, in the point, in the direction, and in what f closes over", async () => {
        const w = new Variable(at(2), { name: "w" });
        const f = (x: Variable) => x.pow(3).mul(w);
        const slope = (x: Variable, v: Variable) => jvp(f, x, v).tangent.sum();
        const [dx, dv] = grad(slope, { argument: [0, 1] })(at(1.5), at(10)) as [Variable, Variable];
        await expectClose(dx, [6 * 1.5 * 2 * 10]);
        await expectClose(dv, [3 * 1.5 ** 2 * 2]);
        jvp(f, at(1.5), at(10)).tangent.backward();
        await expectClose(w.grad as Variable, [3 * 1.5 ** 2 * 10]);
        const used = (x: Variable) => jvp((u) => u.mul(x).mul(u.mul(u)), x, at(1)).tangent.sum();
        await expectClose(grad(used)(at(2)), [3 * 3 * 4]);
      });

      it("keeps tangents through a tidy inside the function", async () => {
        const f = (x: Variable) => {
          const h = tidy(() => x.exp().mul(x));
          return tidy(() => h.sin().mul(h));
        };
        const plain = (x: Variable) => x.exp().mul(x).sin().mul(x.exp().mul(x));
        await expectClose(jvp(f, at(0.5), at(2)).tangent, await jvp(plain, at(0.5), at(2)).tangent.data());
        await expectClose(hvp(f, at(0.5), at(2)), await hvp(plain, at(0.5), at(2)).data());
        await expectClose(
          noGrad(() => jvp(f, at(0.5), at(2)).tangent),
          await jvp(plain, at(0.5), at(2)).tangent.data(),
        );
      });

      it("records nothing inside noGrad", () => {
        const w = new Variable(at(2));
        const { value, tangent } = noGrad(() => jvp((x) => x.mul(w), new Variable(at(1)), at(1)));
        expect([value.creator, tangent.creator, tangent.requiresGrad]).toEqual([null, null, false]);
      });
    });

    describe("a node without forwardTangent", () => {
      it("is differentiated by two walks back", async () => {
        const cube = (x: Variable) => new CubeFunction().apply(x)[0] as Variable;
        await expectClose(jvp(cube, at(2), at(10)).tangent, [120]);
        await expectClose(
          hvp((x) => cube(x).sum(), at(2), at(10)),
          [120],
        );
        await expectClose(jvp((x) => jvp(cube, x, at(1)).tangent, at(2), at(1)).tangent, [12]);
      });

      it("is named where its backward leaves the graph", () => {
        class RobustFunction extends FunctionNode {
          forward([x]: readonly [Tensor]) {
            return [x.mul(2)];
          }
          backward([gy]: readonly [Variable]) {
            return [() => new Variable(gy.value.clamp(-1, 1), { requiresGrad: false })];
          }
        }
        expect(() => jvp((x) => new RobustFunction().apply(x)[0] as Variable, at(1), at(1))).toThrow(
          expect.objectContaining({
            code: "BAD_PLUGIN",
            message: expect.stringMatching(/^robust: expected forwardTangent, or a backward .* in input 0/),
          }),
        );
      });

      it("must return tangents of the shape and dtype of its outputs", () => {
        class FlatFunction extends CubeFunction {
          override forwardTangent([dx]: readonly [Tensor]) {
            return [dx.sum()];
          }
        }
        expect(() => jvp((x) => new FlatFunction().apply(x)[0] as Variable, at(1, 2), at(1, 2))).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "flat.forwardTangent: expected a tangent of shape [2], found []",
          }),
        );
      });
    });

    describe("Jacobians", () => {
      const W = () => draw(device, [4, 3], 1);
      const f = (x: Variable) => softmax(linear(x, W()).tanh());

      it("are the same by forward and by reverse mode", async () => {
        const x = draw(device, [2, 3], 0);
        const [forward, reverse] = [jacobianForward(f)(x), jacobianReverse(f)(x)];
        expect(forward.shape).toEqual([2, 4, 2, 3]);
        expect(reverse.shape).toEqual([2, 4, 2, 3]);
        await expectClose(forward, await reverse.data(), 1e-14);
      });

      it("are those of a formula", async () => {
        // ∂(a b, a + 3 b)/∂(a, b)
        const g = (x: Variable) => {
          const [a, b] = [x.slice([0, 1]), x.slice([1, 2])];
          return stack([a.mul(b), a.add(b.mul(3))]).reshape([2]);
        };
        for (const jacobian of [jacobianForward, jacobianReverse])
          await expectClose(jacobian(g)(at(2, 5)), [5, 2, 1, 3]);
      });

      it("run the function once", () => {
        let runs = 0;
        const counted = (x: Variable) => {
          runs++;
          return x.square();
        };
        jacobianForward(counted)(at(1, 2, 3));
        expect(runs).toBe(1);
        jacobianReverse(counted)(at(1, 2, 3));
        expect(runs).toBe(2);
      });

      it("have shapes without elements, too", () => {
        expect(jacobianForward((x) => x.square())(device.zeros([0], { dtype: "float64" })).shape).toEqual([0, 0]);
        expect(jacobianReverse((x) => x.sum())(device.zeros([0], { dtype: "float64" })).shape).toEqual([0]);
        expect(jacobianReverse((x) => x.slice([0, 0]))(at(1, 2)).shape).toEqual([0, 2]);
      });
    });

    describe("hvp", () => {
      it("is the Hessian times the vector", async () => {
        const x = draw(device, [5], 0);
        const v = draw(device, [5], 1);
        const f = (x: Variable) =>
          sort(x.exp().mul(x))
            .mul(device.arange(5, { dtype: "float64" }))
            .cumsum({ axis: 0 })
            .sin()
            .sum();
        const H = await hessian(f)(x).data();
        const d = await v.data();
        const expected = Array.from({ length: 5 }, (_, i) =>
          Array.from({ length: 5 }, (_, j) => (H[5 * i + j] as number) * (d[j] as number)).reduce((a, b) => a + b),
        );
        await expectClose(hvp(f, x, v), expected, 1e-10);
        await expectClose(
          noGrad(() => hvp(f, new Variable(x), v)),
          expected,
          1e-10,
        );
      });

      it("takes parameters as a list", async () => {
        // f = a² b: H = [[2b, 2a], [2a, 0]]
        const [da, db] = hvp((a, b) => a.square().mul(b).sum(), [at(3), at(5)], [at(1), at(10)]) as [
          Variable,
          Variable,
        ];
        await expectClose(da, [2 * 5 + 2 * 3 * 10]);
        await expectClose(db, [2 * 3]);
      });

      it("refuses a function of several elements", () => {
        expect(() => hvp((x) => x, at(1, 2), at(1, 2))).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "hvp: expected the function to return one element, found float64 [2]",
          }),
        );
      });
    });

    describe("the layered recursion", () => {
      it("multiplies Jacobians of layers from either end (tutorial, §1.2)", async () => {
        const layers = [0, 1, 2].map((k) => (u: Variable) => linear(u, draw(device, [3, 3], k)).tanh());
        let u: Variable = new Variable(draw(device, [3], 9), { requiresGrad: false });
        let forward: Variable = new Variable(device.eye(3, 3, { dtype: "float64" }), { requiresGrad: false });
        const Js: Variable[] = [];
        for (const layer of layers) {
          const J = jacobianReverse(layer)(u.value);
          Js.push(J);
          forward = J.matmul(forward);
          u = layer(u);
        }
        const reverse = Js.reduceRight((U, J) => U.matmul(J), new Variable(device.eye(3, 3, { dtype: "float64" })));
        const whole = jacobianForward((x) => layers.reduce((u, layer) => layer(u), x))(draw(device, [3], 9));
        await expectClose(forward, await whole.data());
        await expectClose(reverse, await whole.data());
      });

      it("does not hold for bundles of a general graph, which is walked node by node", async () => {
        const [x1, x2] = [1.5, 3];
        const first = (v: Variable) => {
          const [a, b] = [v.slice([0, 1]), v.slice([1, 2])];
          return stack([a.pow(3), a.mul(b)]).reshape([2]);
        };
        // v₂ = (u₁/u₀, sin u₂) depends on v₀ as well as on v₁; bundled naively, u₀ is a constant of it.
        const second = (v1: Variable, u0: Variable) => {
          const [u1, u2] = [v1.slice([0, 1]), v1.slice([1, 2])];
          return stack([u1.div(u0), sin(u2)]).reshape([2]);
        };
        const v0 = at(x1, x2);
        const v1 = first(new Variable(v0)).value;
        const naive = jacobianReverse((v) => second(v, new Variable(at(x2))))(v1).matmul(jacobianReverse(first)(v0));
        const right = jacobianReverse((v) => second(first(v), v.slice([1, 2])))(v0);
        expect((await naive.data())[1]).toBe(0);
        expect((await right.data())[1]).toBeCloseTo(-(x1 ** 3) / x2 ** 2, 15);
        await expectClose(jacobianForward((v) => second(first(v), v.slice([1, 2])))(v0), await right.data(), 1e-15);
      });
    });
  },
  { dtypes: ["float64"] },
);

forEachDevice(
  (on) => {
    beforeAll(() => void (device = on.device));

    describe("forward mode in a captured step", () => {
      it("takes memory that does not depend on the depth", async () => {
        const taken = async (depth: number) => {
          const w = on.device.tensor(Float32Array.from(generator(1).normal([256]).values), { shape: [16, 16] });
          const f = (x: Variable) => {
            for (let k = 0; k < depth; k++) x = linear(x, w).tanh();
            return x;
          };
          const step = capture((x: Tensor, v: Tensor) => jvp(f, x, v).tangent);
          const [x, v] = [on.device.ones([8, 16]), on.device.ones([8, 16])];
          const before = on.device.memory().live;
          for (let t = 0; t < 2; t++) step(x, v);
          on.device.resetPeak();
          await step(x, v).data();
          const { live, peak } = on.device.memory();
          step.dispose();
          for (const tensor of [w, x, v]) tensor.dispose();
          return [live - before, peak - before];
        };
        expect(await taken(50)).toEqual(await taken(5));
      });

      it("replays tangents and Hessian products", async () => {
        const w = on.device.tensor(Float32Array.from(generator(1).normal([6]).values), { shape: [2, 3] });
        const step = (x: Tensor, v: Tensor) => {
          const f = (x: Variable) => linear(x, w).tanh();
          return {
            jv: jvp(f, x, v).tangent,
            hv: hvp((x) => f(x).square().sum(), x, v),
          };
        };
        const replayed = capture(step);
        const host = (seed: number) =>
          on.device.tensor(Float32Array.from(generator(seed).normal([12]).values), { shape: [4, 3] });
        for (let t = 0; t < 4; t++) {
          const [x, v] = [host(t), host(t + 10)];
          const [a, b] = [replayed(x, v), step(x, v)];
          await expectClose(a.jv, await b.jv.data(), 1e-5);
          await expectClose(a.hv, await b.hv.data(), 1e-4);
        }
        replayed.dispose();
      });
    });
  },
  { dtypes: ["float32"] },
);
