import { capture, denseSamples } from "@robgrad/tensor";
import { expectClose, forEachDevice } from "@robgrad/tensor/testing";
import { describe, expect, it } from "vitest";
import { catoniGiulini, mEstimator } from "../src/index.js";
import { influence, rho, type FormulaOptions, type SymbolicInfluence } from "../src/symbolic.js";
import { influenceFunctions } from "./influence-functions.js";
import { randomRows } from "./random-rows.js";

const root2 = Math.SQRT2;
const c = 1.3998;

/** Influence functions by formulas of ψ and of ρ. */
const made: Readonly<Record<string, readonly [keyof typeof influenceFunctions, () => SymbolicInfluence]>> = {
  "ψ of Huber": ["huber", () => influence("max(-1.345, min(1.345, x))")],
  "ψ of Huber by `on`": ["huber", () => influence("x", { on: [-1.345, 1.345] })],
  "ψ of Huber as a choice": ["huber", () => influence("abs(x) <= 1.345 ? x : 1.345 sign(x)")],
  "ψ of log-cosh": ["log-cosh", () => influence("tanh(x)")],
  "ψ of log-cosh by sinh and cosh": ["log-cosh", () => influence("sinh(x) / cosh(x)")],
  "ψ of log-cosh by exponentials": ["log-cosh", () => influence("(e^x - e^-x) / (e^x + e^-x)")],
  "ψ of log-cosh by the logistic function": ["log-cosh", () => influence("2 exp(2x)/(1 + exp(2x)) - 1")],
  "ψ of pseudo-Huber": ["pseudo-huber", () => influence("x / sqrt(1 + x^2/2)")],
  "ψ of Fair": ["fair", () => influence(`x / (1 + abs(x)/${c})`)],
  "ψ of Catoni, wide": ["catoni-wide", () => influence("sign(x) log(1 + abs(x) + x^2/2)", { on: [-1e9, 1e9] })],
  "ψ of Catoni, narrow": ["catoni-narrow", () => influence("-sign(x) log(1 - abs(x) + x^2/2)", { on: [-1, 1] })],
  "ψ of Gudermann": ["gudermannian", () => influence("2 atan(tanh(x/2))")],
  "ψ of arctan": ["arctan", () => influence("atan(x)")],
  "ψ of Tukey": ["tukey", () => influence("x * (1 - (x/4.685)^2)^2", { on: [-4.685, 4.685], monotone: false })],
  "ρ of Huber": ["huber", () => rho("abs(x) <= 1.345 ? x^2/2 : 1.345 abs(x) - 1.345^2/2")],
  "ρ of log-cosh": ["log-cosh", () => rho("log(cosh(x))")],
  "ρ of pseudo-Huber": ["pseudo-huber", () => rho("2 (sqrt(1 + x^2/2) - 1)")],
  "ρ of Fair": ["fair", () => rho(`${c}^2 (abs(x)/${c} - log(1 + abs(x)/${c}))`)],
  "ρ of arctan": ["arctan", () => rho("x atan(x) - log(1 + x^2)/2")],
  "ρ of Tukey": ["tukey", () => rho("-(4.685^2/6) (1 - (x/4.685)^2)^3", { on: [-4.685, 4.685], monotone: false })],
};

const positive = [1e-3, 0.25, 0.5, 0.99, 1, 1.3, 1.5, 2, 3, 4, 4.6, 5, 8, 50, 1e4];
const grid = [...positive.map((u) => -u), 0, ...positive];

