import { openDevice, type Scalar, type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import {
  concat,
  linear,
  logSoftmax,
  logSumExp,
  pad,
  scatterAdd,
  softmax,
  sort,
  stack,
  standardize,
  Variable,
  where,
} from "../src/index.js";
import { TangentSweep } from "../src/forward-mode.js";
import { withForward } from "../src/recording.js";
import { tangentsBy } from "../src/tangents.js";
import { checkBackward, checkDoubleBackward, checkOnDevice, checkTangent } from "../src/testing.js";

let device: Device;

/** Numbers away from 0 and from each other: no kink is near. */
const distinct = (shape: readonly number[], sign?: 1, offset = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: size }, (_, i) => {
    const magnitude = 0.3 + 0.013 * offset + (((i * 7) % size) + 0.5) / size;
    return sign === 1 || i % 2 === 0 ? magnitude : -magnitude;
  });
  return device.tensor(values, { shape, dtype: device.dtypes.includes("float64") ? "float64" : "float32" });
};
const indices = (values: readonly number[], shape: readonly number[] = [values.length]) =>
  device.tensor(Int32Array.from(values), { shape });

type Case = readonly [
  sentence: string,
  f: (...xs: Variable[]) => Variable,
  shapes: readonly (readonly number[])[],
  sign?: 1 | undefined,
];

