import type { Normalized } from "../scalar/expression.js";

/**
 * A formula of one element g as a polynomial, recognised by its structure: P(u) or P(clamp(a·u, low, high)) with
 * u = g − pivot and degree ≤ 3. The sum of P over all samples then follows from Σu, Σu², Σu³, but for the samples
 * that the clamp holds back.
 */
export interface ClampedPolynomial<Code> {
  /** The register that is subtracted, or null where u is g itself. */
  readonly pivot: number | null;
  /** Null without a clamp: then z = u. */
  readonly clamp: { readonly slope: Code; readonly low: Code; readonly high: Code } | null;
  /** Of z⁰ … z³; null is 0. */
  readonly coefficients: readonly (Code | null)[];
}

/** Arithmetic of coefficients as a device writes it. */
export interface CoefficientArithmetic<Code> {
  readonly constant: (value: number) => Code;
  readonly add: (a: Code, b: Code) => Code;
  readonly mul: (a: Code, b: Code) => Code;
  readonly div: (a: Code, b: Code) => Code;
  readonly neg: (a: Code) => Code;
}

/** A polynomial in u, or in z once a clamp has been met. A coefficient takes no instruction where it is 0 or 1. */
interface PolynomialOf<Code> {
  readonly of: "constant" | "u" | "z";
  readonly coefficients: readonly (Code | 0 | 1)[];
}

const most = 3;

/**
 * @param inputs     What register k holds.
 * @param constants  What constant slot k holds.
 * @returns          null where the formula is something else.
 */
