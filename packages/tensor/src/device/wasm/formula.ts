import { angles } from "./angles.js";
import { binary, unary, type Code, type FunctionBody } from "./assembler.js";
import { and, constantI32x4, f32x4, f64x2, not, or, joinHalves, select, upperHalf, type FloatLanes } from "./lanes.js";
import type { LaneFunctionName } from "./math.js";
import type { Instruction } from "./opcodes.js";
import { Part } from "./part.js";
import { outlined, shortFunctions } from "./short-math.js";
import type { Normalized } from "../../scalar/expression.js";
import type { OperationName } from "../../scalar/operations.js";

/** What the lanes of a vector are. A mask has all bits of a lane set or none. */
export type LaneType = "f32" | "f64" | "i32" | "u32" | "mask";
export type NumberType = Exclude<LaneType, "mask">;

/** A vector of numbers or tests. */
export interface Lane {
  readonly type: LaneType;
  readonly code: Code;
  /** Set when it is a product nobody else uses, so that a sum can take it up. */
  readonly product?: readonly [Code, Code];
}

/** A constant of the formula, which takes the type of what it meets. */
interface Literal {
  readonly type: "literal";
  readonly as: (type: NumberType) => Code;
}

/** The constants of a formula: pushes slot `slot` in every lane. */
export type Constants = (slot: number, type: NumberType) => Code;

export interface FormulaSettings {
  /** Two lanes of 64 bits, all numbers float64; otherwise four of 32 bits. */
  readonly wide: boolean;
  /** What constants are where nothing else says it. */
  readonly numbers: NumberType;
  /** One of the constants is NaN, so that none may be lost. */
  readonly strict?: boolean;
  /** Sums of products in one rounding where the engine has it. */
  readonly relaxed?: boolean;
}

interface Printing extends FormulaSettings {
  readonly f: FunctionBody;
  readonly floats: FloatLanes;
}

type Argument = Lane | Literal;
type Printer = (p: Printing, args: readonly Argument[]) => Lane;

const keep = (p: Printing, code: Code) => p.f.let("v128", code);

/** The common type of numbers: float before unsigned before signed. */
function common(p: Printing, args: readonly Argument[]): NumberType {
  if (p.wide) return "f64";
  const types = args.map(({ type }) => type);
  for (const type of ["f32", "u32", "i32"] as const) if (types.includes(type)) return type;
  return p.numbers;
}