const table: Record<string, readonly Case[]> = {
  "binary operations": [
    ["adds", (a, b) => a.add(b), [[2, 3], [3]]],
    ["subtracts", (a, b) => a.sub(b), [[3], [2, 1]]],
    [
      "multiplies",
      (a, b) => a.mul(b),
      [
        [2, 3],
        [2, 1],
      ],
    ],
    [
      "divides",
      (a, b) => a.div(b),
      [
        [2, 3],
        [2, 3],
      ],
      1,
    ],
    ["takes powers in base and exponent", (a, b) => a.pow(b), [[2, 3], [3]], 1],
    ["takes powers with a number", (a) => a.pow(3), [[2, 3]]],
    ["takes the larger", (a, b) => a.maximum(b), [[2, 3], [1]]],
    ["takes the smaller", (a, b) => a.minimum(b), [[4], [4, 1]]],
    ["takes the remainder", (a) => a.remainder(0.7), [[2, 3]], 1],
    ["multiplies a Variable by itself", (a) => a.mul(a), [[2, 2]]],
    ["meets scalars", (a, b) => a.mul(b), [[], [2]]],
  ],
  "unary operations": (
    [
      ["neg"],
      ["abs"],
      ["exp"],
      ["expm1"],
      ["log", 1],
      ["log1p", 1],
      ["sqrt", 1],
      ["square"],
      ["reciprocal"],
      ["sin"],
      ["cos"],
      ["tan"],
      ["atan"],
      ["sinh"],
      ["cosh"],
      ["tanh"],
      ["sigmoid"],
      ["softplus"],
      ["logCosh"],
      ["relu"],
      ["floor", 1],
      ["sign"],
    ] as const
  ).map(([name, sign]): Case => [`differentiates ${name}`, (x) => x[name](), [[2, 3]], sign]),
  clamp: [
    ["passes gradients inside", (x) => x.clamp(-0.5, 0.9), [[3, 4]]],
    ["passes gradients to bounds that are Variables", (x, low, high) => x.clamp(low, high.add(2)), [[6], [1], [1]], 1],
  ],
  where: [
    ["sends the gradient to the branch taken", (a, b) => where(a.greater(0), a, b), [[2, 3], [3]]],
    ["takes numbers", (a) => where(a.less(0), 0.5, a), [[2, 3]]],
  ],
  map: [
    ["differentiates a function of the user's own", (x) => x.map((u) => u.tanh().mul(u).add(1)), [[2, 3]]],
    [
      "differentiates in every argument",
      (a, b) => a.map((u: Scalar, v: Scalar) => u.mul(v).sin().div(v), b),
      [[2, 3], [3]],
      1,
    ],
  ],
  sum: [
    ["sums all", (x) => x.sum(), [[2, 3]]],
    ["sums an axis", (x) => x.sum({ axis: 0 }), [[2, 3]]],
    ["keeps reduced axes", (x) => x.sum({ axis: [0, 2], keepdims: true }), [[2, 3, 2]]],
    ["averages", (x) => x.mean({ axis: -1 }), [[2, 3]]],
    ["takes the variance", (x) => x.variance({ axis: 1, correction: 1 }), [[2, 4]]],
  ],
  standardize: [
    ["takes mean and variance of an axis out", (x) => standardize(x, { axis: 1 }).values, [[2, 4]]],
    ["takes several axes", (x) => standardize(x, { axis: [0, -1], epsilon: 0.1 }).values, [[3, 2, 2]]],
  ],
  max: [
    ["sends the gradient to the largest", (x) => x.max({ axis: 1 }), [[2, 5]]],
    ["sends the gradient to the smallest", (x) => x.min({ axis: [0, 1], keepdims: true }), [[2, 5]]],
  ],
  product: [
    ["multiplies an axis of odd extent", (x) => x.product({ axis: 1 }), [[2, 5]]],
    ["multiplies two axes and keeps them", (x) => x.product({ axis: [0, 2], keepdims: true }), [[2, 2, 3]]],
  ],
  matmul: [
    [
      "contracts the last axis of a with the first of b",
      (a, b) => a.matmul(b),
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      "takes one matrix for a batch",
      (a, b) => a.matmul(b),
      [
        [2, 2, 3],
        [3, 4],
      ],
    ],
    [
      "broadcasts batches",
      (a, b) => a.matmul(b),
      [
        [2, 1, 2, 3],
        [3, 3, 2],
      ],
    ],
    ["takes a vector on the left", (a, b) => a.matmul(b), [[3], [2, 3, 2]]],
    ["takes a vector on the right", (a, b) => a.matmul(b), [[2, 3], [3]]],
    ["takes two vectors", (a, b) => a.matmul(b), [[3], [3]]],
  ],
  linear: [
    ["maps rows", (x, W, b) => linear(x, W, b), [[4, 3], [2, 3], [2]]],
    ["maps the last axis", (x, W, b) => linear(x, W, b), [[2, 3, 3], [2, 3], [2]]],
    ["maps a vector without b", (x, W) => linear(x, W), [[3], [2, 3]]],
  ],
  reshape: [
    ["keeps the order of elements", (x) => x.reshape([3, -1]).sin(), [[2, 6]]],
    ["reshapes a permuted Variable", (x) => x.permute([1, 0]).reshape([6]).sin(), [[2, 3]]],
  ],
  broadcastTo: [["adds up over repeated axes", (x) => x.broadcastTo([2, 3, 4]).sin(), [[3, 1]]]],
  permute: [
    ["moves axes back", (x) => x.permute([2, 0, 1]).sin(), [[2, 3, 4]]],
    ["reverses without an order", (x) => x.permute().sin(), [[2, 3, 4]]],
    ["exchanges the last two", (x) => x.transpose().sin(), [[2, 3, 4]]],
  ],
  slice: [["fills what was cut off with zeros", (x) => x.slice([1, 3], null, [-2]).sin(), [[4, 2, 3]]]],
  pad: [
    [
      "cuts the border off",
      (x) =>
        pad(
          x,
          [
            [1, 0],
            [0, 2],
          ],
          3,
        ).sin(),
      [[2, 3]],
    ],
  ],
  concat: [
    [
      "splits the gradient",
      (a, b) => concat([a, b, a], { axis: 1 }).sin(),
      [
        [2, 1],
        [2, 3],
      ],
    ],
    [
      "stacks along a new axis",
      (a, b) => stack([a, b], { axis: 1 }).sin(),
      [
        [2, 3],
        [2, 3],
      ],
    ],
  ],
  gather: [
    ["adds gradients of a slice chosen twice", (x) => x.gather(indices([2, 0, 2])).sin(), [[3, 2]]],
    [
      "gathers along an inner axis with indices of rank 2",
      (x) => x.gather(indices([1, 1, 0, 2], [2, 2]), { axis: 1 }).sin(),
      [[2, 3, 2]],
    ],
  ],
  takeAlongAxis: [["picks one by one", (x) => x.takeAlongAxis(indices([2, 0], [2, 1]), { axis: 1 }).sin(), [[2, 3]]]],
  scatterAdd: [
    ["adds slices", (x) => scatterAdd(indices([1, 1, 0]), x, { size: 2 }).sin(), [[3, 2]]],
    [
      "adds elements",
      (x) => scatterAdd(indices([1, 1, 0, 2], [2, 2]), x, { axis: 0, size: 3, mode: "elements" }).sin(),
      [[2, 2]],
    ],
  ],
  sort: [
    [
      "sends gradients back to where elements came from",
      (x) => sort(x, { axis: 0 }).mul(device.tensor([[1], [2], [3]], { dtype: x.dtype as "float32" })),
      [[3, 2]],
    ],
  ],
  topk: [["sends gradients to the largest", (x) => x.topk(2, { axis: 0 }).values.sin(), [[4, 2]]]],
  median: [
    ["sends the gradient to the middle", (x) => x.median({ axis: 0 }).sin(), [[5, 2]]],
    ["shares it between two middles", (x) => x.median({ axis: 1, keepdims: true }).sin(), [[2, 4]]],
    ["takes all elements", (x) => x.median().sin(), [[2, 3]]],
  ],
  cumsum: [["sums gradients from the other end", (x) => x.cumsum({ axis: 1 }).sin(), [[2, 4]]]],
  softmax: [
    ["normalises", (x) => softmax(x), [[2, 4]]],
    ["normalises another axis", (x) => softmax(x, { axis: 0 }), [[3, 2]]],
    ["takes logarithms", (x) => logSoftmax(x), [[2, 4]]],
    ["takes logarithms of sums", (x) => logSumExp(x, { axis: 1 }), [[2, 4]]],
    ["takes logarithms of sums over all axes", (x) => logSumExp(x, { keepdims: true }), [[2, 4]]],
  ],
};

