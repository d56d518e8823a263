import { denseSamples, openDevice, type Device, type Tensor } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { avgPool2d, conv1d, conv2d, maxPool2d, pad, sampleGradients, Variable } from "../src/index.js";
import { checkBackward, checkDoubleBackward, checkSampleGradients } from "../src/testing.js";
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
    expected.values.forEach((value, i) => expect(Math.abs((values[i] as number) - value)).toBeLessThan(100 * epsilon * scale));
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
