import { type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { computationalGraph, cos, FunctionNode, linear, sampleGradients, sin, Variable } from "../src/index.js";
import { draw } from "./draw.js";

let device: Device;

/** f(x1, x2) = x1³/x2 + sin(x1 x2) at (1.5, 3): tutorial, §1.1. */
function evaluate() {
  const x1 = new Variable(device.tensor([1.5], { dtype: "float64" }), { name: "x1" });
  const x2 = new Variable(device.tensor([3], { dtype: "float64" }), { name: "x2" });
  const u1 = x1.pow(3);
  const u2 = x1.mul(x2);
  const u3 = u1.div(x2);
  const u4 = sin(u2);
  const u5 = u3.add(u4);
  Object.entries({ u1, u2, u3, u4, u5 }).forEach(([name, u]) => (u.name = name));
  return { x1, x2, u1, u2, u3, u4, u5 };
}

const values = { u1: 3.375, u2: 4.5, u3: 1.125, u4: -0.977530117665097, u5: 0.147469882334903 };
const adjoints = {
  u5: 1,
  u4: 1,
  u3: 1,
  u2: -0.2107957994307797,
  u1: 0.3333333333333333,
  x2: -0.6911936991461696,
  x1: 1.6176126017076609,
};

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("the worked example", () => {
      it("evaluates to Table 1", async () => {
        const trace = evaluate();
        for (const [name, value] of Object.entries(values)) {
          expect(Math.abs((await trace[name as keyof typeof values].item()) - value)).toBeLessThanOrEqual(1e-15);
        }
      });

      it("goes backward as in Table 3", async () => {
        const trace = evaluate();
        trace.u5.backward({ retainGrad: true });
        for (const [name, value] of Object.entries(adjoints)) {
          const gradient = trace[name as keyof typeof adjoints].grad as Variable;
          expect(Math.abs((await gradient.item()) - value)).toBeLessThanOrEqual(1e-15);
        }
      });

      it("agrees with reverse mode by hand, block for block (Listing 1)", async () => {
        // Block A: evaluation.
        const { x1, x2, u1, u2, u3, u4, u5 } = evaluate();

        // Block B: reverse mode by hand.
        const ub5 = new Variable(device.tensor([1], { dtype: "float64" }));
        const ub4 = ub5;
        const ub3 = ub5;
        const ub2 = ub4.mul(cos(u2));
        const ub1 = ub3.div(x2);
        const xb2 = ub3.neg().mul(u1).div(x2.pow(2)).add(ub2.mul(x1));
        const xb1 = ub2.mul(x2).add(ub1.mul(3).mul(x1.pow(2)));

        // Block C: reverse mode by the library.
        u5.backward({ retainGrad: true });

        const pairs = [
          [ub5, u5],
          [ub4, u4],
          [ub3, u3],
          [ub2, u2],
          [ub1, u1],
          [xb2, x2],
          [xb1, x1],
        ] as const;
        for (const [byHand, u] of pairs) {
          expect(Math.abs((await byHand.item()) - (await (u.grad as Variable).item()))).toBeLessThanOrEqual(1e-15);
        }
      });

      it("keeps no intermediate gradient unless asked", () => {
        const { u2, u5, x1 } = evaluate();
        u5.backward();
        expect(u2.grad).toBeNull();
        expect(x1.grad).not.toBeNull();
      });

      it("draws Figures 1 and 2", () => {
        const graph = computationalGraph(evaluate().u5);
        expect(graph.toMermaid()).toBe(
          `flowchart TD
  v0(["x1: float64 [1]"])
  v1(["u1: float64 [1]"])
  v2(["x2: float64 [1]"])
  v3(["u2: float64 [1]"])
  v4(["u3: float64 [1]"])
  v5(["u4: float64 [1]"])
  v6(["u5: float64 [1]"])
  f0["pow"]
  f1["mul"]
  f2["div"]
  f3["sin"]
  f4["add"]
  v0 --> f0
  f0 --> v1
  v0 --> f1
  v2 --> f1
  f1 --> v3
  v1 --> f2
  v2 --> f2
  f2 --> v4
  v3 --> f3
  f3 --> v5
  v4 --> f4
  v5 --> f4
  f4 --> v6
`,
        );
        const dot = graph.toDot();
        expect(dot.startsWith("digraph {\n")).toBe(true);
        expect(dot.endsWith("}\n")).toBe(true);
        expect(dot).toContain('  v0 [shape=oval, label="x1: float64 [1]"];\n');
        expect(dot).toContain('  f0 [shape=box, label="pow"];\n');
        expect(dot).toContain("  v0 -> f0;\n");
        expect(graph.toJSON().functions.map(({ label }) => label)).toEqual(["pow", "mul", "div", "sin", "add"]);
      });

      it("escapes names in drawings", () => {
        const x = new Variable(device.ones([1]), { name: 'a "b" \\ c' });
        const graph = computationalGraph([x.neg()]);
        expect(graph.toDot()).toContain('label="a \\"b\\" \\\\ c: float32 [1]"');
        expect(graph.toMermaid()).toContain('(["a #quot;b#quot; \\ c: float32 [1]"])');
      });
    });

    /** Coordinate-wise trimmed mean over axis 0, times N: an estimate of the sum. */
    function trimmedSum(rows: Tensor): Tensor {
      const [samples = 0] = rows.shape;
      const cut = Math.floor(0.2 * samples);
      return rows
        .sort({ axis: 0 })
        .slice([cut, samples - cut])
        .mean({ axis: 0 })
        .mul(samples);
    }

    /** A linear node that calls a rule inside its own backward: tutorial, Listing 4. */
    class RobustLinearFunction extends FunctionNode {
      forward([x, W, b]: readonly [Tensor, Tensor, Tensor]) {
        this.retainInputs(0, 1);
        return [x.matmul(W.transpose()).add(b)];
      }

      backward([gy]: readonly [Variable]) {
        const x = this.retained(0);
        const W = this.retained(1);
        return [
          () => gy.matmul(W),
          () => {
            const [samples, q] = gy.shape as [number, number];
            const rows = gy.value.reshape([samples, q, 1]).mul(x.value.reshape([samples, 1, -1]));
            return new Variable(trimmedSum(rows));
          },
          () => new Variable(trimmedSum(gy.value)),
        ];
      }
    }

    describe("a rule inside a node's own backward (Listing 4)", () => {
      it("equals sampleGradients and the same rule", async () => {
        const float64 = { dtype: "float64" } as const;
        const x = draw(device, [20, 3], 0);
        const make = () => [[4, 3], [4], [2, 4], [2]].map((shape, k) => new Variable(draw(device, shape, k + 1)));
        const loss = (y: Variable) =>
          y
            .sub(device.ones([20, 2], float64))
            .square()
            .sum({ axis: 1 });

        const inside = make();
        const [W1, b1, W2, b2] = inside as [Variable, Variable, Variable, Variable];
        const [h] = new RobustLinearFunction().apply(x, W1, b1);
        const [y] = new RobustLinearFunction().apply((h as Variable).tanh(), W2, b2);
        loss(y as Variable)
          .sum()
          .backward();

        const outside = make();
        const [V1, c1, V2, c2] = outside as [Variable, Variable, Variable, Variable];
        const samples = sampleGradients(loss(linear(linear(x, V1, c1).tanh(), V2, c2)), outside);

        for (const [k, parameter] of inside.entries()) {
          const rows = samples.get(outside[k] as Variable)?.rows() as Tensor;
          const expected = await trimmedSum(rows).data();
          const found = await (parameter.grad as Variable).data();
          found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 12));
        }
      });
    });
  },
  { dtypes: ["float64"] },
);
