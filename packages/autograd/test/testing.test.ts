import { denseSamples, type Tensor, type Device } from "@robgrad/tensor";
import { forEachDevice } from "@robgrad/tensor/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { FunctionNode, type Variable } from "../src/index.js";
import {
  checkBackward,
  checkDoubleBackward,
  checkOnDevice,
  checkSampleGradients,
  checkTangent,
} from "../src/testing.js";
import { draw } from "./draw.js";

let device: Device;

/** y = x², with a wrong gradient in element [1, 2]. */
class WrongFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainInputs(0);
    return [x.square()];
  }
  backward([gy]: readonly [Variable]) {
    const wrong = device.tensor(
      [
        [0, 0, 0],
        [0, 0, 1],
      ],
      { dtype: "float64" },
    );
    return [() => gy.mul(this.retained(0)).mul(2).add(wrong)];
  }
}

/** y = x³ with a right gradient that does not know it depends on x. */
class DetachedFunction extends FunctionNode {
  forward([x]: readonly [Tensor]) {
    this.retainInputs(0);
    return [x.pow(3)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.retained(0).detach().square().mul(3))];
  }
}

/** y = x · w, with rows in the wrong order. */
class SwappedFunction extends FunctionNode {
  forward([x, w]: readonly [Tensor, Tensor]) {
    this.retainInputs(0, 1);
    return [x.mul(w)];
  }
  backward([gy]: readonly [Variable]) {
    return [() => gy.mul(this.retained(1)), () => gy.mul(this.retained(0)).sum({ axis: 0 })];
  }
  override backwardSamples([gy]: readonly [Variable]) {
    const rows = gy.value.mul(this.retained(0).value);
    return [null, () => denseSamples(rows.gather(device.tensor(Int32Array.of(1, 0, 2))))];
  }
}

type Fault = "tangent in x" | "tangent in z" | "backward in z" | "double backward in y" | "row 1 of w";

/**
 * [N, D] = x · y + z · w, w shared by all samples; one planted fault at a time.
 */
class PlantedFunction extends FunctionNode {
  readonly #fault: Fault | null;

  constructor(fault: Fault | null) {
    super();
    this.#fault = fault;
  }

  forward([x, y, z, w]: readonly [Tensor, Tensor, Tensor, Tensor]) {
    this.retainInputs(0, 1, 2, 3);
    return [x.mul(y).add(z.mul(w))];
  }

