import { type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { computationalGraph, evaluationTrace, jvp, linear, sin, Variable } from "../src/index.js";
import { graphSvg } from "../src/svg.js";

let device: Device;

const at = (value: number) => device.tensor([value], { dtype: "float64" });

/** x1³/x2 + sin(x1 x2) in the order of the tutorial's Table 1. */
function f(x1: Variable, x2: Variable): Variable {
  const u1 = x1.pow(3);
  const u2 = x1.mul(x2);
  return u1.div(x2).add(sin(u2));
}

const tables = {
  //      value, tangent along x1, along x2, adjoint
  x1: [1.5, 1, 0, 1.6176126017076609],
  x2: [3, 0, 1, -0.6911936991461696],
  u1: [3.375, 6.75, 0, 1 / 3],
  u2: [4.5, 3, 1.5, -0.2107957994307797],
  u3: [1.125, 2.25, -0.375, 1],
  u4: [-0.977530117665097, -0.6323873982923391, -0.31619369914616957, 1],
  u5: [0.147469882334903, 1.6176126017076609, -0.6911936991461696, 1],
} as const;

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("evaluationTrace", () => {
      it("has the rows of Tables 1, 2 and 3 for any seed direction", async () => {
        for (const [a, b] of [
          [1, 0],
          [0, 1],
          [0.25, -0.5],
          [-0.75, 0.125],
        ] as const) {
          const { rows } = await evaluationTrace(f, [at(1.5), at(3)], { direction: [at(a), at(b)] });
          expect(rows.map(({ name }) => name)).toEqual(["x1", "x2", "u1", "u2", "u3", "u4", "u5"]);
          for (const { name, value, tangent, adjoint } of rows) {
            const [y, d1, d2, bar] = tables[name as keyof typeof tables];
            expect(Math.abs((value as number[])[0]! - y)).toBeLessThanOrEqual(1e-15);
            expect(Math.abs((tangent as number[])[0]! - (a * d1 + b * d2))).toBeLessThanOrEqual(1e-15);
            expect(Math.abs((adjoint as number[])[0]! - bar)).toBeLessThanOrEqual(1e-15);
          }
          const { tangent } = jvp(f, [at(1.5), at(3)], [at(a), at(b)]);
          expect(Math.abs((await tangent.item()) - (a * tables.u5[1] + b * tables.u5[2]))).toBeLessThanOrEqual(1e-15);
        }
      });

      it("prints them as text", async () => {
        const trace = await evaluationTrace(f, [at(1.5), at(3)]);
        expect(trace.toText()).toBe(`Evaluation
  x1 = x1      = 1.5000
  x2 = x2      = 3.0000
  u1 = x1^3    = 3.3750
  u2 = x1 * x2 = 4.5000
  u3 = u1 / x2 = 1.1250
  u4 = sin(u2) = -0.9775
  u5 = u3 + u4 = 0.1475
  y  = u5      = 0.1475

Forward mode
  dx1 = seed                      = 1.0000
  dx2 = seed                      = 0.0000
  du1 = ∂u1/∂x1 dx1               = 6.7500
  du2 = ∂u2/∂x1 dx1 + ∂u2/∂x2 dx2 = 3.0000
  du3 = ∂u3/∂u1 du1 + ∂u3/∂x2 dx2 = 2.2500
  du4 = ∂u4/∂u2 du2               = -0.6324
  du5 = ∂u5/∂u3 du3 + ∂u5/∂u4 du4 = 1.6176

Reverse mode
  ∂y/∂u5 = seed                            = 1.0000
  ∂y/∂u4 = ∂y/∂u5 ∂u5/∂u4                  = 1.0000
  ∂y/∂u3 = ∂y/∂u5 ∂u5/∂u3                  = 1.0000
  ∂y/∂u2 = ∂y/∂u4 ∂u4/∂u2                  = -0.2108
  ∂y/∂u1 = ∂y/∂u3 ∂u3/∂u1                  = 0.3333
  ∂y/∂x2 = ∂y/∂u2 ∂u2/∂x2 + ∂y/∂u3 ∂u3/∂x2 = -0.6912
  ∂y/∂x1 = ∂y/∂u1 ∂u1/∂x1 + ∂y/∂u2 ∂u2/∂x1 = 1.6176
`);
        expect(trace.toText({ digits: 2 })).toContain("u4 = sin(u2) = -0.98\n");
      });

      it("writes on every Variable of the graph", async () => {
        const { graph } = await evaluationTrace(f, [at(1.5), at(3)]);
        expect(graph.toJSON().variables.map(({ name, notes }) => [name, ...notes])).toEqual([
          ["x1", "value 1.5000", "tangent 1.0000", "adjoint 1.6176"],
          ["u1", "value 3.3750", "tangent 6.7500", "adjoint 0.3333"],
          ["x2", "value 3.0000", "tangent 0.0000", "adjoint -0.6912"],
          ["u2", "value 4.5000", "tangent 3.0000", "adjoint -0.2108"],
          ["u3", "value 1.1250", "tangent 2.2500", "adjoint 1.0000"],
          ["u4", "value -0.9775", "tangent -0.6324", "adjoint 1.0000"],
          ["u5", "value 0.1475", "tangent 1.6176", "adjoint 1.0000"],
        ]);
        expect(graph.toMermaid()).toContain("u1: float64 [1]<br/>value 3.3750<br/>");
        expect(graph.toDot()).toContain('label="u1: float64 [1]\\nvalue 3.3750\\ntangent');
      });

      it("takes names that the function gives, nodes of several elements and constants", async () => {
        const x = new Variable(device.ones([2, 3], { dtype: "float64" }), { name: "features" });
        const trace = await evaluationTrace(
          (x) => {
            const h = linear(x, device.ones([2, 3], { dtype: "float64" })).tanh();
            h.name = "hidden";
            return h.sub(1).div(h.sub(x.max())).detach().add(h).mul(-2);
          },
          x,
          { gradOutput: device.ones([2, 2], { dtype: "float64" }) },
        );
        expect(trace.rows.map(({ name, formula }) => `${name} = ${formula}`)).toEqual([
          "features = features",
          "u1 = linear(features, c1)",
          "hidden = tanh(u1)",
          "u3 = hidden - 1",
          "u4 = max(features)",
          "u5 = hidden - u4",
          "u6 = u3 / u5",
          "u7 = c2 + hidden",
          "u8 = u7 * (-2)",
        ]);
        expect(trace.rows.find(({ name }) => name === "u6")?.adjoint).toEqual([
          [0, 0],
          [0, 0],
        ]);
      });

      it("refuses what is no Variable, and seeds of another form", async () => {
        await expect(evaluationTrace(() => 1 as never, at(1))).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
        await expect(evaluationTrace((x) => x, at(1), { direction: [device.ones([1])] })).rejects.toMatchObject({
          code: "DTYPE_MISMATCH",
        });
        await expect(evaluationTrace((x) => x, at(1), { gradOutput: device.ones([2]) })).rejects.toMatchObject({
          code: "SHAPE_MISMATCH",
        });
      });
    });

    describe("graphSvg", () => {
      it("draws a graph, and what a trace writes on it", async () => {
        const x = new Variable(at(2), { name: "x" });
        const plain = await graphSvg(computationalGraph(x.square()));
        expect(plain).toMatch(/^<svg [^]*<\/svg>\s*$/);
        expect(plain.match(/<ellipse/g)).toHaveLength(2);
        expect(plain).toContain(">square</text>");
        const { graph } = await evaluationTrace(f, [at(1.5), at(3)]);
        const annotated = await graphSvg(graph);
        expect(annotated.match(/<ellipse/g)).toHaveLength(7);
        expect(annotated).toContain(">value 3.3750</text>");
      });
    });
  },
  { dtypes: ["float64"] },
);