export function clampedPolynomial<Code extends object | string>(
  { nodes }: Normalized,
  element: number,
  lanes: CoefficientArithmetic<Code>,
  inputs: (register: number) => Code,
  constants: (slot: number) => Code,
): ClampedPolynomial<Code> | null {
  type Coefficient = Code | 0 | 1;
  type Polynomial = PolynomialOf<Code>;
  let pivot: number | null | undefined;
  let clamp: ClampedPolynomial<Code>["clamp"] = null;
  let open: "low" | "high" | null = null;
  const code = (c: Coefficient): Code => (c === 0 || c === 1 ? lanes.constant(c) : c);
  const add = (a: Coefficient, b: Coefficient): Coefficient =>
    a === 0 ? b : b === 0 ? a : lanes.add(code(a), code(b));
  const neg = (a: Coefficient): Coefficient => (a === 0 ? 0 : lanes.neg(code(a)));
  const mul = (a: Coefficient, b: Coefficient): Coefficient =>
    a === 0 || b === 0 ? 0 : a === 1 ? b : b === 1 ? a : lanes.mul(code(a), code(b));
  const trimmed = (of: Polynomial["of"], coefficients: Coefficient[]): Polynomial => {
    while (coefficients.length > 1 && coefficients.at(-1) === 0) coefficients.pop();
    return { of: coefficients.length === 1 ? "constant" : of, coefficients };
  };
  const joined = (a: Polynomial, b: Polynomial): Polynomial["of"] | null =>
    a.of === "constant" ? b.of : b.of === "constant" || a.of === b.of ? a.of : null;
  const sum = (a: Polynomial, b: Polynomial): Polynomial | null => {
    const of = joined(a, b);
    const length = Math.max(a.coefficients.length, b.coefficients.length);
    return (
      of &&
      trimmed(
        of,
        Array.from({ length }, (_, k) => add(a.coefficients[k] ?? 0, b.coefficients[k] ?? 0)),
      )
    );
  };
  const product = (a: Polynomial, b: Polynomial): Polynomial | null => {
    const of = joined(a, b);
    const length = a.coefficients.length + b.coefficients.length - 1;
    if (of === null || length > most + 1) return null;
    const result = new Array<Coefficient>(length).fill(0);
    a.coefficients.forEach((u, i) => {
      b.coefficients.forEach((v, j) => (result[i + j] = add(result[i + j] as Coefficient, mul(u, v))));
    });
    return trimmed(of, result);
  };
  const negative = (a: Polynomial): Polynomial => ({ of: a.of, coefficients: a.coefficients.map(neg) });
  const isFirstPower = ({ coefficients: [constant, linear, ...rest] }: Polynomial) =>
    constant === 0 && linear !== undefined && rest.length === 0;
  /** clamp(value, low, high); a bound that is null may be set by a second one-sided clamp. */
  const clamped = (value: Polynomial, low: Polynomial | null, high: Polynomial | null): Polynomial | null => {
    const bound = (limit: Polynomial | null) => limit && code(limit.coefficients[0] as Coefficient);
    if ([low, high].some((limit) => limit !== null && limit.of !== "constant") || !isFirstPower(value)) return null;
    const [lower, upper] = [bound(low), bound(high)];
    if (clamp === null && value.of === "u") {
      clamp = {
        slope: code(value.coefficients[1] as Coefficient),
        low: lower ?? lanes.constant(-Infinity),
        high: upper ?? lanes.constant(Infinity),
      };
      open = lower === null ? "low" : upper === null ? "high" : null;
    } else if (clamp !== null && value.of === "z" && value.coefficients[1] === 1 && open !== null) {
      const other = open === "low" ? lower : upper;
      if (other === null || (lower !== null && upper !== null)) return null;
      clamp = { ...clamp, [open]: other };
      open = null;
    } else return null;
    return { of: "z", coefficients: [0, 1] };
  };
  const isElement = (at: number) => {
    const node = nodes[at];
    return node?.kind === "input" && node.index === element;
  };
  const variable = (register: number | null): Polynomial | null => {
    if (pivot !== undefined && pivot !== register) return null;
    pivot = register;
    return { of: "u", coefficients: [0, 1] };
  };

  // The element itself is u only if nothing is subtracted from it first.
  const subtracted = nodes.some(
    (node) =>
      node.kind === "apply" &&
      node.operation === "sub" &&
      isElement(node.arguments[0] as number) &&
      nodes[node.arguments[1] as number]?.kind === "input",
  );
  const values: (Polynomial | null)[] = [];
  for (const node of nodes) {
    const value = (): Polynomial | null => {
      if (node.kind === "slot") return { of: "constant", coefficients: [constants(node.slot)] };
      if (node.kind === "input") {
        if (node.index !== element) return { of: "constant", coefficients: [inputs(node.index)] };
        return subtracted ? null : variable(null);
      }
      const [first, second] = node.arguments as readonly [number, number];
      if (node.operation === "sub" && subtracted && isElement(first)) {
        const other = nodes[second];
        return other?.kind === "input" ? variable(other.index) : null;
      }
      const args = node.arguments.map((k) => values[k]);
      const [a, b, c] = args as [Polynomial | null, Polynomial | null, Polynomial | null];
      if (args.some((arg) => arg === null)) return null;
      switch (node.operation) {
        case "add":
          return sum(a as Polynomial, b as Polynomial);
        case "sub":
          return sum(a as Polynomial, negative(b as Polynomial));
        case "mul":
          return product(a as Polynomial, b as Polynomial);
        case "square":
          return product(a as Polynomial, a as Polynomial);
        case "neg":
          return negative(a as Polynomial);
        case "div": {
          if (b?.of !== "constant") return null;
          const divisor = code(b.coefficients[0] as Coefficient);
          return {
            of: (a as Polynomial).of,
            coefficients: (a as Polynomial).coefficients.map((k) => (k === 0 ? 0 : lanes.div(code(k), divisor))),
          };
        }
        case "clamp":
          return clamped(a as Polynomial, b as Polynomial, c as Polynomial);
        case "maximum":
          return a?.of === "constant"
            ? clamped(b as Polynomial, a, null)
            : clamped(a as Polynomial, b as Polynomial, null);
        case "minimum":
          return a?.of === "constant"
            ? clamped(b as Polynomial, null, a)
            : clamped(a as Polynomial, null, b as Polynomial);
        default:
          return null;
      }
    };
    values.push(value());
  }
  const result = values.at(-1);
  if (!result || result.of === "constant" || pivot === undefined || (clamp !== null) !== (result.of === "z"))
    return null;
  return { pivot, clamp, coefficients: result.coefficients.map((k) => (k === 0 ? null : code(k))) };
}
