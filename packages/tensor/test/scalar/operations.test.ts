import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bodyFunctions, operation, operations, type OperationName } from "../../src/scalar/operations.js";

const names = Object.keys(operations) as OperationName[];
const special = [
  ...[0, 1, 0.5, 1.5, 2, 2.5, 3, 1e-7, 1e-300, 5e-324, 2 ** -1022, 1e20, 2 ** 31, 2 ** 53, 1.7976931348623157e308],
  ...[0.49999999999999994, 2251799813685249.5, Math.PI, 709.8, 745.2, Infinity],
].flatMap((u) => [u, -u]);
special.push(NaN);

function printed(name: OperationName, body: "js" | "jsInteger" = "js"): (...args: number[]) => number {
  const { arity, [body]: js } = operation(name);
  const parameters = ["a", "b", "c"].slice(0, arity);
  const make = new Function(...Object.keys(bodyFunctions), `return (${parameters}) => ${js!.print(...parameters)};`);
  return make(...Object.values(bodyFunctions)) as (...args: number[]) => number;
}

function* tuples(arity: number): Generator<number[]> {
  if (arity === 0) yield [];
  else for (const first of special) for (const rest of tuples(arity - 1)) yield [first, ...rest];
}

describe("operations", () => {
  it.each(names)("%s prints what it evaluates, on special values", (name) => {
    const { arity, js } = operation(name);
    const run = printed(name);
    for (const args of tuples(arity)) {
      // `Object.is` would tell NaNs and zeros apart as well: printing must not change either.
      if (!Object.is(run(...args), js.evaluate(...args))) {
        expect.fail(`${name}(${args.join(", ")}): printed ${run(...args)}, evaluated ${js.evaluate(...args)}`);
      }
    }
  });

  it.each(names.filter((name) => operation(name).jsInteger))(
    "%s prints its integer body as it evaluates it",
    (name) => {
      const { arity, jsInteger } = operation(name);
      const run = printed(name, "jsInteger");
      const integer = fc.oneof(
        fc.integer(),
        fc.nat(0xffffffff),
        fc.constantFrom(0, 1, -1, -(2 ** 31), 2 ** 31 - 1, 2 ** 32 - 1),
      );
      fc.assert(
        fc.property(fc.array(integer, { minLength: arity, maxLength: arity }), (args) => {
          expect(run(...args)).toBe(jsInteger!.evaluate(...args));
        }),
      );
    },
  );

  it.each(names)("%s has a derivative or a null for every operand", (name) => {
    expect(operation(name).derivative).toHaveLength(operation(name).arity);
  });

  it("gives tests the values 0 and 1 only", () => {
    for (const name of names.filter((n) => operation(n).result === "bool")) {
      const bits = name === "and" || name === "or" || name === "not";
      for (const args of tuples(operation(name).arity)) {
        const given = bits ? args.map((u) => (u > 0 ? 1 : 0)) : args;
        expect([0, 1]).toContain(operation(name).js.evaluate(...given));
      }
    }
  });
});

const evaluate = (name: OperationName, ...args: number[]) => operation(name).js.evaluate(...args);

describe("round", () => {
  it("takes halves to the even neighbour and keeps the sign of zero", () => {
    const halves = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5];
    expect(halves.map((u) => evaluate("round", u))).toEqual([-4, -2, -2, -0, 0, 2, 2, 4]);
    expect(evaluate("round", 0.49999999999999994)).toBe(0);
    expect(evaluate("round", 2251799813685249.5)).toBe(2251799813685250);
    expect(evaluate("round", -2251799813685248.5)).toBe(-2251799813685248);
  });
});

describe("remainder", () => {
  it("has the sign of the divisor and loses nothing to the rounding of the quotient", () => {
    expect(evaluate("remainder", 7, 3)).toBe(1);
    expect(evaluate("remainder", -7, 3)).toBe(2);
    expect(evaluate("remainder", 7, -3)).toBe(-2);
    expect(evaluate("remainder", -7, -3)).toBe(-1);
    // 10²⁰ = 3 · 33333333333333333333 + 1
    expect(evaluate("remainder", 1e20, 3)).toBe(Number(10n ** 20n % 3n));
    expect(evaluate("remainder", 5, Infinity)).toBe(5);
    expect(evaluate("remainder", 5, 0)).toBeNaN();
  });

  it("agrees with whole-number arithmetic", () => {
    const whole = fc.integer({ min: -(2 ** 53), max: 2 ** 53 });
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        fc.pre(b !== 0);
        const r = BigInt(a) % BigInt(b);
        const expected = r !== 0n && r < 0n !== b < 0 ? r + BigInt(b) : r;
        expect(evaluate("remainder", a, b)).toBe(Number(expected));
      }),
    );
  });
});

describe("logCosh", () => {
  it("keeps its relative accuracy near 0 and does not overflow", () => {
    // Series of ln cosh, accurate to 1e-16 relative below 0.2.
    const coefficients = [
      1 / 2,
      -1 / 12,
      1 / 45,
      -17 / 2520,
      31 / 14175,
      -691 / 935550,
      10922 / 42567525,
      -929569 / 10216206000,
    ];
    for (const u of [1e-160, 1e-8, 1e-3, 0.0099, 0.0101, 0.05, 0.1, 0.2]) {
      const series = coefficients.reduceRight((sum, c) => sum * u * u + c, 0) * u * u;
      expect(Math.abs(evaluate("logCosh", u) - series)).toBeLessThanOrEqual(8 * Number.EPSILON * series);
      expect(evaluate("logCosh", -u)).toBe(evaluate("logCosh", u));
    }
    expect(evaluate("logCosh", 1)).toBeCloseTo(0.4337808304830272, 15);
    expect(evaluate("logCosh", 2.0000001)).toBeCloseTo(evaluate("logCosh", 2) + 1e-7 * Math.tanh(2), 14);
    expect(evaluate("logCosh", 1e308)).toBe(1e308);
  });
});

describe("sigmoid and softplus", () => {
  it("keep their relative accuracy in the tails", () => {
    expect(evaluate("sigmoid", -700)).toBeCloseTo(Math.exp(-700), 310);
    expect(evaluate("sigmoid", -700) / Math.exp(-700)).toBeCloseTo(1, 14);
    expect(evaluate("softplus", -700) / Math.exp(-700)).toBeCloseTo(1, 14);
    expect(evaluate("softplus", 1000)).toBe(1000);
    expect(evaluate("sigmoid", 1000)).toBe(1);
  });
});

describe("NaN", () => {
  it("comes through every floating operation and every choice", () => {
    for (const name of ["maximum", "minimum", "add", "mul", "remainder", "div"] as const) {
      expect(evaluate(name, NaN, 1)).toBeNaN();
      expect(evaluate(name, 1, NaN)).toBeNaN();
    }
    for (const name of names.filter((n) => operation(n).arity === 1 && operation(n).result === "same")) {
      expect(evaluate(name, NaN), name).toBeNaN();
    }
    for (const at of [0, 1, 2]) expect(evaluate("clamp", ...[0, 1, 2].map((v, k) => (k === at ? NaN : v)))).toBeNaN();
  });
});
