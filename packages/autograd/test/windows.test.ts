import { capture, denseSamples, generator, tidy, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { avgPool2d, conv1d, conv2d, grad, maxPool2d, sampleGradients, Variable } from "../src/index.js";
import { checkBackward, checkDoubleBackward, checkSampleGradients, checkTangent } from "../src/testing.js";
import fixtures from "./fixtures/windows.json" with { type: "json" };

interface HostArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Fixture {
  readonly name: string;
  readonly options: Record<string, number | number[]>;
  readonly kernel?: readonly number[];
  readonly x: HostArray;
  readonly W?: HostArray;
  readonly b?: HostArray;
  readonly y: HostArray;
  readonly gy: HostArray;
  readonly gradients: Readonly<Record<string, HostArray>>;
  readonly rows: Readonly<Record<string, HostArray>>;
}

const cases = fixtures as readonly Fixture[];

function apply({ name, options, kernel }: Fixture, [x, W, b]: readonly Variable[]): Variable {
  switch (name) {
    case "conv1d":
      return conv1d(x as Variable, W as Variable, b, options);
    case "conv2d":
      return conv2d(x as Variable, W as Variable, b, options);
    case "maxPool2d":
      return maxPool2d(x as Variable, kernel as readonly number[], options);
    default:
      return avgPool2d(x as Variable, kernel as readonly number[], options);
  }
}

const sentence = ({ name, options, kernel, x, W }: Fixture) =>
  `${name} of ${x.shape.join("×")} by ${(kernel ?? W?.shape ?? []).join("×")} ${JSON.stringify(options)}`;

forEachDevice(({ device, dtype, epsilon }) => {
  const tensor = ({ values, shape }: HostArray) => device.tensor(Float64Array.from(values), { shape, dtype });
  const inputsOf = ({ x, W, b }: Fixture) => [x, W, b].filter((input) => input !== undefined).map(tensor);
  const close = async (found: Tensor, expected: HostArray) => {
    expect(found.shape).toEqual(expected.shape);
    const scale = Math.max(1, ...expected.values.map(Math.abs));
    const values = await found.data();
    expected.values.forEach((value, i) =>
      expect(Math.abs((values[i] as number) - value)).toBeLessThan(100 * epsilon * scale),
    );
  };

  describe("against PyTorch", () => {
    it.each(cases.map((fixture) => [sentence(fixture), fixture] as const))("%s", async (_, fixture) => {
      const variables = inputsOf(fixture).map((value) => new Variable(value));
      const y = apply(fixture, variables);
      await close(y.value, fixture.y);
      y.mul(tensor(fixture.gy)).sum().backward();
      for (const [k, name] of ["x", "W", "b"].entries()) {
        const expected = fixture.gradients[name];
        if (expected !== undefined) await close((variables[k]?.grad as Variable).value, expected);
      }
      for (const variable of variables) variable.value.dispose();
    });
  });
});

// What is beyond PyTorch's numbers: one dtype is enough, and float64 has the digits for central differences.
forEachDevice(
  ({ device, dtype, epsilon, quick }) => {
    const draw = (shape: readonly number[], seed: number) =>
      device.tensor(generator(seed).normal(shape).values, { shape, dtype });
    const input = ({ values, shape }: HostArray) => device.tensor(Float64Array.from(values), { shape, dtype });

    describe("rows per sample", () => {
      const convolutions = cases.filter(({ W, x }) => W !== undefined && (x.shape[0] as number) > 1);

      it.each(convolutions.map((fixture) => [sentence(fixture), fixture] as const))("%s", async (_, fixture) => {
        const found = tidy(() => {
          const [x, W, b] = [fixture.x, fixture.W, fixture.b].map((array) => array && new Variable(input(array)));
          const data = new Variable((x as Variable).value, { requiresGrad: false });
          const wanted = [W, b].filter((variable) => variable !== undefined);
          const y = apply(fixture, [data, ...wanted]);
          const axis = y.shape.map((_, k) => k).slice(1);
          const matrices = sampleGradients(y.mul(input(fixture.gy)).sum({ axis }), wanted);
          return wanted.map((variable) => {
            const matrix = matrices.get(variable) as SampleMatrix;
            return matrix
              .rows()
              .reshape([matrix.samples, ...matrix.shape])
              .copy();
          });
        });
        for (const [k, name] of ["W", "b"].entries()) {
          const expected = fixture.rows[name];
          if (expected === undefined) continue;
          const values = await (found[k] as Tensor).data();
          const scale = Math.max(1, ...expected.values.map(Math.abs));
          expected.values.forEach((value, i) =>
            expect(Math.abs((values[i] as number) - value)).toBeLessThan(100 * epsilon * scale),
          );
          found[k]?.dispose();
        }
      });

      it("belong to the images of each sample where they are folded into the batch", async () => {
        const [N, T] = [3, 2];
        const difference = tidy(() => {
          const x = draw([N, T, 2, 5, 4], 1);
          const W = new Variable(draw([3, 2, 2, 3], 2));
          const b = new Variable(draw([3], 3));
          const losses = (images: Tensor, count: number) =>
            conv2d(new Variable(images).reshape([count * T, 2, 5, 4]), W, b)
              .square()
              .reshape([count, -1])
              .sum({ axis: 1 });
          const together = sampleGradients(losses(x, N), [W, b]);
          // Rows of one backward pass per sample would be dense.
          expect((together.get(W) as SampleMatrix).factors).toBeNull();
          const apart = Array.from({ length: N }, (_, n) => sampleGradients(losses(x.slice([n, n + 1]), 1), [W, b]));
          return [W, b]
            .map((p) =>
              apart
                .map((one, n) => {
                  const row = (one.get(p) as SampleMatrix).rows();
                  return (together.get(p) as SampleMatrix)
                    .rows()
                    .slice([n, n + 1])
                    .sub(row)
                    .abs()
                    .max()
                    .div(row.abs().max());
                })
                .reduce((a, c) => a.maximum(c)),
            )
            .reduce((a, c) => a.maximum(c));
        });
        expect(await difference.item()).toBeLessThan(1000 * epsilon);
        difference.dispose();
      });
    });

    describe("sample matrices of a convolution's weights", () => {
      const setUp = (groups: number) => {
        const x = draw([4, 4, 5, 6], 1);
        const W = new Variable(draw([6, 4 / groups, 3, 2], 2));
        const gy = draw([4, 6, 3, 5], 3);
        const y = conv2d(x, W, undefined, { groups });
        return sampleGradients(y.mul(gy).sum({ axis: [1, 2, 3] }), [W]).get(W) as SampleMatrix;
      };
      const questions: Record<string, (g: SampleMatrix) => Tensor> = {
        mean: (g) => g.mean(),
        "mean of a formula": (g) => g.mean((u, a) => u.mul(a).tanh(), draw([g.features], 9)),
        columns: (g) => g.columns((c) => c.sorted().slice(1, 3).mean()),
        combine: (g) => g.combine(device.tensor([0.5, 0, -1, 2], { dtype })),
        gram: (g) => g.gram(),
        squaredDistances: (g) => g.squaredDistances(),
        squaredNorms: (g) => g.squaredNorms(),
        dot: (g) => g.dot(draw([g.features], 9)),
        "scaled rows": (g) => g.scale(device.tensor([1, 2, 3, -1], { dtype })).rows(),
        "rows times a number": (g) => g.scale(3).rows([3, 40]),
        "chosen rows": (g) => g.take(device.tensor([3, 0], { dtype: "int32" })).rows(),
        "no columns": (g) => g.rows([7, 7]),
        "columns of rows": (g) => g.rows([5, 31]),
        "mixed rows": (g) =>
          g
            .mix(
              device.tensor(
                [
                  [0.5, 0.5, 0, 0],
                  [0, 1, 1, -1],
                ],
                { dtype },
              ),
            )
            .rows(),
        "columns of mixed rows": (g) =>
          g
            .mix(
              device.tensor(
                [
                  [0.5, 0.5, 0, 0],
                  [0, 1, 1, -1],
                ],
                { dtype },
              ),
            )
            .columns((c) => c.median()),
      };
      for (const groups of [1, 2]) {
        it.each(Object.entries(questions))(`answer %s as rows do, groups ${groups}`, async (_, question) => {
          const [found, expected] = tidy(() => {
            const matrix = setUp(groups);
            const rows = matrix.rows();
            return [question(matrix).copy(), question(denseSamples(rows.copy())).copy()] as const;
          });
          await expectClose(found, await expected.toArray(), { relative: 1e4 * epsilon, absolute: 1e3 * epsilon });
          found.dispose();
          expected.dispose();
        });
      }
    });

    describe("maxPool2d", () => {
      it("gives the gradient of a tie to the first of the largest elements", async () => {
        const x = new Variable(
          device.tensor(
            [
              [
                [
                  [1, 1, 0, 2],
                  [1, 1, 2, 2],
                ],
              ],
            ],
            { dtype },
          ),
        );
        maxPool2d(x, 2).sum().backward();
        await expectClose((x.grad as Variable).value, [
          [
            [
              [1, 0, 0, 1],
              [0, 0, 0, 0],
            ],
          ],
        ]);
        x.value.dispose();
      });

      it("is NaN where a window holds NaN, and gives it the gradient", async () => {
        const x = new Variable(device.tensor([[[[3, NaN, 1, 2]]]], { dtype, allowNonFinite: true }));
        const y = maxPool2d(x, [1, 2]);
        await expectClose(y.value, [[[[NaN, 2]]]]);
        y.sum().backward();
        await expectClose((x.grad as Variable).value, [[[[0, 1, 0, 1]]]]);
        x.value.dispose();
      });

      it("never lets padding win", async () => {
        const y = maxPool2d(device.full([1, 1, 2, 2], -5, { dtype }), 3, { stride: 1, padding: 1 });
        await expectClose(y.value, [
          [
            [
              [-5, -5],
              [-5, -5],
            ],
          ],
        ]);
      });
    });

    describe("without elements", () => {
      it.each([
        ["no images", [0, 2, 4, 4], [3, 2, 3, 3], [0, 3, 2, 2]],
        ["no channels", [2, 0, 4, 4], [3, 0, 3, 3], [2, 3, 2, 2]],
        ["no outputs", [2, 2, 4, 4], [0, 2, 3, 3], [2, 0, 2, 2]],
      ])("convolves to zeros or nothing, and back: %s", async (_, ofX, ofW, ofY) => {
        const [x, W] = [ofX, ofW].map((shape) => new Variable(device.ones(shape, { dtype }))) as [Variable, Variable];
        const y = conv2d(x, W);
        expect(y.shape).toEqual(ofY);
        expect(Array.from(await y.data()).every((value) => value === 0)).toBe(true);
        y.sum().backward();
        for (const variable of [x, W]) {
          expect(variable.grad?.shape).toEqual(variable.shape);
          expect(Array.from(await (variable.grad as Variable).data()).every((value) => value === 0)).toBe(true);
          variable.value.dispose();
        }
      });

      it("pools to nothing", () => {
        expect(maxPool2d(device.ones([0, 2, 4, 4], { dtype }), 2).shape).toEqual([0, 2, 2, 2]);
        expect(avgPool2d(device.ones([3, 0, 4, 4], { dtype }), 2).shape).toEqual([3, 0, 2, 2]);
      });
    });

    describe("captured", () => {
      it("computes what eager calls do", async () => {
        const x = draw([3, 2, 8, 8], 1);
        const W = new Variable(draw([3, 2, 3, 3], 2));
        const b = new Variable(draw([3], 3));
        const work = (x: Tensor) => {
          const y = maxPool2d(conv2d(x, W, b, { padding: 1 }), 2);
          const matrices = sampleGradients(y.square().sum({ axis: [1, 2, 3] }), [W, b]);
          return [
            (matrices.get(W) as SampleMatrix).columns((c) => c.median()),
            (matrices.get(b) as SampleMatrix).mean(),
          ];
        };
        const expected = await Promise.all(
          tidy(() => work(x).map((y) => y.copy())).map(async (y) => {
            const values = await y.toArray();
            y.dispose();
            return values;
          }),
        );
        const step = capture(work);
        for (let call = 0; call < 4; call++) {
          const found = step(x);
          for (const [k, y] of found.entries())
            await expectClose(y, expected[k] as number[], { relative: 1e4 * epsilon, absolute: 1e3 * epsilon });
        }
        step.dispose();
      });
    });

    // Windows of more than one chunk: 200 elements of a window times 1296 windows of each image, and 400 times 1936.
    it.runIf(quick)("convolves images by parts where their windows take more than the bound", async () => {
      for (const [N, C, space, K] of [
        [3, 8, 40, 5],
        [1, 16, 48, 5],
      ] as const) {
        const [x, w, gy] = [
          generator(1).normal([N, C, space, space]).values,
          generator(2).normal([2, C, K, K]).values,
          generator(3).normal([N, 2, space - K + 1, space - K + 1]).values,
        ];
        const expected = looped(x, w, gy, [N, C, space, K]);
        const [X, W] = [
          new Variable(device.tensor(x, { shape: [N, C, space, space], dtype })),
          new Variable(device.tensor(w, { shape: [2, C, K, K], dtype })),
        ];
        const y = conv2d(X, W);
        y.mul(device.tensor(gy, { shape: y.shape, dtype }))
          .sum()
          .backward();
        for (const [found, wanted] of [
          [y.value, expected.y],
          [(X.grad as Variable).value, expected.gx],
          [(W.grad as Variable).value, expected.gw],
        ] as const) {
          const values = await found.data();
          const scale = wanted.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          const worst = wanted.reduce((a, b, i) => Math.max(a, Math.abs(b - (values[i] as number))), 0);
          expect(worst / scale).toBeLessThan(1e3 * epsilon);
        }
        X.value.dispose();
        W.value.dispose();
      }
    });
  },
  { dtypes: ["float64", "float32"] },
);

/** y, and the gradients of ⟨gy, y⟩, by loops: two outputs, square images and kernels. */
function looped(
  x: Float64Array,
  w: Float64Array,
  gy: Float64Array,
  [N, C, L, K]: readonly [number, number, number, number],
) {
  const M = L - K + 1;
  const [y, gx, gw] = [new Float64Array(gy.length), new Float64Array(x.length), new Float64Array(w.length)];
  for (let n = 0; n < N; n++)
    for (let q = 0; q < 2; q++)
      for (let i = 0; i < M * M; i++)
        for (let c = 0; c < C; c++)
          for (let k = 0; k < K * K; k++) {
            const at = (n * 2 + q) * M * M + i;
            const from = ((n * C + c) * L + Math.floor(i / M) + Math.floor(k / K)) * L + (i % M) + (k % K);
            const weight = (q * C + c) * K * K + k;
            (y[at] as number) += (x[from] as number) * (w[weight] as number);
            (gx[from] as number) += (gy[at] as number) * (w[weight] as number);
            (gw[weight] as number) += (gy[at] as number) * (x[from] as number);
          }
  return { y, gx, gw };
}

forEachDevice(
  ({ device }) => {
    // Away from ties: PyTorch's inputs without them.
    const kinkless = cases.filter(({ x }) => !x.values.every(Number.isInteger));
    const inputsOf = ({ x, W, b }: Fixture) =>
      [x, W, b]
        .filter((array) => array !== undefined)
        .map(({ values, shape }) => device.tensor(Float64Array.from(values), { shape }));

    describe.each(kinkless.map((fixture) => [sentence(fixture), fixture] as const))(
      "derivatives of %s",
      (_, fixture) => {
        it("first", async () => {
          const inputs = inputsOf(fixture);
          await checkBackward((...xs) => apply(fixture, xs), inputs);
          for (const x of inputs) x.dispose();
        });

        it("second", async () => {
          const inputs = inputsOf(fixture);
          await checkDoubleBackward((...xs) => apply(fixture, xs).square(), inputs);
          for (const x of inputs) x.dispose();
        });

        it("tangents", async () => {
          const inputs = inputsOf(fixture);
          await checkTangent((...xs) => apply(fixture, xs), inputs);
          for (const x of inputs) x.dispose();
        });

        it("tangents of gradients", async () => {
          const inputs = inputsOf(fixture);
          for (const argument of inputs.keys()) {
            await checkTangent(
              grad((...xs: Variable[]) => apply(fixture, xs).square().sum(), { argument }),
              inputs,
            );
          }
          for (const x of inputs) x.dispose();
        });

        it("per sample", async () => {
          const [x, ...params] = inputsOf(fixture) as [Tensor, ...Tensor[]];
          if (params.length > 0) {
            await checkSampleGradients((...ps) => {
              const y = apply(fixture, [new Variable(x, { requiresGrad: false }), ...ps]).square();
              return y.sum({ axis: y.shape.map((_, k) => k).slice(1) });
            }, params);
          } else {
            // Of a scale before the windows.
            const scale = device.ones([x.shape[1] as number, 1, 1], { dtype: "float64" });
            await checkSampleGradients(
              (s) =>
                apply(fixture, [s.mul(x)])
                  .square()
                  .sum({ axis: [1, 2, 3] }),
              [scale],
            );
            scale.dispose();
          }
          for (const tensor of [x, ...params]) tensor.dispose();
        });
      },
    );
  },
  { dtypes: ["float64"] },
);

forEachDevice(
  ({ device, dtype }) => {
    const code = (code: string) => expect.objectContaining({ code }) as unknown;
    const refuses = (f: () => unknown, expected: string, message: RegExp) => {
      const failure = () => tidy(() => f() as never);
      expect(failure).toThrow(code(expected) as Error);
      expect(failure).toThrow(message);
    };
    const ones = (...shape: number[]) => device.ones(shape, { dtype });

    describe("refuses", () => {
      it("kernels larger than the input", () => {
        refuses(() => conv2d(ones(1, 1, 4, 4), ones(1, 1, 5, 3)), "SHAPE_MISMATCH", /at most \[4, 4\].*found \[5, 3\]/);
        refuses(
          () => conv1d(ones(1, 1, 4), ones(1, 1, 2), undefined, { dilation: 4 }),
          "SHAPE_MISMATCH",
          /found \[5\]/,
        );
        refuses(() => maxPool2d(ones(1, 1, 2, 4), 3), "SHAPE_MISMATCH", /found \[3, 3\]/);
        refuses(() => avgPool2d(ones(1, 1, 0, 4), 1), "SHAPE_MISMATCH", /at most \[0, 4\]/);
      });

      it("channels that do not agree", () => {
        refuses(() => conv2d(ones(1, 3, 4, 4), ones(2, 2, 3, 3)), "SHAPE_MISMATCH", /W.shape\[1\].*2 ≠ 3/);
        refuses(
          () => conv2d(ones(1, 3, 4, 4), ones(2, 3, 3, 3), undefined, { groups: 2 }),
          "BAD_ARGUMENT",
          /divides C = 3/,
        );
        refuses(() => conv2d(ones(1, 4, 4, 4), ones(3, 2, 3, 3), undefined, { groups: 2 }), "BAD_ARGUMENT", /Q = 3/);
        refuses(() => conv2d(ones(1, 4, 4, 4), ones(3, 4, 3, 3), undefined, { groups: 0 }), "BAD_ARGUMENT", /found 0/);
        refuses(() => conv2d(ones(1, 1, 4, 4), ones(2, 1, 3, 3), ones(3)), "SHAPE_MISMATCH", /b of shape \[2\]/);
      });

      it("operands of another rank or dtype", () => {
        refuses(() => conv2d(ones(1, 4, 4), ones(1, 1, 3, 3)), "SHAPE_MISMATCH", /x \[N, C, H, W\]/);
        refuses(() => conv1d(ones(1, 4, 4), ones(1, 4, 0)), "SHAPE_MISMATCH", /at least 1/);
        refuses(() => maxPool2d(ones(4, 4), 2), "SHAPE_MISMATCH", /x \[N, C, H, W\]/);
        const integers = device.ones([1, 1, 4, 4], { dtype: "int32" });
        refuses(() => conv2d(integers, ones(1, 1, 3, 3)), "DTYPE_MISMATCH", /one dtype/);
        refuses(() => conv2d(integers, integers), "DTYPE_MISMATCH", /floating/);
        refuses(() => maxPool2d(integers, 2), "DTYPE_MISMATCH", /floating/);
        integers.dispose();
      });

      it("options out of range", () => {
        const of = (options: object) => () => conv2d(ones(1, 1, 4, 4), ones(1, 1, 3, 3), undefined, options);
        refuses(of({ stride: 0 }), "BAD_ARGUMENT", /stride.*found 0/);
        refuses(of({ stride: [1, 2, 3] }), "BAD_ARGUMENT", /2 of them, found \[1,2,3\]/);
        refuses(of({ padding: -1 }), "BAD_ARGUMENT", /padding.*found -1/);
        refuses(of({ padding: 0.5 }), "BAD_ARGUMENT", /padding.*found 0.5/);
        refuses(of({ dilation: [1, 0] }), "BAD_ARGUMENT", /dilation/);
        refuses(() => maxPool2d(ones(1, 1, 4, 4), 0), "BAD_ARGUMENT", /kernel.*found 0/);
        refuses(() => maxPool2d(ones(1, 1, 4, 4), 2, { stride: [1, 0] }), "BAD_ARGUMENT", /stride/);
      });

      it("windows of nothing but padding", () => {
        refuses(
          () => maxPool2d(ones(1, 1, 4, 4), 2, { padding: [0, 2] }),
          "BAD_ARGUMENT",
          /window 0 of spatial axis 1/,
        );
      });
    });
  },
  { dtypes: ["float32"] },
);
