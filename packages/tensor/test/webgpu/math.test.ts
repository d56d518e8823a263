import { afterAll, describe, expect, it } from "vitest";
import { generator, type Device, type Tensor } from "@robgrad/tensor";
import { shaderFunctions } from "../../src/device/webgpu/math.js";
import { bodyFunctions } from "../../src/scalar/operations.js";
import { openWebGpu } from "./open-web-gpu.js";

const opened = await openWebGpu();
afterAll(() => opened?.dispose());

/** Every exponent and sign with random digits, the ranges networks live in, and the edges. */
function samples(seed: number): Float32Array {
  const edges = [
    0,
    -0,
    Infinity,
    -Infinity,
    NaN,
    1,
    -1,
    0.5,
    2,
    Math.PI,
    Math.PI / 2,
    88.7,
    89,
    -87.3,
    -103.9,
    1e22,
    3.4028234e38,
  ];
  const g = generator(seed);
  const any = new Float32Array(new Uint32Array(g.bits(16384)).buffer);
  const near = [0.1, 1, 10, 100, 1e5].flatMap((size) =>
    Array.from(g.uniform([4096], { low: -size, high: size }).values),
  );
  // WGSL lets numbers below 2⁻¹²⁶ count as 0.
  return Float32Array.from([...edges, ...any, ...near], (v) => (Math.abs(v) < 2 ** -126 ? 0 : v));
}

/** Distance in units of the last place of float32, where results below 2⁻¹²⁶ count as 0. */
function distance(actual: number, expected: number): number {
  if (Object.is(actual, expected) || actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  if (Math.abs(expected) >= 3.4028235677973366e38) return actual === Math.sign(expected) * Infinity ? 0 : Infinity;
  const size = Math.abs(expected);
  if (size < 2 ** -126 && Math.abs(actual) <= 2 ** -126) return 0;
  const exponent = size === 0 ? -126 : Math.max(-126, Math.floor(Math.log2(size)));
  const value = Math.abs(actual) === Infinity ? Math.sign(actual) * 2 ** 128 : actual;
  return Math.abs(value - expected) / 2 ** (exponent - 23);
}

function expectWithin(
  ulps: number,
  inputs: readonly Float32Array[],
  actual: ArrayLike<number>,
  f: (...v: number[]) => number,
) {
  let largest = 0;
  let at = "";
  for (let i = 0; i < actual.length; i++) {
    const args = inputs.map((x) => x[i] as number);
    const error = distance(actual[i] as number, f(...args));
    if (!(error <= largest)) {
      largest = Number.isNaN(error) ? Infinity : error;
      at = `${args.join(", ")}: ${actual[i]} instead of ${f(...args)}`;
    }
  }
  expect(largest, at).toBeLessThanOrEqual(ulps);
}

const functions = {
  exp: ["exp_of", Math.exp],
  expm1: ["expm1_of", Math.expm1],
  log: ["log_of", Math.log],
  log1p: ["log1p_of", Math.log1p],
  sin: ["sin_of", Math.sin],
  cos: ["cos_of", Math.cos],
  tan: ["tan_of", Math.tan],
  atan: ["atan_of", Math.atan],
  sinh: ["sinh_of", Math.sinh],
  cosh: ["cosh_of", Math.cosh],
  tanh: ["tanh_of", Math.tanh],
  sigmoid: ["sigmoid_of", bodyFunctions.sigmoid],
  softplus: ["softplus_of", bodyFunctions.softplus],
  logCosh: ["log_cosh_of", bodyFunctions.logCosh],
} as const;

describe.skipIf(opened === null)("functions in WGSL", () => {
  const device = opened as Device;
  const tensor = (values: Float32Array) => device.tensor(values, { allowNonFinite: true });

  it.each(Object.keys(functions) as (keyof typeof functions)[])("%s is as close as stated", async (name) => {
    const [text, f] = functions[name];
    const x = samples(1);
    const found = await (tensor(x)[name] as () => Tensor).call(tensor(x)).data();
    expectWithin(shaderFunctions[text].ulps, [x], found, f);
  });

  it.each([
    ["pow", shaderFunctions.power.ulps, Math.pow],
    ["remainder", shaderFunctions.remainder_of.ulps, bodyFunctions.remainder],
  ] as const)("%s is as close as stated", async (name, ulps, f) => {
    const g = generator(3);
    const modest = (low: number, high: number) => g.uniform([20000], { low, high }).values;
    const pairs = [
      // The remainder of a divisor near 2⁻¹²⁶ may count as 0.
      [samples(4), samples(5).map((v) => (Math.abs(v) < 2 ** -100 ? 1 : v))],
      [Float32Array.from(modest(0, 20)), Float32Array.from(modest(-20, 20))],
      [Float32Array.from(modest(-20, 20)), Float32Array.from(modest(-20, 20), Math.round)],
      [Float32Array.from(modest(0.99, 1.01)), Float32Array.from(modest(-5000, 5000))],
    ] as const;
    for (const [x, y] of pairs) {
      expectWithin(ulps, [x, y], await tensor(x)[name](tensor(y)).data(), f);
    }
  });
});
