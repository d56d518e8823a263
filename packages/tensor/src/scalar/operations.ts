import { apply, constant, type Expression } from "./expression.js";

/** A body in JavaScript, twice: printed into a compiled kernel, and called where printing is forbidden. */
export interface JsBody {
  readonly print: (...args: readonly string[]) => string;
  readonly evaluate: (...args: readonly number[]) => number;
}

/**
 * One scalar operation. The table below is the only place that knows what an operation means:
 * device printers, the interpreter and differentiation all read it.
 */
export interface Operation {
  readonly arity: 1 | 2 | 3;
  /** Kind of result: the operands' dtype, or bool for comparisons. */
  readonly result: "same" | "bool";
  /** Operands it accepts; `floating` operations refuse integer tensors. */
  readonly domain: "floating" | "numeric" | "any";
  readonly js: JsBody;
  /** Replaces `js` for int32 and uint32 where results can leave 32 bits; they then wrap around. */
  readonly jsInteger?: JsBody;
  /** ∂f/∂(operand k) as a formula of the operands and of the result; null where it is zero everywhere. */
  readonly derivative: readonly (((args: readonly Expression[], value: Expression) => Expression) | null)[];
}

const c = constant;
const add = (a: Expression, b: Expression) => apply("add", a, b);
const sub = (a: Expression, b: Expression) => apply("sub", a, b);
const mul = (a: Expression, b: Expression) => apply("mul", a, b);
const div = (a: Expression, b: Expression) => apply("div", a, b);
const neg = (a: Expression) => apply("neg", a);
const square = (a: Expression) => mul(a, a);
const select = (condition: Expression, a: Expression, b: Expression) => apply("where", condition, a, b);

type UnaryDerivative = (u: Expression, value: Expression) => Expression;
type BinaryDerivative = (a: Expression, b: Expression, value: Expression) => Expression;

function unary(
  print: (u: string) => string,
  evaluate: (u: number) => number,
  derivative: UnaryDerivative | null,
  domain: Operation["domain"] = "floating",
): Operation {
  return {
    arity: 1,
    result: "same",
    domain,
    js: { print: print as JsBody["print"], evaluate: evaluate as JsBody["evaluate"] },
    derivative: [derivative && (([u], value) => derivative(u as Expression, value))],
  };
}

/** An operation whose integer results wrap, with a body of its own where doubles would lose low bits. */
function wrapping(record: Operation, jsInteger: JsBody = record.js): Operation {
  return { ...record, jsInteger };
}

function binary(
  print: (a: string, b: string) => string,
  evaluate: (a: number, b: number) => number,
  derivative: readonly [BinaryDerivative | null, BinaryDerivative | null],
  options: Partial<Pick<Operation, "domain" | "result">> = {},
): Operation {
  const lift = (d: BinaryDerivative | null) =>
    d && ((args: readonly Expression[], value: Expression) => d(args[0] as Expression, args[1] as Expression, value));
  return {
    arity: 2,
    result: "same",
    domain: "numeric",
    js: { print: print as JsBody["print"], evaluate: evaluate as JsBody["evaluate"] },
    derivative: [lift(derivative[0]), lift(derivative[1])],
    ...options,
  };
}

function comparison(symbol: string, evaluate: (a: number, b: number) => boolean): Operation {
  return binary(
    (a, b) => `(${a} ${symbol} ${b} ? 1 : 0)`,
    (a, b) => (evaluate(a, b) ? 1 : 0),
    [null, null],
    { domain: "any", result: "bool" },
  );
}

/** Where one of two operands wins; a tie gives each half. */
function winner(better: "greater" | "less"): readonly [BinaryDerivative, BinaryDerivative] {
  const share = (a: Expression, b: Expression) =>
    select(apply(better, a, b), c(1), select(apply("equal", a, b), c(0.5), c(0)));
  return [(a, b) => share(a, b), (a, b) => share(b, a)];
}

function sigmoid(u: number): number {
  if (u >= 0) return 1 / (1 + Math.exp(-u));
  const e = Math.exp(u);
  return e / (1 + e);
}

