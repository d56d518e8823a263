import { describe, expect, it } from "vitest";
import type { Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { apply, constant, input, type Expression, type View } from "../../src/kernels.js";
import { empty } from "../../src/ops/creation.js";
import { hostArray, nested } from "../reference.js";

const viewOf = ({ storage, dtype, shape, strides, offset }: Tensor): View => ({
  storage,
  dtype,
  shape,
  strides,
  offset,
});

describe("kernels", () => {
  forEachDevice(({ device, dtype, epsilon }) => {
    const close = { relative: 4 * epsilon };

    it("map coordinates beside elements, into part of a storage", async () => {
      const out = device.zeros([4, 5], { dtype });
      const place = out.slice([1, 3], [1, 4]);
      const x = device.tensor([10, 20, 30], { dtype }).broadcastTo([2, 3]);
      const f = apply("add", apply("mul", input(1), constant(100)), apply("sub", input(0), input(2)));
      device.run({ form: "map", out: viewOf(place), f, operands: [x, { axis: 0 }, { axis: 1 }] });
      await expectClose(out, [
        [0, 0, 0, 0, 0],
        [0, 10, 19, 28, 0],
        [0, 110, 119, 128, 0],
        [0, 0, 0, 0, 0],
      ]);
    });

    it("map more operands than a number can tell apart", async () => {
      const count = 17;
      let f: Expression = constant(0);
      for (let k = 0; k < count; k++) f = apply("add", apply("mul", f, constant(2)), input(k));
      const operands = Array.from({ length: count }, (_, k) => device.full([2, 3], k, { dtype }));
      const expected = operands.reduce((sum, _, k) => 2 * sum + k, 0);
      const dense = empty(device, dtype, [2, 3]);
      device.run({ form: "map", out: dense, f, operands });
      const strided = empty(device, dtype, [3, 2]);
      device.run({ form: "map", out: strided, f, operands: operands.map((x) => x.transpose()) });
      for (const out of [dense, strided]) await expectClose(out, nested(hostArray(out.shape, () => expected)), close);
    });

    it("reduce a formula of coordinates, followed by an epilogue", async () => {
      const x = device.tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { dtype },
      );
      const out = empty(device, dtype, [3]);
      device.run({
        form: "reduce",
        out,
        shape: [2, 3],
        axes: [0],
        monoid: "sum",
        f: apply("mul", input(0), apply("add", input(1), constant(1))),
        epilogue: apply("sub", apply("mul", input(0), constant(10)), constant(3)),
        operands: [x, { axis: 0 }],
      });
      await expectClose(
        out,
        [1 + 2 * 4, 2 + 2 * 5, 3 + 2 * 6].map((v) => 10 * v - 3),
        close,
      );
    });

    it("contract batches with an epilogue of operands that repeat", async () => {
      const a = device.arange(2 * 3 * 4, { dtype }).reshape([2, 3, 4]);
      const b = device
        .arange(2 * 4 * 5, { dtype })
        .reshape([2, 5, 4])
        .transpose();
      const bias = device.tensor([1, -2, 3, -4, 5], { dtype }).broadcastTo([2, 3, 5]);
      const scale = device.tensor([[[2]], [[-1]]], { dtype }).broadcastTo([2, 3, 5]);
      const out = empty(device, dtype, [2, 3, 5]);
      const epilogue = apply("maximum", apply("mul", apply("add", input(0), input(1)), input(2)), constant(-100));
      device.run({ form: "contract", out, a, b, epilogue, operands: [bias, scale] });
      const [p, q] = [await a.data(), await b.copy().data()];
      const expected = hostArray([2, 3, 5], ([i, m, n]) => {
        let sum = 0;
        for (let k = 0; k < 4; k++) sum += p[(i! * 3 + m!) * 4 + k]! * q[(i! * 4 + k) * 5 + n!]!;
        return Math.max(-100, (sum + [1, -2, 3, -4, 5][n!]!) * [2, -1][i!]!);
      });
      await expectClose(out, nested(expected), close);
    });

    it("do nothing where there is nothing to do", async () => {
      const out = empty(device, dtype, [0, 3]);
      device.run({ form: "map", out, f: input(0), operands: [device.zeros([0, 3], { dtype })] });
      const sums = empty(device, dtype, [3]);
      const operands = [device.zeros([0, 3], { dtype })];
      device.run({
        form: "reduce",
        out: sums,
        shape: [0, 3],
        axes: [0],
        monoid: "sum",
        f: input(0),
        epilogue: null,
        operands,
      });
      expect(out.size).toBe(0);
      await expectClose(sums, [0, 0, 0]);
    });
  });
});