/** Labels of nodes whose tangents come from two walks back instead of a rule. */
function nodesWithoutRule(f: (...xs: Variable[]) => Variable, inputs: readonly Tensor[]): string[] {
  const found: string[] = [];
  class ListingSweep extends TangentSweep {
    override applied(...[node, xs, ys]: Parameters<TangentSweep["applied"]>): boolean {
      const tangents = xs.map((x) => this.tangentsOf(x)[0]?.value ?? null);
      if (tangents.some((tangent) => tangent !== null) && tangentsBy(node, tangents) === undefined)
        found.push(node.label);
      return super.applied(node, xs, ys);
    }
  }
  const sweep = new ListingSweep(1);
  const variables = inputs.map((x) => new Variable(x));
  for (const x of variables)
    if (x.requiresGrad) sweep.start(x, [new Variable(x.value.mul(0.5), { requiresGrad: false })]);
  const y = withForward(sweep, () => f(...variables));
  expect(sweep.carries(y)).toBe(true);
  return found;
}

forEachDevice(
  (on) => {
    describe.each(Object.entries(table))("%s in float32", (_, cases) => {
      beforeAll(() => void (device = on.device));

      for (const [sentence, f, shapes, sign] of cases) {
        it(`${sentence} as on cpu in float64, called and replayed`, async () => {
          const inputs = shapes.map((shape, k) => distinct(shape, sign, k));
          // What a function takes besides its inputs is where they are.
          const there = (...xs: Variable[]) => ((device = (xs[0] as Variable).device), f(...xs));
          await checkOnDevice(on.device, there, inputs);
        });
      }
    });
  },
  { dtypes: ["float32"] },
);

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    for (const [name, cases] of Object.entries(table)) {
      describe(name, () => {
        for (const [sentence, f, shapes, sign] of cases) {
          it(sentence, async () => {
            const inputs = shapes.map((shape, k) => distinct(shape, sign, k));
            await checkBackward(f, inputs);
            await checkTangent(f, inputs);
            expect(nodesWithoutRule(f, inputs)).toEqual([]);
            await checkDoubleBackward(f, inputs, { relative: 1e-5, absolute: 1e-7 });
          });
        }
      });
    }

    describe("values", () => {
      it("are those of the tensor operations", async () => {
        const x = distinct([2, 3], 1);
        const y = distinct([2, 3]);
        const pairs: readonly (readonly [Variable, Tensor])[] = [
          [new Variable(x).mul(y).add(1), x.mul(y).add(1)],
          [new Variable(x).matmul(y.transpose()), x.matmul(y.transpose())],
          [new Variable(x).product({ axis: 1 }), x.product({ axis: 1 })],
          [new Variable(x).variance({ correction: 1 }), x.variance({ correction: 1 })],
          [new Variable(x).sort({ axis: 0 }), x.sort({ axis: 0 })],
          [new Variable(x).topk(2).values, x.topk(2).values],
          [new Variable(x).topk(2).indices, x.topk(2).indices],
          [new Variable(x).median({ axis: 0, keepdims: true }), x.median({ axis: 0, keepdims: true })],
          [new Variable(x).median(), x.median()],
          [new Variable(x).argmax({ axis: 1 }), x.argmax({ axis: 1 })],
          [new Variable(x).cast("float32"), x.cast("float32")],
          [new Variable(y).greater(0), y.greater(0)],
        ];
        for (const [variable, tensor] of pairs) {
          expect(variable.dtype).toBe(tensor.dtype);
          expect(variable.shape).toEqual(tensor.shape);
          const [found, expected] = [await variable.data(), await tensor.data()];
          found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 14));
        }
      });

      it("of logSumExp and softmax do not overflow", async () => {
        const x = device.tensor(
          [
            [1000, 1000],
            [-Infinity, -Infinity],
          ],
          { dtype: "float64", allowNonFinite: true },
        );
        expect(await logSumExp(x, { axis: 1 }).toArray()).toEqual([1000 + Math.LN2, -Infinity]);
        expect(await softmax(x.slice([0, 1])).toArray()).toEqual([[0.5, 0.5]]);
      });
    });

    describe("ties", () => {
      it("of max share the gradient equally", async () => {
        const x = new Variable(device.tensor([3, 1, 3, 2]));
        x.max().backward();
        expect(await x.grad?.toArray()).toEqual([0.5, 0, 0.5, 0]);
      });

      it("of maximum give each operand half", async () => {
        const a = new Variable(device.tensor([1, 2]));
        const b = new Variable(device.tensor([1, 1]));
        a.maximum(b).sum().backward();
        expect(await a.grad?.toArray()).toEqual([0.5, 1]);
        expect(await b.grad?.toArray()).toEqual([0.5, 0]);
      });

      it("of sort keep their order", async () => {
        const x = new Variable(device.tensor([2, 1, 1]));
        sort(x)
          .mul(device.tensor([10, 20, 30]))
          .sum()
          .backward();
        expect(await x.grad?.toArray()).toEqual([30, 10, 20]);
      });
    });

    describe("product", () => {
      it("has exact gradients where factors are zero", async () => {
        const x = new Variable(device.tensor([2, 0, 5]));
        x.product().backward();
        expect(await x.grad?.toArray()).toEqual([0, 10, 0]);
        const z = new Variable(device.tensor([0, 0, 5]));
        z.product().backward();
        expect(await z.grad?.toArray()).toEqual([0, 0, 0]);
      });
    });

    describe("cast", () => {
      it("carries gradients between floating dtypes", async () => {
        const x = new Variable(device.tensor([1, 2], { dtype: "float64" }));
        x.cast("float32").square().sum().backward();
        expect(x.grad?.dtype).toBe("float64");
        expect(await x.grad?.toArray()).toEqual([2, 4]);
      });

      it("ends at integers", () => {
        expect(new Variable(device.tensor([1.5])).cast("int32").requiresGrad).toBe(false);
      });
    });

    describe("operations without a derivative", () => {
      it("give zeros where the function is flat", async () => {
        const x = new Variable(device.tensor([1.5, -0.5]));
        x.floor().sum().backward();
        expect(await x.grad?.toArray()).toEqual([0, 0]);
      });

      it("give constants where the result is bool", () => {
        const x = new Variable(device.tensor([1, 2]));
        expect(x.greater(1).requiresGrad).toBe(false);
        expect(x.greater(1).creator).toBeNull();
      });
    });

    describe("refusals", () => {
      const x = () => new Variable(device.ones([2, 3]));

      it("name dtypes", () => {
        const [W, b] = [device.ones([4, 3], { dtype: "float64" }), device.ones([4])];
        expect(() => linear(x(), W)).toThrow(
          expect.objectContaining({
            code: "DTYPE_MISMATCH",
            message: "linear: expected operands of one dtype, found (x: float32 [2, 3], W: float64 [4, 3])",
          }),
        );
        expect(() => linear(x().cast("float64"), W, b)).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH", message: expect.stringMatching(/^linear: .*b: float32/) }),
        );
      });

      it("name shapes", () => {
        expect(() => linear(x(), device.ones([4, 2]))).toThrow(
          expect.objectContaining({
            code: "SHAPE_MISMATCH",
            message: "linear: expected x.shape[1] = W.shape[1], found 3 ≠ 2 (x: float32 [2, 3], W: float32 [4, 2])",
          }),
        );
        expect(() => linear(x(), device.ones([4, 3]), device.ones([3]))).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
        expect(() => x().matmul(device.ones([2, 3]))).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
        expect(() => x().add(device.ones([2]))).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
        expect(() => new Variable(device.ones([2])).transpose()).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
        expect(() => x().reshape([4])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
        expect(() => x().slice(null, null, [0, 1])).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => x().sum({ axis: 2 })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => concat([])).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => concat([x(), device.ones([3, 3])], { axis: 1 })).toThrow(
          expect.objectContaining({ code: "SHAPE_MISMATCH" }),
        );
      });

      it("name dtypes", () => {
        expect(() => x().add(device.ones([3], { dtype: "float64" }))).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH" }),
        );
        expect(() => new Variable(device.ones([3], { dtype: "int32" })).sin()).toThrow(
          expect.objectContaining({ code: "DTYPE_MISMATCH" }),
        );
        expect(() => where(x() as never, x(), 0)).toThrow(expect.objectContaining({ code: "DTYPE_MISMATCH" }));
        expect(() => x().gather(device.ones([2]))).toThrow(expect.objectContaining({ code: "DTYPE_MISMATCH" }));
      });

      it("name operands that are neither", () => {
        expect(() => x().mul("2" as never)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => x().matmul(null as never)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
        expect(() => linear([[1]] as never, x())).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      });

      it("name devices", async () => {
        const other = await openDevice("cpu");
        expect(() => x().mul(other.ones([3]))).toThrow(expect.objectContaining({ code: "DEVICE_MISMATCH" }));
        other.dispose();
      });
    });
  },
  { dtypes: ["float64"] },
);
