import {
  clampedPolynomial,
  type ClampedPolynomial,
  type CoefficientArithmetic,
} from "../../kernel/clamped-polynomial.js";
import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { normalize } from "../../scalar/expression.js";
import { useFunction } from "./formula.js";
import type { ShaderBuilder } from "./shader.js";

type Reduce = ColumnStatement & { readonly kind: "reduce" };
type Polynomial = ClampedPolynomial<string>;

const noText: CoefficientArithmetic<string> = {
  constant: () => "c",
  add: () => "c",
  mul: () => "c",
  div: () => "c",
  neg: () => "c",
};

/** The polynomial that a mean or sum of all values is of, if it is one; its texts mean nothing. */
function formOf(s: Reduce): Polynomial | null {
  if (s.source !== 0 || (s.monoid !== "mean" && s.monoid !== "sum")) return null;
  return clampedPolynomial<string>(
    normalize(s.f),
    s.element,
    noText,
    () => "c",
    () => "c",
  );
}

/** The highest power that the reductions of a program take of its values, and how many of them there are. */
export function powersOf({ statements }: ColumnTrace): { readonly degree: number; readonly reductions: number } {
  let degree = 0;
  let reductions = 0;
  const visit = (list: readonly ColumnStatement[]) => {
    for (const s of list) {
      if (s.kind === "iterate") visit(s.body);
      const form = s.kind === "reduce" ? formOf(s) : null;
      if (form === null) continue;
      // Whether sums can be trusted shows in the squares.
      degree = Math.max(degree, form.coefficients.length - 1, form.clamp === null ? 1 : 2);
      reductions++;
    }
  };
  visit(statements);
  return { degree, reductions };
}

/** What is known of one coordinate whose values are products v of scaled factors; names or texts (f32). */
export interface Moments {
  /** Σv, Σv², Σv³, as many as there are. */
  readonly sums: readonly string[];
  /** No |v| is larger. */
  readonly most: string;
  /** Texts of a number of the unscaled values as one of the scaled ones, and back. */
  readonly down: (text: string) => string;
  readonly up: (text: string) => string;
  /** What a scaled value is multiplied by where values of several coordinates are compared (f32, above 0). */
  readonly weight: string;
}

/** How the samples of the coordinates are looked at again. */
export interface CandidateWalk {
  /**
   * A loop over the samples in which some weighted |v| may reach `bound`, the name of a variable; `body` gets the v of
   * every coordinate. All invocations get there together.
   */
  readonly print: (bound: string, body: (values: readonly string[]) => void) => void;
}

/** Part of the sum of squares about the pivot below which it has lost too many digits to cancellation. */
const leastShare = 0.06;
/** Largest z · √Σz² for which sums of cubes keep the digits that a mean of them needs. */
const mostLeverage = 256;

/**
 * Prints Σ P(v) or Σ P(clamp(a (v − p))) from sums of powers, with what the clamp holds back put right sample by sample.
 *
 * @param register  Name of a register of coordinate j.
 * @param trusted   Name of a variable that is made false where a total has lost too many digits.
 * @returns         null where the formula is something else, or names of the totals.
 */