/** A value as lanes of a number type. */
function numbers(p: Printing, arg: Argument, type: NumberType): Code {
  if (arg.type === "literal") return arg.as(type);
  const { code } = arg;
  if (arg.type === "mask") {
    const one = type === "f64" ? f64x2.constant(1) : type === "f32" ? f32x4.constant(1) : constantI32x4(1);
    return and(code, one);
  }
  if (arg.type === type || (arg.type === "i32" && type === "u32") || (arg.type === "u32" && type === "i32"))
    return code;
  if (type === "f32") return unary(arg.type === "i32" ? "f32x4.convert_i32x4_s" : "f32x4.convert_i32x4_u", code);
  return unary(type === "i32" ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f32x4_u", code);
}

/** A value as a test: anything but 0 and NaN holds. */
function test(p: Printing, arg: Argument): Code {
  if (arg.type === "mask") return arg.code;
  const type = common(p, [arg]);
  const code = numbers(p, arg, type);
  if (type === "f32" || type === "f64") return p.floats.gt(p.floats.abs(code), p.floats.constant(0));
  return binary("i32x4.ne", code, constantI32x4(0));
}

const isFloat = (type: NumberType) => type === "f32" || type === "f64";

/** Floating printers see integers as floats. */
function floating(body: (p: Printing, ...args: Code[]) => Code): Printer {
  return (p, args) => {
    const type = p.wide ? "f64" : "f32";
    return { type, code: body(p, ...args.map((arg) => numbers(p, arg, type))) };
  };
}

/** One instruction per kind of number; null where that kind needs nothing or something else. */
function arithmetic(
  float: (p: Printing, ...args: Code[]) => Code,
  signed: (p: Printing, ...args: Code[]) => Code,
  unsigned: (p: Printing, ...args: Code[]) => Code = signed,
): Printer {
  return (p, args) => {
    const type = common(p, args);
    const codes = args.map((arg) => numbers(p, arg, type));
    const body = isFloat(type) ? float : type === "i32" ? signed : unsigned;
    return { type, code: body(p, ...codes) };
  };
}

function comparison(name: "eq" | "ne" | "lt" | "le" | "gt" | "ge"): Printer {
  return (p, args) => {
    const type = common(p, args);
    const [a, b] = args.map((arg) => numbers(p, arg, type)) as [Code, Code];
    if (isFloat(type)) return { type: "mask", code: p.floats[name](a, b) };
    const sign = name === "eq" || name === "ne" ? "" : type === "i32" ? "_s" : "_u";
    return { type: "mask", code: binary(`i32x4.${name}${sign}` as Instruction, a, b) };
  };
}

const math = new Part("mathematical functions", () => import("./math.js"));

const short = (name: keyof typeof shortFunctions): Printer =>
  floating((p, x) =>
    p.wide ? math.module.laneFunction(p.f, name, true, x as Code) : shortFunctions[name](p.f, x as Code),
  );

const angle = (name: keyof typeof angles): Printer =>
  floating((p, x) => {
    const { float32, float64 } = angles[name];
    return p.wide ? outlined(p.f, `${name}64`, x as Code, float64) : outlined(p.f, `${name}32`, x as Code, float32);
  });

const polynomial = (name: LaneFunctionName): Printer =>
  floating((p, x) => math.module.laneFunction(p.f, name, p.wide, x as Code));

const one = (name: "floor" | "ceil" | "trunc" | "nearest" | "sqrt"): Printer =>
  floating((p, x) => p.floats[name](x as Code));

/** The larger or smaller; a constant goes second, where one instruction keeps the NaN of the other. */
function extremum(name: "max" | "min"): Printer {
  return (p, args) => {
    const type = common(p, args);
    const [a, b] = args.map((arg) => numbers(p, arg, type)) as [Code, Code];
    if (!isFloat(type))
      return { type, code: binary(`i32x4.${name}_${type === "i32" ? "s" : "u"}` as Instruction, a, b) };
    const [left, right] = args as [Argument, Argument];
    const quick = name === "max" ? p.floats.pmax : p.floats.pmin;
    if (!p.strict && right.type === "literal") return { type, code: quick(a, b) };
    if (!p.strict && left.type === "literal") return { type, code: quick(b, a) };
    return { type, code: p.floats[name](a, b) };
  };
}

/** a ± b, taking up a product where fused rounding is allowed. */
function sum(name: "add" | "sub"): Printer {
  return (p, args) => {
    const type = common(p, args);
    const [a, b] = args.map((arg) => numbers(p, arg, type)) as [Code, Code];
    if (!isFloat(type)) return { type, code: binary(`i32x4.${name}`, a, b) };
    if (p.relaxed) {
      const [left, right] = args as [Argument, Argument];
      const madd = `${p.floats.shape}.relaxed_madd` as Instruction;
      const fused =
        (product: readonly [Code, Code], rest: Code): Code =>
        (f) => {
          product[0](f);
          product[1](f);
          rest(f);
          f.emit(madd);
        };
      if ("product" in left && left.product)
        return { type, code: fused(left.product, name === "add" ? b : p.floats.neg(b)) };
      if ("product" in right && right.product) {
        const [u, v] = right.product;
        return { type, code: fused(name === "add" ? [u, v] : [p.floats.neg(u), v], a) };
      }
    }
    return { type, code: p.floats[name](a, b) };
  };
}

function product(p: Printing, args: readonly Argument[]): Lane {
  const type = common(p, args);
  const [a, b] = args.map((arg) => numbers(p, arg, type)) as [Code, Code];
  if (!isFloat(type)) return { type, code: binary("i32x4.mul", a, b) };
  return { type, code: p.floats.mul(a, b), product: [a, b] };
}

const zero = (p: Printing) => p.floats.constant(0);

/** The wasm column of the table of scalar operations: how each is printed on lanes. */
const printers: Readonly<Record<OperationName, Printer>> = {
  add: sum("add"),
  sub: sum("sub"),
  mul: product,
  div: floating((p, a, b) => p.floats.div(a as Code, b as Code)),
  pow: floating((p, a, b) => math.module.power(p.f, p.wide, a as Code, b as Code)),
  remainder: (p, args) => {
    const type = common(p, args);
    const [a, b] = args.map((arg) => numbers(p, arg, type)) as [Code, Code];
    if (isFloat(type)) return { type, code: math.module.remainder(p.f, p.wide, a, b) };
    const sign = type === "i32" ? "s" : "u";
    const widen = (u: Code) => unary(`f64x2.convert_low_i32x4_${sign}`, u);
    const half = (u: Code, v: Code) =>
      unary(`i32x4.trunc_sat_f64x2_${sign}_zero`, math.module.remainder(p.f, true, widen(u), widen(v)));
    const [u, v] = [keep(p, a), keep(p, b)];
    const low = keep(p, half(u, v));
    return { type, code: joinHalves(low, half(upperHalf(u), upperHalf(v))) };
  },
  maximum: extremum("max"),
  minimum: extremum("min"),
  neg: arithmetic(
    (p, a) => p.floats.neg(a as Code),
    (_, a) => unary("i32x4.neg", a as Code),
  ),
  abs: arithmetic(
    (p, a) => p.floats.abs(a as Code),
    (_, a) => unary("i32x4.abs", a as Code),
    (_, a) => a as Code,
  ),
  sign: arithmetic(
    (p, x) => {
      const u = keep(p, x as Code);
      const one = (v: number) => p.floats.constant(v);
      return select(p.floats.gt(u, zero(p)), one(1), select(p.floats.lt(u, zero(p)), one(-1), u));
    },
    (p, x) => {
      const u = keep(p, x as Code);
      const positive = and(binary("i32x4.gt_s", u, constantI32x4(0)), constantI32x4(1));
      return or(positive, binary("i32x4.lt_s", u, constantI32x4(0)));
    },
    (_, u) => and(binary("i32x4.ne", u as Code, constantI32x4(0)), constantI32x4(1)),
  ),
  floor: one("floor"),
  ceil: one("ceil"),
  trunc: one("trunc"),
  round: one("nearest"),
  exp: short("exp"),
  expm1: polynomial("expm1"),
  log: short("log"),
  log1p: polynomial("log1p"),
  sqrt: one("sqrt"),
  square: (p, [u]) => {
    const type = common(p, [u as Argument]);
    const a = keep(p, numbers(p, u as Argument, type));
    return product(p, [
      { type, code: a },
      { type, code: a },
    ]);
  },
  reciprocal: floating((p, a) => p.floats.div(p.floats.constant(1), a as Code)),
  sin: angle("sin"),
  cos: angle("cos"),
  tan: angle("tan"),
  atan: polynomial("atan"),
  sinh: polynomial("sinh"),
  cosh: polynomial("cosh"),
  tanh: short("tanh"),
  sigmoid: short("sigmoid"),
  softplus: polynomial("softplus"),
  logCosh: polynomial("logCosh"),
  relu: arithmetic(
    (p, a) => p.floats.pmax(a as Code, zero(p)),
    (_, a) => binary("i32x4.max_s", a as Code, constantI32x4(0)),
    (_, a) => a as Code,
  ),
  equal: comparison("eq"),
  notEqual: comparison("ne"),
  less: comparison("lt"),
  lessEqual: comparison("le"),
  greater: comparison("gt"),
  greaterEqual: comparison("ge"),
  and: (p, [a, b]) => ({ type: "mask", code: and(test(p, a as Argument), test(p, b as Argument)) }),
  or: (p, [a, b]) => ({ type: "mask", code: or(test(p, a as Argument), test(p, b as Argument)) }),
  not: (p, [a]) => ({ type: "mask", code: not(test(p, a as Argument)) }),
  isFinite: (p, [a]) => edge(p, a as Argument, (u) => p.floats.lt(p.floats.abs(u), p.floats.constant(Infinity)), -1),
  isNaN: (p, [a]) => {
    return edge(
      p,
      a as Argument,
      (u) => {
        const kept = keep(p, u);
        return p.floats.ne(kept, kept);
      },
      0,
    );
  },
  where: (p, [condition, a, b]) => {
    const mask = test(p, condition as Argument);
    const branches = [a, b] as [Argument, Argument];
    if (branches.every(({ type }) => type === "mask")) {
      const [u, v] = branches as [Lane, Lane];
      return { type: "mask", code: select(mask, u.code, v.code) };
    }
    const type = common(p, branches);
    return { type, code: select(mask, numbers(p, branches[0], type), numbers(p, branches[1], type)) };
  },
  clamp: (p, [u, low, high]) => {
    const raised = extremum("max")(p, [u as Argument, low as Argument]);
    return extremum("min")(p, [raised, high as Argument]);
  },
};

/** A test that integers decide by themselves. */
function edge(p: Printing, arg: Argument, body: (u: Code) => Code, integer: 0 | -1): Lane {
  const type = common(p, [arg]);
  return { type: "mask", code: isFloat(type) ? body(numbers(p, arg, type)) : constantI32x4(integer) };
}

/** Operations that int32 and uint32 lanes have; any other one takes integers through float64. */
const onIntegers: ReadonlySet<OperationName> = new Set<OperationName>([
  "add",
  "sub",
  "mul",
  "remainder",
  "neg",
  "abs",
  "sign",
  "square",
  "relu",
  "maximum",
  "minimum",
  "clamp",
  "where",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "and",
  "or",
  "not",
  "isFinite",
  "isNaN",
]);

/** True where lanes of 32-bit integers can compute the formula exactly. */
export function staysIntegral({ nodes, constants }: Normalized): boolean {
  const whole = constants.every((c) => Number.isInteger(c) && Math.abs(c) < 2 ** 32);
  return whole && nodes.every((node) => node.kind !== "apply" || onIntegers.has(node.operation));
}

/**
 * Prints a formula on lanes. What is used once is pushed where it is needed, the rest is kept in locals.
 *
 * @param inputs     The lanes of input k; asked for once each.
 * @param constants  The lanes of a constant.
 */
export function printFormula(
  f: FunctionBody,
  { nodes }: Normalized,
  inputs: (index: number) => Lane,
  constants: Constants,
  settings: FormulaSettings,
): Lane {
  const p: Printing = { ...settings, f, floats: settings.wide ? f64x2 : f32x4 };
  const uses = new Array<number>(nodes.length).fill(0);
  for (const node of nodes)
    if (node.kind === "apply") for (const k of node.arguments) uses[k] = (uses[k] as number) + 1;
  const values: Argument[] = [];
  nodes.forEach((node, i) => {
    if (node.kind === "slot") {
      values.push({ type: "literal", as: (type) => constants(node.slot, type) });
      return;
    }
    const value =
      node.kind === "input"
        ? inputs(node.index)
        : printers[node.operation](
            p,
            node.arguments.map((k) => values[k] as Argument),
          );
    values.push((uses[i] as number) > 1 ? { type: value.type, code: f.let("v128", value.code) } : value);
  });
  const last = values.at(-1) as Argument;
  return last.type === "literal" ? { type: settings.numbers, code: last.as(settings.numbers) } : last;
}

/** A lane value as numbers of a type. */
export function asNumbers(f: FunctionBody, lane: Lane, type: NumberType): Code {
  const wide = type === "f64";
  return numbers({ f, wide, numbers: type, floats: wide ? f64x2 : f32x4 }, lane, type);
}

/** A lane value as a test. */
export function asTest(f: FunctionBody, lane: Lane, wide: boolean): Code {
  return test({ f, wide, numbers: wide ? "f64" : "i32", floats: wide ? f64x2 : f32x4 }, lane);
}