forEachDevice(({ device, dtype }) => {
  const precise = dtype === "float64";

  describe("a formula", () => {
    it.each(Object.entries(made))("is compiled to the function it writes: %s", async (_, [name, make]) => {
      const found = device.tensor(grid, { dtype }).map(make());
      await expectClose(found, grid.map(influenceFunctions[name]), {
        absolute: precise ? 1e-12 : 5e-6,
        relative: precise ? 1e-12 : 5e-6,
      });
    });

    it.each(Object.entries(made))("has a finite value wherever a residual can lie: %s", async (_, [name, make]) => {
      const psi = make();
      const [low, high] = await device.tensor([-1e30, 1e30], { dtype }).map(psi).data();
      expect(low).toBe(-high!);
      // At the end of `on` where that is.
      const last = name === "catoni-wide" ? influenceFunctions[name](1e9) : influenceFunctions[name](1e8);
      expect(high).toBeCloseTo(last, 5);
    });

    it("is the cubic of soft truncation, to the last digit", async () => {
      const psi = influence("x - x^3/6", { on: [-root2, root2] });
      const u = device.tensor(grid, { dtype });
      await expectClose(u.map(psi), [...(await u.map(catoniGiulini).data())], { absolute: precise ? 3e-16 : 2e-7 });
    });

    it("drives an M-estimator as the built-in function does, called and replayed", async () => {
      const samples = device.tensor(randomRows(15, 3, 2), { dtype });
      const own = mEstimator({ influence: rho("log(cosh(x))") });
      const expected = [...(await mEstimator({ influence: "log-cosh" })(denseSamples(samples)).data())];
      const close = { absolute: precise ? 1e-12 : 1e-6 };
      await expectClose(own(denseSamples(samples)), expected, close);
      const step = capture((rows) => own(denseSamples(rows)).mul(1));
      step(samples.mul(2));
      step(samples.mul(3));
      await expectClose(step(samples), expected, close);
      step.dispose();
    });
  });
});

/** Φ by its continued fraction is not needed here: ∫φ by Simpson's rule. */
const normal = (f: (z: number) => number, low: number, high: number): number => {
  const steps = 20_000;
  const h = (high - low) / steps;
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const z = low + i * h;
    total += ((i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * h * f(z) * Math.exp((-z * z) / 2)) / 3;
  }
  return total / Math.sqrt(2 * Math.PI);
};

describe("what is reported of a formula", () => {
  it("is Huber's closed form", () => {
    const k = 1.345;
    const inside = normal(() => 1, -k, k);
    const density = Math.exp((-k * k) / 2) / Math.sqrt(2 * Math.PI);
    const square = inside - 2 * k * density + k * k * (1 - inside);
    const { bound, monotone, grossErrorSensitivity, efficiency } = influence("x", { on: [-k, k] });
    expect(bound).toBe(k);
    expect(monotone).toBe(true);
    expect(grossErrorSensitivity).toBeCloseTo(k / inside, 6);
    expect(efficiency).toBeCloseTo(inside ** 2 / square, 6);
    // The constant is chosen for it.
    expect(efficiency).toBeCloseTo(0.95, 3);
  });

  it("is 95 % for Tukey's and Fair's constants, too", () => {
    expect(made["ψ of Tukey"]![1]().efficiency).toBeCloseTo(0.95, 3);
    expect(made["ψ of Fair"]![1]().efficiency).toBeCloseTo(0.95, 3);
  });

  it("is the integral of derivatives for a smooth function", () => {
    const slope = normal((z) => 1 - Math.tanh(z) ** 2, -12, 12);
    const square = normal((z) => Math.tanh(z) ** 2, -12, 12);
    const { bound, grossErrorSensitivity, efficiency, formula } = rho("log(cosh(x))");
    expect(bound).toBe(1);
    expect(grossErrorSensitivity).toBeCloseTo(1 / slope, 9);
    expect(efficiency).toBeCloseTo(slope ** 2 / square, 9);
    expect(formula).toBe("log(cosh(x))");
  });

  it("says that the mean is efficient and has no bound", () => {
    const { bound, grossErrorSensitivity, efficiency } = influence("x", { bounded: false });
    expect(bound).toBe(Infinity);
    expect(grossErrorSensitivity).toBe(Infinity);
    expect(efficiency).toBeCloseTo(1, 9);
  });

  it("says of a function that comes back that it is not monotone", () => {
    expect(made["ψ of Tukey"]![1]().monotone).toBe(false);
    expect(influence("x exp(-x^2/2)", { monotone: false }).bound).toBeCloseTo(Math.exp(-0.5), 4);
  });
});

