import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apply, constant, input, normalize, substitute, type Expression } from "../../src/scalar/expression.js";
import { differentiate } from "../../src/scalar/differentiate.js";
import { operation, operations, type OperationName } from "../../src/scalar/operations.js";
import { evaluate, sizeOfFormula } from "./evaluate.js";

/** Points of one operand, away from the kinks and poles of an operation. */
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const away = (from: number, ranges: readonly (readonly [number, number])[]) =>
  fc.oneof(...ranges.map(([low, high]) => between(from + low, from + high)));
const nonzero = away(0, [
  [-3, -0.1],
  [0.1, 3],
]);
const fraction = fc
  .tuple(fc.integer({ min: -3, max: 2 }), between(0.1, 0.4), fc.constantFrom(0, 0.5))
  .map(([n, f, half]) => n + f + half);

const domains: Partial<Record<OperationName, readonly fc.Arbitrary<number>[]>> = {
  div: [between(-3, 3), nonzero],
  pow: [between(0.2, 3), between(-2.5, 2.5)],
  remainder: [fraction, fc.constantFrom(1, -1)],
  maximum: [between(-3, -0.1), between(0.1, 3)],
  minimum: [between(0.1, 3), between(-3, -0.1)],
  abs: [nonzero],
  sign: [nonzero],
  floor: [fraction],
  ceil: [fraction],
  trunc: [fraction],
  round: [fraction],
  log: [between(0.1, 3)],
  log1p: [between(-0.8, 3)],
  sqrt: [between(0.1, 3)],
  reciprocal: [nonzero],
  tan: [between(-1.2, 1.2)],
  relu: [nonzero],
  where: [fc.constantFrom(0, 1), between(-3, 3), between(-3, 3)],
  clamp: [
    away(0, [
      [-3, -1.1],
      [-0.9, 0.9],
      [1.1, 3],
    ]),
    between(-1.05, -0.95),
    between(0.95, 1.05),
  ],
};

const differentiable = (Object.keys(operations) as OperationName[]).filter((name) => operation(name).result === "same");

function slope(f: (u: number) => number, at: number): number {
  const h = 1e-5 * Math.max(1, Math.abs(at));
  // Four-point rule: the error is of order h⁴.
  return (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / (12 * h);
}

function expectSlope(found: number, expected: number): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(expected)));
}

function partial(e: Expression, k: number, point: readonly number[]): number {
  return slope(
    (u) =>
      evaluate(
        e,
        point.map((v, i) => (i === k ? u : v)),
      ),
    point[k]!,
  );
}