function roundHalfEven(u: number): number {
  const r = Math.round(u);
  return Math.abs(u - Math.trunc(u)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

function softplus(u: number): number {
  return Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
}

/** ln cosh u without overflow or, near 0, cancellation: cosh u − 1 = 2 sinh²(u/2). */
function logCosh(u: number): number {
  const a = Math.abs(u);
  if (a > 2) return a - Math.LN2 + Math.log1p(Math.exp(-2 * a));
  const s = Math.sinh(u / 2);
  return Math.log1p(2 * s * s);
}

/** a − ⌊a/b⌋·b without the rounding of the quotient; 0 has no sign. */
function remainder(a: number, b: number): number {
  const r = a % b;
  if (r === 0) return 0;
  return r < 0 !== b < 0 ? r + b : r;
}

const multiplyIntegers: JsBody = {
  print: (a, b) => `Math.imul(${a}, ${b})`,
  evaluate: (a, b) => Math.imul(a as number, b as number),
};

const squareInteger: JsBody = {
  print: (u) => `Math.imul(${u}, ${u})`,
  evaluate: (u) => Math.imul(u as number, u as number),
};

/** The scalar operations: name → record. */
export const operations = {
  add: wrapping(
    binary(
      (a, b) => `(${a} + ${b})`,
      (a, b) => a + b,
      [() => c(1), () => c(1)],
    ),
  ),
  sub: wrapping(
    binary(
      (a, b) => `(${a} - ${b})`,
      (a, b) => a - b,
      [() => c(1), () => c(-1)],
    ),
  ),
  mul: wrapping(
    binary(
      (a, b) => `(${a} * ${b})`,
      (a, b) => a * b,
      [(_, b) => b, (a) => a],
    ),
    multiplyIntegers,
  ),
  div: binary(
    (a, b) => `(${a} / ${b})`,
    (a, b) => a / b,
    [(_, b) => div(c(1), b), (_, b, value) => neg(div(value, b))],
    { domain: "floating" },
  ),
  pow: binary(
    (a, b) => `Math.pow(${a}, ${b})`,
    (a, b) => Math.pow(a, b),
    [
      (a, b) => {
        if (b.kind === "constant") return b.value === 0 ? c(0) : mul(b, apply("pow", a, c(b.value - 1)));
        // At a = b = 0 the product would be 0 · ∞.
        const flat = apply("and", apply("equal", a, c(0)), apply("equal", b, c(0)));
        return select(flat, c(0), mul(b, apply("pow", a, sub(b, c(1)))));
      },
      (a, _, value) => select(apply("equal", a, c(0)), c(0), mul(value, apply("log", a))),
    ],
    { domain: "floating" },
  ),
  remainder: wrapping(
    binary((a, b) => `remainder(${a}, ${b})`, remainder, [() => c(1), (a, b) => neg(apply("floor", div(a, b)))]),
  ),
  maximum: binary(
    (a, b) => `Math.max(${a}, ${b})`,
    (a, b) => Math.max(a, b),
    winner("greater"),
  ),
  minimum: binary(
    (a, b) => `Math.min(${a}, ${b})`,
    (a, b) => Math.min(a, b),
    winner("less"),
  ),

  neg: wrapping(
    unary(
      (u) => `(-${u})`,
      (u) => -u,
      () => c(-1),
      "numeric",
    ),
  ),
  abs: wrapping(
    unary(
      (u) => `Math.abs(${u})`,
      Math.abs,
      (u) => apply("sign", u),
      "numeric",
    ),
  ),
  sign: unary((u) => `Math.sign(${u})`, Math.sign, null, "numeric"),
  floor: unary((u) => `Math.floor(${u})`, Math.floor, null),
  ceil: unary((u) => `Math.ceil(${u})`, Math.ceil, null),
  trunc: unary((u) => `Math.trunc(${u})`, Math.trunc, null),
  round: unary((u) => `roundHalfEven(${u})`, roundHalfEven, null),

  exp: unary(
    (u) => `Math.exp(${u})`,
    Math.exp,
    (_, value) => value,
  ),
  expm1: unary(
    (u) => `Math.expm1(${u})`,
    Math.expm1,
    (_, value) => add(value, c(1)),
  ),
  log: unary(
    (u) => `Math.log(${u})`,
    Math.log,
    (u) => div(c(1), u),
  ),
  log1p: unary(
    (u) => `Math.log1p(${u})`,
    Math.log1p,
    (u) => div(c(1), add(u, c(1))),
  ),
  sqrt: unary(
    (u) => `Math.sqrt(${u})`,
    Math.sqrt,
    (_, value) => div(c(0.5), value),
  ),
  square: wrapping(
    unary(
      (u) => `(${u} * ${u})`,
      (u) => u * u,
      (u) => mul(c(2), u),
      "numeric",
    ),
    squareInteger,
  ),
  reciprocal: unary(
    (u) => `(1 / ${u})`,
    (u) => 1 / u,
    (_, value) => neg(square(value)),
  ),

  sin: unary(
    (u) => `Math.sin(${u})`,
    Math.sin,
    (u) => apply("cos", u),
  ),
  cos: unary(
    (u) => `Math.cos(${u})`,
    Math.cos,
    (u) => neg(apply("sin", u)),
  ),
  tan: unary(
    (u) => `Math.tan(${u})`,
    Math.tan,
    (_, value) => add(c(1), square(value)),
  ),
  atan: unary(
    (u) => `Math.atan(${u})`,
    Math.atan,
    (u) => div(c(1), add(c(1), square(u))),
  ),
  sinh: unary(
    (u) => `Math.sinh(${u})`,
    Math.sinh,
    (u) => apply("cosh", u),
  ),
  cosh: unary(
    (u) => `Math.cosh(${u})`,
    Math.cosh,
    (u) => apply("sinh", u),
  ),
  tanh: unary(
    (u) => `Math.tanh(${u})`,
    Math.tanh,
    (_, value) => sub(c(1), square(value)),
  ),

  sigmoid: unary(
    (u) => `sigmoid(${u})`,
    sigmoid,
    (_, value) => mul(value, sub(c(1), value)),
  ),
  softplus: unary(
    (u) => `softplus(${u})`,
    softplus,
    (u) => apply("sigmoid", u),
  ),
  logCosh: unary(
    (u) => `logCosh(${u})`,
    logCosh,
    (u) => apply("tanh", u),
  ),
  relu: unary(
    (u) => `Math.max(${u}, 0)`,
    (u) => Math.max(u, 0),
    (_, value) => select(apply("greater", value, c(0)), c(1), c(0)),
    "numeric",
  ),

  equal: comparison("===", (a, b) => a === b),
  notEqual: comparison("!==", (a, b) => a !== b),
  less: comparison("<", (a, b) => a < b),
  lessEqual: comparison("<=", (a, b) => a <= b),
  greater: comparison(">", (a, b) => a > b),
  greaterEqual: comparison(">=", (a, b) => a >= b),
  and: binary(
    (a, b) => `(${a} & ${b})`,
    (a, b) => a & b,
    [null, null],
    { domain: "any", result: "bool" },
  ),
  or: binary(
    (a, b) => `(${a} | ${b})`,
    (a, b) => a | b,
    [null, null],
    { domain: "any", result: "bool" },
  ),
  not: {
    ...unary(
      (u) => `(${u} ? 0 : 1)`,
      (u) => (u ? 0 : 1),
      null,
      "any",
    ),
    result: "bool",
  },
  isFinite: {
    ...unary(
      (u) => `(${u} - ${u} === 0 ? 1 : 0)`,
      (u) => (u - u === 0 ? 1 : 0),
      null,
      "any",
    ),
    result: "bool",
  },
  isNaN: {
    ...unary(
      (u) => `(${u} !== ${u} ? 1 : 0)`,
      (u) => (u !== u ? 1 : 0),
      null,
      "any",
    ),
    result: "bool",
  },

  where: {
    arity: 3,
    result: "same",
    domain: "any",
    js: {
      print: (condition, a, b) => `(${condition} ? ${a} : ${b})`,
      evaluate: (condition, a, b) => (condition ? a : b) as number,
    },
    derivative: [
      null,
      ([condition]) => select(condition as Expression, c(1), c(0)),
      ([condition]) => select(condition as Expression, c(0), c(1)),
    ],
  },
  clamp: {
    arity: 3,
    result: "same",
    domain: "numeric",
    js: {
      print: (u, low, high) => `Math.min(Math.max(${u}, ${low}), ${high})`,
      evaluate: (u, low, high) => Math.min(Math.max(u as number, low as number), high as number),
    },
    derivative: [
      ([u, low, high]) =>
        select(
          apply(
            "and",
            apply("greaterEqual", u as Expression, low as Expression),
            apply("lessEqual", u as Expression, high as Expression),
          ),
          c(1),
          c(0),
        ),
      ([u, low]) => select(apply("less", u as Expression, low as Expression), c(1), c(0)),
      ([u, , high]) => select(apply("greater", u as Expression, high as Expression), c(1), c(0)),
    ],
  },
} as const satisfies Record<string, Operation>;

export type OperationName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "pow"
  | "remainder"
  | "maximum"
  | "minimum"
  | "neg"
  | "abs"
  | "sign"
  | "floor"
  | "ceil"
  | "trunc"
  | "round"
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sqrt"
  | "square"
  | "reciprocal"
  | "sin"
  | "cos"
  | "tan"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "sigmoid"
  | "softplus"
  | "logCosh"
  | "relu"
  | "equal"
  | "notEqual"
  | "less"
  | "lessEqual"
  | "greater"
  | "greaterEqual"
  | "and"
  | "or"
  | "not"
  | "isFinite"
  | "isNaN"
  | "where"
  | "clamp";

export function operation(name: OperationName): Operation {
  return operations[name];
}

/** Functions that printed bodies call by name. */
export const bodyFunctions = { sigmoid, softplus, logCosh, roundHalfEven, remainder } as const;
