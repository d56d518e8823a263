import { describe, expect, it } from "vitest";
import { ModuleBuilder, type Code, type FunctionBody } from "../../src/device/wasm/assembler.js";
import { laneFunctions, power, remainder, type LaneFunctionName } from "../../src/device/wasm/math.js";
import { generator } from "@robgrad/tensor";
import { bodyFunctions, operation } from "../../src/scalar/operations.js";

type Width = "float32" | "float64";

const capacity = 1 << 16;

/** Runs code on every number of `values`, lane by lane through memory. */
function onLanes(
  width: Width,
  values: readonly Float64Array[],
  body: (f: FunctionBody, args: readonly Code[]) => Code,
): Float64Array {
  const Numbers = width === "float32" ? Float32Array : Float64Array;
  const bytes = capacity * Numbers.BYTES_PER_ELEMENT;
  const memory = new WebAssembly.Memory({ initial: (3 * bytes) / 65536 });
  const module = new ModuleBuilder();
  const run = module.function(["i32"], [], (f, p) => {
    f.repeat(capacity / (16 / Numbers.BYTES_PER_ELEMENT), () => {
      const args = values.map((_, k) => f.let("v128", (g) => g.load("v128.load", { base: p.get, offset: k * bytes })));
      const result = f.let("v128", body(f, args));
      f.store("v128.store", { base: p.get, offset: 2 * bytes }, result);
      f.advance(p, 16);
    });
  });
  module.export("run", run);
  const code = module.finish();
  expect(WebAssembly.validate(code)).toBe(true);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    host: { memory, sin: Math.sin, cos: Math.cos, tan: Math.tan, pow: Math.pow, remainder: bodyFunctions.remainder },
  });
  const result = new Float64Array((values[0] as Float64Array).length);
  for (let start = 0; start < result.length; start += capacity) {
    values.forEach((v, k) => new Numbers(memory.buffer, k * bytes, capacity).set(v.subarray(start, start + capacity)));
    (exports["run"] as (p: number) => void)(0);
    result.set(new Numbers(memory.buffer, 2 * bytes, Math.min(capacity, result.length - start)), start);
  }
  return result;
}

/** Every exponent and sign with random digits, the ranges networks live in, and the edges. */
function samples(width: Width, seed: number): Float64Array {
  const edges = [
    0,
    -0,
    Infinity,
    -Infinity,
    NaN,
    1,
    -1,
    0.5,
    -0.5,
    2,
    Math.PI,
    Math.PI / 2,
    709.7,
    710.4,
    -745,
    88.7,
    89,
    -103.9,
    -87.3,
    1e22,
    22,
    1e-310,
    -1e-310,
    1e-40,
    Number.MIN_VALUE,
    2 ** -149,
    3.4028234e38,
    Number.MAX_VALUE,
  ];
  const g = generator(seed);
  const bits = g.bits(2 * capacity);
  const any = new Float64Array(new Uint32Array(bits).buffer);
  const single = new Float32Array(new Uint32Array(bits).buffer);
  const near = [0.1, 1, 10, 100, 700, 1e5].flatMap((size) =>
    Array.from(g.uniform([20000], { low: -size, high: size }).values),
  );
  const all = [...edges, ...(width === "float32" ? single : any), ...near];
  return width === "float32" ? Float64Array.from(Float32Array.from(all)) : Float64Array.from(all);
}

/** Distance in units of the last place of `width` at the expected value. */
function distance(width: Width, actual: number, expected: number): number {
  if (Object.is(actual, expected) || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  const digits = width === "float32" ? 23 : 52;
  const least = width === "float32" ? -126 : -1022;
  const largest = width === "float32" ? 3.4028235677973366e38 : Infinity;
  if (Math.abs(expected) >= largest) return actual === Math.sign(expected) * Infinity ? 0 : Infinity;
  const size = Math.abs(expected);
  const exponent = size === 0 ? least : Math.max(least, Math.floor(Math.log2(size)));
  // The last finite number and infinity are neighbours.
  const value =
    Math.abs(actual) === Infinity ? Math.sign(actual) * (width === "float32" ? 2 ** 128 : Number.MAX_VALUE) : actual;
  return Math.abs(value - expected) / 2 ** (exponent - digits);
}

function worst(
  width: Width,
  inputs: readonly Float64Array[],
  actual: Float64Array,
  reference: (...args: number[]) => number,
) {
  let largest = 0;
  let at = "";
  actual.forEach((value, i) => {
    const args = inputs.map((x) => x[i] as number);
    const expected = reference(...args);
    const error = distance(width, value, expected);
    if (error > largest || Number.isNaN(error)) {
      largest = Number.isNaN(error) ? Infinity : error;
      at = `${args.join(", ")}: ${value} instead of ${expected}`;
    }
  });
  return { largest, at };
}

for (const width of ["float32", "float64"] as const) {
  describe(`lane functions in ${width}`, () => {
    it.each(Object.keys(laneFunctions) as LaneFunctionName[])(
      "%s stays within its stated error on every argument",
      (name) => {
        const record = laneFunctions[name];
        const x = samples(width, 5);
        const actual = onLanes(width, [x], (f, [u]) => record[width](f, u as Code));
        const reference = operation(name).js.evaluate as (u: number) => number;
        const { largest, at } = worst(width, [x], actual, reference);
        if (globalThis.process?.env["ROBGRAD_ULPS"]) console.log(width, name, largest.toFixed(3), at);
        expect(largest, at).toBeLessThanOrEqual(record.ulps[width]);
      },
    );

    it("remainder is that of the scalar table", () => {
      const special = [0, -0, 1, -1, 3, -3, 0.1, -0.7, 1e10, -1e10, 1e-20, Infinity, -Infinity, NaN];
      const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
      const g = generator(3);
      const narrow = (values: readonly number[]) =>
        width === "float32" ? Float64Array.from(Float32Array.from(values)) : Float64Array.from(values);
      const x = narrow([...pairs.map(([a]) => a), ...g.uniform([20000], { low: -1e6, high: 1e6 }).values]);
      const y = narrow([...pairs.map(([, b]) => b), ...g.uniform([20000], { low: -5, high: 5 }).values]);
      const actual = onLanes(width, [x, y], (f, [a, b]) => remainder(f, width === "float64", a as Code, b as Code));
      const { largest, at } = worst(width, [x, y], actual, bodyFunctions.remainder);
      expect(largest, at).toBeLessThanOrEqual(0.51);
    });

    it("pow has the edges of Math.pow", () => {
      const special = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, 1.5, -3, Infinity, -Infinity, NaN, 7, 100, -101];
      const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
      const g = generator(2);
      const bases = g.uniform([30000], { low: 0, high: 50 }).values;
      const exponents = g.uniform([30000], { low: -20, high: 20 }).values;
      const narrow = (values: number[]) =>
        width === "float32" ? Float64Array.from(Float32Array.from(values)) : Float64Array.from(values);
      const x = narrow([...pairs.map(([a]) => a), ...bases]);
      const y = narrow([...pairs.map(([, b]) => b), ...exponents]);
      const actual = onLanes(width, [x, y], (f, [a, b]) => power(f, width === "float64", a as Code, b as Code));
      const { largest, at } = worst(width, [x, y], actual, Math.pow);
      expect(largest, at).toBeLessThanOrEqual(width === "float32" ? 0.51 : 0);
    });
  });
}