describe("a formula that is no influence function", () => {
  it.each<readonly [string, FormulaOptions, string]>([
    ["x^2 + x", { on: [-9, 9] }, "an odd function, found ψ("],
    ["tanh(x) + 0.1", {}, "an odd function, found ψ(0) = 0.1 and ψ(0) = 0.1"],
    ["tanh(x) + 0.001 (1 - cos(x))", {}, "an odd function"],
    ["2 tanh(x)", {}, "ψ′(0) = 1, found 2; divide the formula by 2"],
    ["-tanh(x)", {}, "ψ′(0) = 1, found -1"],
    ["x", {}, "a bounded function, found that it grows; hold it: { on: [-a, a] }, or allow it: { bounded: false }"],
    ["x / (1 + x^2)", {}, "a function that never falls, found that it does; allow it: { monotone: false }"],
    ["sin(x)", {}, "a function that never falls"],
    ["sin(x) / x", {}, "a number at 0, found none or one beyond float32"],
    ["log(x)", {}, "a number at 0"],
    ["sinh(x)", {}, "values that settle before they leave float32"],
    ["x - x^3/6", {}, "values that settle before they leave float32"],
    ["sign(x) log(1 + abs(x) + x^2/2)", { bounded: false }, "hold the formula: { on: [-a, a] }"],
    ["tan(x)", { on: [-1.6, 1.6] }, "a function that never falls"],
    ["x + x^3 exp(x^2)", { on: [-20, 20] }, "finite values within float32 on [−20, 20], found none at ±"],
    ["x^3 (1/x - x^-2 atan(1/x)) 3", {}, "a number at 0"],
    ["(sqrt(1 + x^2) - abs(x)) x", { monotone: false }, "a form that keeps its digits in float32"],
  ])("%s %o is refused: %s", (formula, options, message) => {
    expect(() => influence(formula, options)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ["x", [1, -1]],
    ["x", [-1, 2]],
    ["x", [0, 0]],
    ["x", [NaN, NaN]],
    ["x", "[-1, 1]"],
  ])("%s on %o is refused", (formula, on) => {
    expect(() => influence(formula, { on: on as [number, number] })).toThrow(
      expect.objectContaining({
        code: "BAD_ARGUMENT",
        message: expect.stringContaining("influence: expected on to be [-a, a] with a > 0"),
      }),
    );
  });

  it.each(["max(x, -x)", "sign(x) x", "log1p(x^2)"])("rho refuses what mathjs cannot differentiate: %s", (formula) => {
    expect(() => rho(formula)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining("can differentiate") }),
    );
  });

  it("rho refuses a loss that is not even", () => {
    expect(() => rho("x^2/2 + x^3", { on: [-1, 1] })).toThrow("an odd function");
  });
});

describe("a hostile formula", () => {
  const ran: string[] = [];
  Object.assign(globalThis, { formulaRan: (text: string) => ran.push(text) });

  it.each([
    'import("node:fs")',
    "import({x: 1})",
    'evaluate("formulaRan(1)")',
    'parse("x")',
    "formulaRan(x)",
    "globalThis.formulaRan(x)",
    'cos.constructor("formulaRan(1)")()',
    "x.constructor",
    'x.constructor.constructor("formulaRan(1)")()',
    "constructor(x)",
    "toString(x)",
    "__proto__(x)",
    "hasOwnProperty(x)",
    "this",
    "y",
    "i",
    "Infinity",
    "NaN",
    "1e999 x",
    "x = 3",
    "x = 3; x",
    "tanh(x) = formulaRan(x)",
    "f(x) = x",
    '"x"',
    "[x, x]",
    "{ x: x }",
    "x[1]",
    "1:x",
    "5 cm",
    "x to cm",
    "x!",
    "x'",
    "x % 2",
    "x .* x",
    "x > 1",
    "(x > 1) + x",
    "x ? 1 : 2",
    "1 < x < 2",
    "x; x",
    "x\nx",
    "",
    "   ",
    "x +",
    "(x",
    "log(x, 2)",
    "max(x)",
    "createUnit(x)",
    "simplify(x)",
    "typed(x)",
    "map(x, tanh)",
    "tanh",
    "`x`",
    "x".repeat(2000),
    `${"(".repeat(450)}x${")".repeat(450)}`,
    Array.from({ length: 250 }, () => "x").join("+"),
  ])("is refused: %s", (formula) => {
    for (const make of [influence, rho]) {
      expect(() => make(formula, { on: [-1, 1] })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
    expect(ran).toEqual([]);
  });

  it.each([undefined, null, 3, { toString: () => "x" }, ["x"]])("of another type is refused: %s", (formula) => {
    expect(() => influence(formula as unknown as string)).toThrow("influence: expected a formula such as");
  });
});
