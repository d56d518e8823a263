import { shaderFunctions, type ShaderFunctionName } from "./math.js";
import { convert, type ShaderBuilder, type Value, type ValueType } from "./shader.js";
import { isIndex, type Operand } from "../../kernel/kernel.js";
import type { DType } from "../../dtype.js";
import { normalize, type Expression } from "../../scalar/expression.js";
import { operation, type OperationName } from "../../scalar/operations.js";

export type NumberType = Exclude<ValueType, "bool">;

/** A constant of the formula, which takes the type of what it meets. */
interface Literal {
  readonly type: "literal";
  readonly value: number;
}

type Argument = Value | Literal;

interface Printing {
  readonly shader: ShaderBuilder;
  /** What constants are where nothing else says it. */
  readonly numbers: NumberType;
}

type Printer = (p: Printing, args: readonly Argument[]) => Value;

/** Declares a function of `math.ts` with those it calls, and returns its name. */
export function useFunction(shader: ShaderBuilder, name: ShaderFunctionName): string {
  const { text, uses = [] } = shaderFunctions[name];
  for (const used of uses) useFunction(shader, used);
  return shader.declare(name, text);
}

/** The common type of numbers: float before unsigned before signed. */
function common({ numbers }: Printing, args: readonly Argument[]): NumberType {
  if (args.some((arg) => arg.type === "literal" && !Number.isInteger(arg.value))) return "f32";
  for (const type of ["f32", "u32", "i32"] as const) if (args.some((arg) => arg.type === type)) return type;
  return numbers;
}

function numbersOf({ shader }: Printing, arg: Argument, type: NumberType): string {
  return arg.type === "literal" ? shader.constant(arg.value, type).text : convert(arg, type);
}

/** A value as a test: anything but 0 and NaN holds. */
function testOf(p: Printing, arg: Argument): string {
  if (arg.type === "literal") return arg.value !== 0 && !Number.isNaN(arg.value) ? "true" : "false";
  return convert(arg, "bool");
}

/** Floating printers see integers as floats. */
function floating(body: (p: Printing, ...args: string[]) => string): Printer {
  return (p, args) => ({ type: "f32", text: body(p, ...args.map((arg) => numbersOf(p, arg, "f32"))) });
}

const through = (name: ShaderFunctionName) =>
  floating((p, ...args) => `${useFunction(p.shader, name)}(${args.join(", ")})`);

/** One text per kind of number. */
function arithmetic(
  float: (p: Printing, ...args: string[]) => string,
  signed: (...args: string[]) => string,
  unsigned: (...args: string[]) => string = signed,
): Printer {
  return (p, args) => {
    const type = common(p, args);
    const texts = args.map((arg) => numbersOf(p, arg, type));
    return { type, text: type === "f32" ? float(p, ...texts) : (type === "i32" ? signed : unsigned)(...texts) };
  };
}

const infix = (symbol: string): Printer => {
  const print = (a: string, b: string) => `(${a} ${symbol} ${b})`;
  return arithmetic((_, a, b) => print(a as string, b as string), print as (...args: string[]) => string);
};

function comparison(symbol: string): Printer {
  return (p, args) => {
    const type = common(p, args);
    const [a, b] = args.map((arg) => numbersOf(p, arg, type)) as [string, string];
    // Printed as the opposite of equality, so that NaN differs from everything.
    return { type: "bool", text: symbol === "!=" ? `!(${a} == ${b})` : `(${a} ${symbol} ${b})` };
  };
}

const extremum = (name: "maximum" | "minimum"): Printer => {
  const integers = (a: string, b: string) => `${name.slice(0, 3)}(${a}, ${b})`;
  return arithmetic(
    (p, a, b) => `${useFunction(p.shader, name)}(${a}, ${b})`,
    integers as (...args: string[]) => string,
  );
};

/** A test that integers decide by themselves. */
function edge(name: "is_nan" | "is_finite"): Printer {
  return (p, args) => {
    const type = common(p, args);
    if (type !== "f32") return { type: "bool", text: String(name === "is_finite") };
    return { type: "bool", text: `${useFunction(p.shader, name)}(${numbersOf(p, args[0] as Argument, type)})` };
  };
}

const named = (p: Printing, arg: Argument, type: NumberType) => p.shader.let({ type, text: numbersOf(p, arg, type) });