describe("differentiate", () => {
  describe.each(differentiable)("%s", (name) => {
    const { arity } = operation(name);
    const e = apply(name, ...Array.from({ length: arity }, (_, k) => input(k)));
    const points = fc.tuple(...(domains[name] ?? Array.from({ length: arity }, () => between(-3, 3))));
    const operands =
      name === "where" ? [1, 2] : name === "remainder" ? [0] : Array.from({ length: arity }, (_, k) => k);

    it("agrees with central differences, and so does the second derivative", () => {
      fc.assert(
        fc.property(points, (point) => {
          for (const k of operands) {
            const first = differentiate(e, k);
            expectSlope(evaluate(first, point), partial(e, k, point));
            for (const j of operands) expectSlope(evaluate(differentiate(first, j), point), partial(first, j, point));
          }
        }),
      );
    });
  });

  it("differentiates the divisor of a remainder as −⌊a/b⌋", () => {
    const e = differentiate(apply("remainder", input(0), input(1)), 1);
    expect(evaluate(e, [7.5, 2])).toBe(-3);
    expect(evaluate(e, [-7.5, 2])).toBe(4);
  });

  it("takes the stated values at kinks", () => {
    const at = (name: OperationName, k: number, ...point: number[]) =>
      evaluate(differentiate(apply(name, ...point.map((_, i) => input(i))), k), point);
    expect(at("abs", 0, 0)).toBe(0);
    expect(at("relu", 0, 0)).toBe(0);
    expect([at("maximum", 0, 1, 1), at("maximum", 1, 1, 1), at("minimum", 0, 1, 1)]).toEqual([0.5, 0.5, 0.5]);
    expect([at("clamp", 0, -1, -1, 1), at("clamp", 0, 1, -1, 1)]).toEqual([1, 1]);
    expect(at("pow", 1, 0, 2)).toBe(0);
    expect(at("pow", 0, 0, 0)).toBe(0);
  });

  it("differentiates powers with constant exponents at zero and below", () => {
    const power = (exponent: number) => differentiate(apply("pow", input(0), constant(exponent)), 0);
    expect(evaluate(power(0), [0])).toBe(0);
    expect(evaluate(power(1), [0])).toBe(1);
    expect(evaluate(power(2), [-3])).toBe(-6);
    expect(evaluate(power(3), [-3])).toBe(27);
    expect(evaluate(power(-1), [-2])).toBe(-0.25);
    expect(evaluate(differentiate(power(3), 0), [-3])).toBe(-18);
    expect(evaluate(differentiate(power(1), 0), [0])).toBe(0);
  });

  /** Random nested formulas of two inputs, kept where every part is smooth. */
  const formulas = fc.letrec<{ e: Expression }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(input(0), input(1), constant(0.7), constant(-1), constant(2)),
      fc
        .tuple(
          fc.constantFrom(
            ...(["sin", "cos", "tanh", "sigmoid", "softplus", "atan", "logCosh", "square", "neg"] as const),
          ),
          tie("e"),
        )
        .map(([f, u]) => apply(f, u)),
      fc
        .tuple(fc.constantFrom(...(["add", "sub", "mul"] as const)), tie("e"), tie("e"))
        .map(([f, a, b]) => apply(f, a, b)),
      tie("e").map((u) => apply("div", u, apply("add", constant(2), apply("square", u)))),
      tie("e").map((u) => apply("log1p", apply("square", u))),
      tie("e").map((u) => apply("sqrt", apply("add", constant(1), apply("square", u)))),
      tie("e").map((u) => apply("where", apply("greater", input(0), constant(5)), u, apply("neg", u))),
    ),
  })).e;

  it("agrees with central differences on nested formulas, in both inputs and to second order", () => {
    fc.assert(
      fc.property(formulas, between(-1.5, 1.5), between(-1.5, 1.5), (e, a, b) => {
        for (const k of [0, 1]) {
          const first = differentiate(e, k);
          const scale = Math.max(1, Math.abs(evaluate(e, [a, b])));
          expect(Math.abs(evaluate(first, [a, b]) - partial(e, k, [a, b]))).toBeLessThanOrEqual(
            1e-6 * scale * Math.max(1, Math.abs(evaluate(first, [a, b]))),
          );
          const second = differentiate(first, 1 - k);
          const other = Math.max(1, Math.abs(evaluate(first, [a, b])));
          expect(Math.abs(evaluate(second, [a, b]) - partial(first, 1 - k, [a, b]))).toBeLessThanOrEqual(
            1e-5 * other * Math.max(1, Math.abs(evaluate(second, [a, b]))),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("grows linearly with the formula, where a tree would double at every level", () => {
    const chain = (depth: number) => {
      let e: Expression = input(0);
      for (let k = 0; k < depth; k++) e = apply("mul", apply("tanh", e), apply("sigmoid", e));
      return e;
    };
    const sizes = [50, 100, 200].map((depth) => sizeOfFormula(differentiate(chain(depth), 0)));
    expect(sizes[1]! / sizes[0]!).toBeLessThan(2.2);
    expect(sizes[2]! / sizes[1]!).toBeLessThan(2.2);
    const second = [25, 50, 100].map((depth) => sizeOfFormula(differentiate(differentiate(chain(depth), 0), 0)));
    expect(second[2]! / second[1]!).toBeLessThan(2.2);
  });

  it("is the constant 0 for an input the formula does not read or only rounds", () => {
    expect(differentiate(apply("sin", input(0)), 1)).toEqual(constant(0));
    expect(differentiate(apply("floor", input(0)), 0)).toEqual(constant(0));
    expect(differentiate(apply("add", apply("round", input(0)), input(1)), 0)).toEqual(constant(0));
  });
});

describe("apply", () => {
  const zero = constant(0);
  const values = [0, -0, 1, -1, 5e-324, NaN, Infinity, -Infinity];

  it.each(["add", "sub", "mul", "div", "pow"] as const)(
    "simplifies %s without changing any result, signs of zeros included",
    (name) => {
      for (const k of [0, -0, 1, -1, 2]) {
        for (const u of values) {
          // A power of 1 or 2 is a product, which is rounded once; Math.pow may be an ulp away elsewhere.
          const { js } = operation(name);
          expect(evaluate(apply(name, input(0), constant(k)), [u]), `${name}(${u}, ${k})`).toBe(js.evaluate(u, k));
          expect(evaluate(apply(name, constant(k), input(0)), [u]), `${name}(${k}, ${u})`).toBe(js.evaluate(k, u));
        }
      }
    },
  );

  it("leaves out what changes nothing", () => {
    expect(apply("sub", input(0), zero)).toBe(input(0));
    expect(apply("mul", constant(1), input(0))).toBe(input(0));
    expect(apply("div", input(0), constant(1))).toBe(input(0));
  });
});

describe("normalize", () => {
  it("gives formulas that differ in constants one key, and shared parts one node", () => {
    const u = apply("sin", input(0));
    const e = (k: number) => apply("mul", apply("add", u, constant(k)), u);
    expect(normalize(e(0.1)).key).toBe(normalize(e(12345.678)).key);
    expect(normalize(e(0.1)).constants).toEqual([0.1]);
    expect(normalize(e(1)).nodes).toHaveLength(5);
  });

  it("tells formulas apart that differ in structure", () => {
    const [a, b] = [input(0), input(1)];
    const keys = [
      apply("sub", a, b),
      apply("sub", b, a),
      apply("sub", a, a),
      apply("add", a, apply("mul", a, b)),
      apply("mul", apply("add", a, a), b),
      apply("add", a, constant(2)),
    ].map((e) => normalize(e).key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("counts inputs up to the largest index", () => {
    expect(normalize(apply("add", input(3), constant(1))).arity).toBe(4);
    expect(normalize(constant(1)).arity).toBe(0);
  });
});

describe("substitute", () => {
  it("replaces every input and keeps shared parts shared", () => {
    const u = apply("sin", input(0));
    const e = substitute(apply("mul", u, u), () => apply("cos", input(1)));
    expect(evaluate(e, [0, 0.3])).toBe(Math.sin(Math.cos(0.3)) ** 2);
    expect(sizeOfFormula(e)).toBe(4);
  });
});