  override forwardTangent([dx, dy, dz, dw]: readonly (Tensor | null)[]) {
    const [x, y, z, w] = [0, 1, 2, 3].map((k) => this.retained(k).value) as [Tensor, Tensor, Tensor, Tensor];
    const terms = [dx?.mul(y), dy?.mul(x), dz?.mul(w), dw && z.mul(dw)];
    if (this.#fault === "tangent in x") terms[0] = terms[0]?.mul(2);
    if (this.#fault === "tangent in z") terms[2] = terms[2]?.add(bump([3, 2], [2, 1]));
    return [terms.filter((term) => term instanceof Object).reduce((a, b) => (a as Tensor).add(b as Tensor)) as Tensor];
  }

  backward([gy]: readonly [Variable]) {
    const [x, y, z, w] = [0, 1, 2, 3].map((k) => this.retained(k)) as [Variable, Variable, Variable, Variable];
    return [
      () => gy.mul(this.#fault === "double backward in y" ? y.detach() : y),
      () => gy.mul(x),
      () => (this.#fault === "backward in z" ? gy.mul(w).add(bump([3, 2], [1, 0])) : gy.mul(w)),
      () => gy.mul(z).sum({ axis: 0 }),
    ];
  }

  override backwardSamples([gy]: readonly [Variable]) {
    const rows = gy.value.mul(this.retained(2).value);
    if (this.#fault === "row 1 of w") return [null, null, null, () => denseSamples(rows.add(bump([3, 2], [1, 1])))];
    return [null, null, null, () => denseSamples(rows)];
  }
}

/** 1 at one place, 0 elsewhere. */
const bump = (shape: readonly [number, number], [i, j]: readonly [number, number]) => {
  const values = new Float64Array(shape[0] * shape[1]);
  values[i * shape[1] + j] = 1;
  return device.tensor(values, { shape });
};

const apply = (node: FunctionNode, ...inputs: (Variable | Tensor)[]) => node.apply(...inputs)[0] as Variable;

forEachDevice(
  (on) => {
    device = on.device;
    beforeAll(() => void (device = on.device));

    describe("checkBackward", () => {
      it("accepts a right gradient", async () => {
        await checkBackward((x, y) => x.mul(y).sin(), [draw(device, [2, 3], 0), draw(device, [3], 1)]);
      });

      it("takes integer inputs as constants", async () => {
        await checkBackward((x, at) => x.gather(at), [draw(device, [3], 0), device.tensor(Int32Array.of(2, 0))]);
      });

      it("tells expected, found, input, direction and worst element of a wrong one", async () => {
        await expect(
          checkBackward((x) => apply(new WrongFunction(), x), [draw(device, [2, 3], 0)]),
        ).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringMatching(
            /^checkBackward: expected the directional derivative -?[\d.e-]+ \(central difference, step 0.00001\), found -?[\d.e-]+ from backward, in input 0 \(float64 \[2, 3\]\) along direction 1 of 3 \(seed 0\); worst element \[1, 2\]: expected -?[\d.e-]+, found -?[\d.e-]+$/,
          ),
        });
      });

      it("refuses float32, which has too few digits", async () => {
        await expect(checkBackward((x) => x.sin(), [device.ones([2])])).rejects.toMatchObject({
          code: "DTYPE_MISMATCH",
        });
        await expect(checkBackward((x) => x, [device.ones([2], { dtype: "int32" })])).rejects.toMatchObject({
          code: "BAD_ARGUMENT",
        });
      });
    });

    describe("checkDoubleBackward", () => {
      it("accepts right second derivatives", async () => {
        await checkDoubleBackward(
          (x, y) => x.div(y).exp(),
          [draw(device, [3], 0), device.tensor([1, 2, 3], { dtype: "float64" })],
        );
      });

      it("finds a gradient that is right but forgets what it depends on", async () => {
        const x = [draw(device, [3], 0)];
        await checkBackward((x) => apply(new DetachedFunction(), x), x);
        await expect(checkDoubleBackward((x) => apply(new DetachedFunction(), x), x)).rejects.toMatchObject({
          code: "BAD_PLUGIN",
        });
      });
    });

    describe("checkSampleGradients", () => {
      const x = () => draw(device, [3, 2], 0);

      it("accepts rows that are the gradients of single losses", async () => {
        await checkSampleGradients((w) => w.mul(x()).sum({ axis: 1 }), [draw(device, [2], 1)]);
      });

      it("finds rows in the wrong order, though their sum is right", async () => {
        await expect(
          checkSampleGradients((w) => apply(new SwappedFunction(), x(), w).sum({ axis: 1 }), [draw(device, [2], 1)]),
        ).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringMatching(
            /^checkSampleGradients: expected row [01] of parameter 0 \(float64 \[2\]\) to be -?[\d.e-]+ at element \[[01]\], found -?[\d.e-]+; wrong are row 0, row 1$/,
          ),
        });
      });
    });

    describe("a planted fault", () => {
      const shapes = [[3, 2], [3, 2], [3, 2], [2]] as const;
      const inputs = () => shapes.map((shape, k) => draw(device, shape, k));
      const f =
        (fault: Fault | null) =>
        (...xs: Variable[]) =>
          apply(new PlantedFunction(fault), ...xs);
      const samples = (fault: Fault | null) => {
        const [x, y, z, w] = inputs() as [Tensor, Tensor, Tensor, Tensor];
        const losses = (w: Variable) => apply(new PlantedFunction(fault), x, y, z, w).sum({ axis: 1 });
        return checkSampleGradients(losses, [w]);
      };
      /** The names of the checks that reject, with their messages. */
      const found = async (fault: Fault | null) => {
        const checks = {
          backward: () => checkBackward(f(fault), inputs()),
          double: () => checkDoubleBackward(f(fault), inputs()),
          tangent: () => checkTangent(f(fault), inputs()),
          samples: () => samples(fault),
        };
        const messages: Record<string, string> = {};
        for (const [name, run] of Object.entries(checks)) {
          await run().catch((error: Error) => (messages[name] = error.message));
        }
        return messages;
      };

      it("is absent where all four accept", async () => {
        expect(await found(null)).toEqual({});
      });

      it("in the tangent of an input is named by checkTangent alone", async () => {
        expect(await found("tangent in x")).toEqual({
          tangent: expect.stringMatching(
            /^checkTangent: expected the tangent -?[\d.e-]+ \(central difference, step 0.00001\), found -?[\d.e-]+ from forward mode, in input 0 \(float64 \[3, 2\]\) along direction 1 of 3 \(seed 0\); worst element \[\d, \d\] of the result$/,
          ),
        });
        expect(await found("tangent in z")).toEqual({
          tangent: expect.stringMatching(/in input 2 \(float64 \[3, 2\]\) .*; worst element \[2, 1\] of the result$/),
        });
      });

      it("in the backward of input 2 is named by the checks of backward", async () => {
        const { backward, tangent, double } = await found("backward in z");
        expect(backward).toMatch(
          /^checkBackward: expected the directional derivative .*, found .* from backward, in input 2 \(float64 \[3, 2\]\) along direction 1 of 3 \(seed 0\); worst element \[1, 0\]: expected/,
        );
        expect(tangent).toBeUndefined();
        expect(double).toBeUndefined();
      });

      it("in a double backward is named by checkDoubleBackward, with the input that is forgotten", async () => {
        expect(await found("double backward in y")).toEqual({
          double: expect.stringMatching(
            /^checkDoubleBackward: .* in input 1 \(float64 \[3, 2\]\) along direction 1 of 3/,
          ),
        });
      });

      it("in one row is named by checkSampleGradients", async () => {
        expect(await found("row 1 of w")).toEqual({
          samples: expect.stringMatching(
            /^checkSampleGradients: expected row 1 of parameter 0 \(float64 \[2\]\) to be -?[\d.e-]+ at element \[1\], found -?[\d.e-]+; wrong are row 1, the sum of rows$/,
          ),
        });
      });
    });
  },
  { dtypes: ["float64"] },
);

forEachDevice(
  ({ device }) => {
    describe("checkOnDevice", () => {
      const x = () => draw(device, [3, 2], 0, "float32");
      /** y = x w, times 1.001 in float32 where `wrong` says so. */
      const off = (dtype: string, wrong: boolean) => (wrong && dtype === "float32" ? 1.001 : 1);

      class ScaledFunction extends FunctionNode {
        readonly #wrong: "value" | "gradient" | "rows" | null;
        constructor(wrong: "value" | "gradient" | "rows" | null) {
          super();
          this.#wrong = wrong;
        }
        forward([x, w]: readonly [Tensor, Tensor]) {
          this.retainInputs(0, 1);
          return [x.mul(w).mul(off(x.dtype, this.#wrong === "value"))];
        }
        backward([gy]: readonly [Variable]) {
          const by = off(gy.dtype, this.#wrong === "gradient");
          return [() => gy.mul(this.retained(1)), () => gy.mul(this.retained(0)).sum({ axis: 0 }).mul(by)];
        }
        override backwardSamples([gy]: readonly [Variable]) {
          const by = off(gy.dtype, this.#wrong === "rows");
          return [null, () => denseSamples(gy.value.mul(this.retained(0).value).mul(by))];
        }
      }
      const check = (wrong: "value" | "gradient" | "rows" | null) =>
        checkOnDevice(
          device,
          (w, x) => apply(new ScaledFunction(wrong), x as Variable, w as Variable).sum({ axis: 1 }),
          [draw(device, [2], 1, "float32")],
          { constants: [x()], samples: true },
        );

      it("accepts a node that computes the same in float32", async () => {
        await check(null);
      });

      it.each([
        ["value", "value"],
        ["gradient", "gradient of input 0"],
        ["rows", "per-sample gradients of input 0"],
      ] as const)("finds a wrong %s", async (wrong, name) => {
        await expect(check(wrong)).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringMatching(
            new RegExp(
              `^checkOnDevice \\(${device.name}, called\\): expected ${name} \\[\\d\\] to be .* at element 0, found`,
            ),
          ),
        });
      });

      it("finds a recording that does something else", async () => {
        let calls = 0;
        const changing = (x: Variable) => x.mul(calls++ < 2 ? 1 : 2);
        await expect(checkOnDevice(device, changing, [x()])).rejects.toMatchObject({
          code: "BAD_PLUGIN",
          message: expect.stringContaining(`${device.name}, replayed): expected value`),
        });
        calls = 0;
        await checkOnDevice(device, changing, [x()], { captured: false });
      });
    });
  },
  { dtypes: ["float32"] },
);