/** The WGSL column of the table of scalar operations. */
const printers: Readonly<Record<OperationName, Printer>> = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: floating((_, a, b) => `(${a} / ${b})`),
  pow: through("power"),
  remainder: arithmetic(
    (p, a, b) => `${useFunction(p.shader, "remainder_of")}(${a}, ${b})`,
    (a, b) => `select(((${a} % ${b}) + ${b}) % ${b}, 0, ${b} == 0)`,
    (a, b) => `select(${a} % ${b}, 0u, ${b} == 0u)`,
  ),
  maximum: extremum("maximum"),
  minimum: extremum("minimum"),
  neg: arithmetic(
    (_, u) => `(-${u})`,
    (u) => `(-${u})`,
    (u) => `(0u - ${u})`,
  ),
  abs: arithmetic(
    (_, u) => `abs(${u})`,
    (u) => `abs(${u})`,
  ),
  sign: arithmetic(
    (p, u) => `${useFunction(p.shader, "sign_of")}(${u})`,
    (u) => `sign(${u})`,
    (u) => `min(${u}, 1u)`,
  ),
  floor: floating((_, u) => `floor(${u})`),
  ceil: floating((_, u) => `ceil(${u})`),
  trunc: floating((_, u) => `trunc(${u})`),
  round: floating((_, u) => `round(${u})`),
  exp: through("exp_of"),
  expm1: through("expm1_of"),
  log: through("log_of"),
  log1p: through("log1p_of"),
  sqrt: floating((_, u) => `sqrt(${u})`),
  square: (p, [u]) => {
    const { type, text } = named(p, u as Argument, common(p, [u as Argument]));
    return { type, text: `(${text} * ${text})` };
  },
  reciprocal: floating((_, u) => `(1.0 / ${u})`),
  sin: through("sin_of"),
  cos: through("cos_of"),
  tan: through("tan_of"),
  atan: through("atan_of"),
  sinh: through("sinh_of"),
  cosh: through("cosh_of"),
  tanh: through("tanh_of"),
  sigmoid: through("sigmoid_of"),
  softplus: through("softplus_of"),
  logCosh: through("log_cosh_of"),
  relu: arithmetic(
    (_, u) => `select(${u}, 0.0, ${u} < 0.0)`,
    (u) => `max(${u}, 0)`,
    (u) => u as string,
  ),
  equal: comparison("=="),
  notEqual: comparison("!="),
  less: comparison("<"),
  lessEqual: comparison("<="),
  greater: comparison(">"),
  greaterEqual: comparison(">="),
  and: (p, [a, b]) => ({ type: "bool", text: `(${testOf(p, a as Argument)} && ${testOf(p, b as Argument)})` }),
  or: (p, [a, b]) => ({ type: "bool", text: `(${testOf(p, a as Argument)} || ${testOf(p, b as Argument)})` }),
  not: (p, [a]) => ({ type: "bool", text: `!(${testOf(p, a as Argument)})` }),
  isFinite: edge("is_finite"),
  isNaN: edge("is_nan"),
  where: (p, [condition, a, b]) => {
    const test = testOf(p, condition as Argument);
    const branches = [a, b] as [Argument, Argument];
    if (branches.every(({ type }) => type === "bool")) {
      const [u, v] = branches as [Value, Value];
      return { type: "bool", text: `select(${v.text}, ${u.text}, ${test})` };
    }
    const type = common(p, branches);
    return {
      type,
      text: `select(${numbersOf(p, branches[1], type)}, ${numbersOf(p, branches[0], type)}, ${test})`,
    };
  },
  clamp: (p, [u, low, high]) => {
    const raised = p.shader.let(extremum("maximum")(p, [u as Argument, low as Argument]));
    return extremum("minimum")(p, [raised, high as Argument]);
  },
};

/** True where 32-bit integers can compute the formula exactly. */
function staysIntegral(f: Expression): boolean {
  const { nodes, constants } = normalize(f);
  const whole = constants.every((c) => Number.isInteger(c) && Math.abs(c) < 2 ** 32);
  return whole && nodes.every((node) => node.kind !== "apply" || operation(node.operation).domain !== "floating");
}

/** What numbers the constants of a kernel are where nothing else says it. */
export function numbersFor(out: DType, operands: readonly Operand[], formulas: readonly Expression[]): NumberType {
  const dtypes = operands.flatMap((operand) => (isIndex(operand) ? [] : [operand.dtype]));
  if (out === "float32" || dtypes.includes("float32") || !formulas.every(staysIntegral)) return "f32";
  if (dtypes.includes("int32")) return "i32";
  return dtypes.includes("uint32") || out === "uint32" ? "u32" : "i32";
}

/**
 * Prints a formula: a line for every operation, then a value that may be repeated.
 *
 * @param inputs   The value of input k; asked for once each.
 * @param numbers  What the constants are where nothing else says it.
 */
export function printFormula(
  shader: ShaderBuilder,
  f: Expression,
  inputs: (index: number) => Value,
  numbers: NumberType = "f32",
): Value {
  const p: Printing = { shader, numbers };
  const { nodes, constants } = normalize(f);
  const values: Argument[] = [];
  for (const node of nodes) {
    if (node.kind === "slot") values.push({ type: "literal", value: constants[node.slot] as number });
    else if (node.kind === "input") values.push(shader.let(inputs(node.index)));
    else {
      const args = node.arguments.map((k) => values[k] as Argument);
      values.push(shader.let(printers[node.operation](p, args)));
    }
  }
  const last = values.at(-1) as Argument;
  return last.type === "literal" ? shader.constant(last.value, numbers) : last;
}
