import { type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { derivative, evaluate, parse } from "mathjs";
import { beforeAll, describe, expect, it } from "vitest";
import { grad, hessian, hvp, jacobianReverse, type Variable } from "../src/index.js";

let device: Device;

/** Test functions of optimisation, as text for mathjs and as Variables. */
const functions: readonly (readonly [
  name: string,
  text: string,
  f: (...x: Variable[]) => Variable,
  points: readonly (readonly number[])[],
])[] = [
  [
    "Rosenbrock's",
    "(1 - x1)^2 + 100 * (x2 - x1^2)^2",
    (x1, x2) => x1!.mul(-1).add(1).square().add(x2!.sub(x1!.square()).square().mul(100)),
    [
      [-1.2, 1],
      [0.5, 0.3],
    ],
  ],
  [
    "Himmelblau's",
    "(x1^2 + x2 - 11)^2 + (x1 + x2^2 - 7)^2",
    (x1, x2) => x1!.square().add(x2!).sub(11).square().add(x1!.add(x2!.square()).sub(7).square()),
    [
      [3, 2],
      [-1, 0.4],
    ],
  ],
  [
    "the tutorial's",
    "x1^3 / x2 + sin(x1 * x2)",
    (x1, x2) => x1!.pow(3).div(x2!).add(x1!.mul(x2!).sin()),
    [
      [1.5, 3],
      [-0.7, 0.9],
    ],
  ],
  [
    "Beale's",
    "(1.5 - x1 + x1 * x2)^2 + (2.25 - x1 + x1 * x2^2)^2 + (2.625 - x1 + x1 * x2^3)^2",
    (x1, x2) =>
      [1.5, 2.25, 2.625]
        .map((c, k) =>
          x1!
            .neg()
            .add(c)
            .add(x1!.mul(x2!.pow(k + 1)))
            .square(),
        )
        .reduce((a, b) => a.add(b)),
    [
      [1, 0.6],
      [0.2, -0.8],
    ],
  ],
  [
    "a sum of exponentials",
    "log(exp(x1) + exp(x2) + exp(-x3)) + tanh(x1 * x3) * sqrt(x2)",
    (x1, x2, x3) => x1!.exp().add(x2!.exp()).add(x3!.neg().exp()).log().add(x1!.mul(x3!).tanh().mul(x2!.sqrt())),
    [
      [0.3, 1.2, -0.4],
      [-1, 0.5, 0.8],
    ],
  ],
];

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("Hessians", () => {
      for (const [name, text, f, points] of functions) {
        it(`of ${name} function are the symbolic ones`, async () => {
          const vars = ["x1", "x2", "x3"].slice(0, points[0]!.length);
          const whole = (x: Variable) => f(...vars.map((_, k) => x.slice([k, k + 1]))).sum();
          for (const point of points) {
            const scope = Object.fromEntries(vars.map((v, k) => [v, point[k]!]));
            const expected = vars.flatMap((a) =>
              vars.map((b) => evaluate(derivative(derivative(parse(text), a), b).toString(), scope) as number),
            );
            const scale = Math.max(1, ...expected.map(Math.abs));
            const x = device.tensor([...point], { dtype: "float64" });
            const ways = [hessian(whole)(x), jacobianReverse((x) => grad(whole)(x))(x)];
            for (const H of ways) {
              const found = await H.data();
              found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-13 * scale));
            }
            for (const k of vars.keys()) {
              const unit = device.tensor(
                vars.map((_, j) => (j === k ? 1 : 0)),
                { dtype: "float64" },
              );
              const column = await hvp(whole, x, unit).data();
              column.forEach((value, i) =>
                expect(Math.abs(value - expected[i * vars.length + k]!)).toBeLessThanOrEqual(1e-13 * scale),
              );
            }
          }
        });
      }
    });
  },
  { dtypes: ["float64"] },
);
