/**
 * Influence functions by formula. Needs the optional peer mathjs.
 *
 * @module
 */

import { Scalar } from "@robgrad/tensor";
import { apply, constant, input, substitute, type Expression } from "@robgrad/tensor/kernels";
import { checkOption } from "./option.js";
import { characteristics, type Characteristics } from "./symbolic/characteristics.js";
import { derivative } from "./symbolic/derivative.js";
import { parseFormula } from "./symbolic/formula.js";
import { reach, refused } from "./symbolic/reach.js";
import { toExpression } from "./symbolic/to-expression.js";

export type { Characteristics } from "./symbolic/characteristics.js";

/** Where a formula holds, and which of the usual demands it may miss. */
export interface FormulaOptions {
  /** [−a, a]: beyond, ψ keeps the value that it has at the nearer end. Everywhere unless given. */
  readonly on?: readonly [number, number];
  /** False lets ψ grow without bound: a far sample then moves the estimate as far as it likes. */
  readonly bounded?: boolean;
  /** False lets ψ come back: Σψ = 0 then has more than one solution. */
  readonly monotone?: boolean;
}

/** An influence function made of a formula, for `mEstimator`, `map` and columns, with what is known of it. */
export interface SymbolicInfluence extends Characteristics {
  (u: Scalar): Scalar;
  /** The text that it was made of. */
  readonly formula: string;
}

/**
 * An influence function from its formula.
 *
 *   ψ(u) = formula at x = clamp(u, on)
 *
 * The formula is read by mathjs, may hold numbers, x, pi, e, + − * / ^, usual functions and `test ? a : b`, and becomes a
 * scalar function that every device compiles; no part of it runs as code. Forms that overflow are written as ones that do
 * not (log(cosh(x)), sinh(x)/cosh(x), exp(x)/(1 + exp(x)), log(1 + exp(x))), or held where they have reached their limit.
 *
 * @param formula  ψ, odd and with ψ′(0) = 1, of standardized residuals x.
 * @param options  `on`, `bounded`, `monotone`.
 * @returns        ψ with its `bound`, `grossErrorSensitivity` and `efficiency` on normal data.
 * @throws         BAD_ARGUMENT for a formula that cannot be read or holds anything else; for one that is not odd, bounded and
 *                 monotone or whose slope at 0 is not 1; and for one that overflows or loses its digits in float32.
 * @see            P. Huber (1964); F. Hampel (1974), The influence curve and its role in robust estimation.
 * @example        mEstimator({ influence: influence("x - x^3/6", { on: [-Math.SQRT2, Math.SQRT2] }) })(gradients)
 */
export function influence(formula: string, options: FormulaOptions = {}): SymbolicInfluence {
  return made("influence", formula, toExpression(parseFormula("influence", formula)), options);
}

/**
 * An influence function as the derivative of a loss ρ, by mathjs.
 *
 *   ψ(u) = ρ′(x) at x = clamp(u, on)
 *
 * @param formula  ρ, even and with ρ″(0) = 1, of what {@link influence} takes, but for min, max, sign, expm1 and log1p.
 * @param options  As for {@link influence}.
 * @returns        ψ with its `bound`, `grossErrorSensitivity` and `efficiency` on normal data.
 * @throws         BAD_ARGUMENT as {@link influence} does, and for a function that mathjs cannot differentiate.
 * @see            P. Huber (1964), Robust estimation of a location parameter.
 * @example        rho("log(cosh(x))").efficiency
 */
export function rho(formula: string, options: FormulaOptions = {}): SymbolicInfluence {
  return made("rho", formula, toExpression(derivative("rho", parseFormula("rho", formula))), options);
}

function made(
  name: string,
  formula: string,
  e: Expression,
  { on = [-Infinity, Infinity], bounded = true, monotone = true }: FormulaOptions,
): SymbolicInfluence {
  const [low, high] = Array.isArray(on) ? (on as readonly unknown[]) : [];
  checkOption(name, "on", on, typeof high === "number" && high > 0 && low === -high, "to be [-a, a] with a > 0");
  const subject = `${name}(${JSON.stringify(formula)})`;
  const end = reach(subject, e, high as number);
  const psi = end === Infinity ? e : substitute(e, () => apply("clamp", input(0), constant(-end), constant(end)));
  const found = characteristics(subject, psi);
  if (bounded && found.bound === Infinity) {
    throw refused(
      subject,
      "a bounded function, found that it grows; hold it: { on: [-a, a] }, or allow it: { bounded: false }",
    );
  }
  if (monotone && !found.monotone) {
    throw refused(subject, "a function that never falls, found that it does; allow it: { monotone: false }");
  }
  return Object.assign(
    (u: Scalar) =>
      new Scalar(
        substitute(psi, () => u.expression),
        u.trace,
      ),
    { formula, ...found },
  );
}
