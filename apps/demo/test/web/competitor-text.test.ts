import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestFormula, readCompetitor, writeFormula, type FormulaText } from "../../src/web/competitor-text.js";

const length = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
const formulas: fc.Arbitrary<FormulaText> = fc
  .record({
    kind: fc.constantFrom("psi", "rho"),
    formula: fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/[\n\r\u2028\u2029]/.test(text)),
    on: fc.option(length),
    bounded: fc.boolean(),
    of: fc.constantFrom("coordinates", "norms"),
    scale: fc.oneof(fc.constant("mad" as const), length),
    group: fc.constantFrom("all", "layer", "parameter"),
  } as const)
  .filter(({ of, scale }) => of === "coordinates" || scale !== "mad");

describe("readCompetitor", () => {
  it("reads what writeFormula writes, whatever the formula", () => {
    fc.assert(
      fc.property(formulas, (formula) => {
        expect(readCompetitor(writeFormula(formula))).toEqual(formula);
      }),
    );
  });

  it("takes ψ of every coordinate in units of its median absolute deviation, bounded and everywhere, unless told", () => {
    expect(readCompetitor("psi(tanh(x))")).toEqual({
      kind: "psi",
      formula: "tanh(x)",
      on: null,
      bounded: true,
      of: "coordinates",
      scale: "mad",
      group: "all",
    });
  });

  it("reads a rule with its options", () => {
    expect(readCompetitor("norm-clip:maxNorm=2@layer")).toEqual({
      kind: "rule",
      rule: "norm-clip",
      options: { maxNorm: 2 },
      group: "layer",
    });
  });

  it.each([
    "psi()",
    "psi(x):on=0",
    "psi(x):on=-1",
    "psi(x):of=rows",
    "psi(x):bounded=maybe",
    "psi(x):of=norms,scale=mad",
    "psi(x):scale=iqr",
    "psi(x):colour=1",
    "psi(x):on",
    "norm-clip:maxNorm",
    "Norm Clip",
    `psi(${"x".repeat(longestFormula + 1)})`,
  ])("refuses %.40s", (text) => {
    expect(() => readCompetitor(text)).toThrowError(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });
});