export function printMoments(
  shader: ShaderBuilder,
  s: Reduce,
  samples: number,
  moments: readonly Moments[],
  candidates: CandidateWalk,
  trusted: string,
  register: (k: number, j: number) => string,
): readonly string[] | null {
  const form = formOf(s);
  if (form === null || form.coefficients.length - 1 > (moments[0]?.sums.length ?? 0)) return null;
  const f32 = (text: string) => shader.let({ type: "f32", text }).text;
  const arithmetic: CoefficientArithmetic<string> = {
    constant: (value) => shader.constant(value, "f32").text,
    add: (a, b) => f32(`${a} + ${b}`),
    mul: (a, b) => f32(`${a} * ${b}`),
    div: (a, b) => f32(`${a} / ${b}`),
    neg: (a) => f32(`-${a}`),
  };
  const normal = normalize(s.f);
  const count = `f32(${shader.size(samples)})`;
  const parts = moments.map(({ sums, most, down, up }, j) => {
    const polynomial = clampedPolynomial(
      normal,
      s.element,
      arithmetic,
      (k) => register(k, j),
      (slot) => arithmetic.constant(normal.constants[slot] as number),
    ) as Polynomial;
    const { clamp, coefficients } = polynomial;
    const pivot = f32(polynomial.pivot === null ? "0.0" : down(register(polynomial.pivot, j)));
    const slope = f32(up(clamp === null ? "1.0" : clamp.slope));
    const [first, second, third] = sums as readonly [string, string?, string?];
    const about = [
      count,
      f32(`${first} - ${count} * ${pivot}`),
      ...(second === undefined ? [] : [f32(`${second} - ${pivot} * (2.0 * ${first} - ${count} * ${pivot})`)]),
      ...(third === undefined
        ? []
        : [f32(`${third} - ${pivot} * (3.0 * ${second} - ${pivot} * (3.0 * ${first} - ${count} * ${pivot}))`)]),
    ];
    // From the highest power down, so that nothing overflows that the sum itself does not.
    const sum = nested(
      coefficients.map((c, k) => c && `${c} * ${about[k] as string}`),
      slope,
    );
    const total = shader.name("m");
    shader.line(`var ${total} = ${sum};`);
    const tests = [`${useFunction(shader, "is_finite")}(${total})`];
    if (clamp !== null || coefficients.length > 2) {
      const spread = about[2] as string;
      tests.push(`${spread} >= ${leastShare} * max(${second as string}, ${count} * ${pivot} * ${pivot})`);
      // No |v| is larger than the root of the sum of squares either, which knows of samples where one factor is 0.
      const reach = `min(${most}, sqrt(${second as string}))`;
      const leverage = `abs(${slope}) * (${reach} + abs(${pivot})) * abs(${slope}) * sqrt(max(${spread}, 0.0))`;
      if (clamp !== null) tests.push(`${leverage} <= ${mostLeverage}.0`, `${clamp.low} <= ${clamp.high}`);
    }
    // One after another: drivers take very long over many tests in one condition.
    for (const test of tests) shader.line(`${trusted} = ${trusted} & (${test});`);
    return { polynomial, pivot, slope, total };
  });
  const [one] = parts;
  if (one?.polynomial.clamp) {
    // Reached by no value that is nearer to 0 than all of these; 0 where one is not known.
    const bound = shader.name("bound");
    shader.line(`var ${bound} = 1e38;`);
    parts.forEach(({ polynomial, pivot, slope }, j) => {
      const { low, high } = polynomial.clamp as NonNullable<Polynomial["clamp"]>;
      const reach = `0.9999 * (min(-${low}, ${high}) / abs(${slope})) - abs(${pivot})`;
      const own = f32(`(${reach}) * ${moments[j]?.weight as string}`);
      shader.line(`${bound} = select(0.0, min(${bound}, ${own}), ${own} > 0.0);`);
    });
    // The others are walked as squares.
    shader.line(`${bound} = select(1e38, ${bound}, ${trusted});`);
    candidates.print(bound, (values) => {
      parts.forEach(({ polynomial, pivot, slope, total }, j) => {
        const { low, high } = polynomial.clamp as NonNullable<Polynomial["clamp"]>;
        const z = f32(`${slope} * (${values[j] as string} - ${pivot})`);
        const held = f32(`clamp(${z}, ${low}, ${high})`);
        const at = (argument: string) => nested(polynomial.coefficients, argument);
        shader.line(`${total} += (${at(held)}) - (${at(z)});`);
      });
    });
  }
  return parts.map(({ total }) => total);
}

/** Text of Σₖ cₖ uᵏ for terms cₖ from the lowest on; null is 0. */
function nested(terms: readonly (string | null)[], u: string): string {
  return terms.reduceRight<string>((above, term) => {
    if (above === "") return term ?? "";
    const rest = `${u} * (${above})`;
    return term === null ? rest : `${term} + ${rest}`;
  }, "");
}
