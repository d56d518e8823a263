import { codedError } from "../errors.js";
import { apply, constant, input, type Expression } from "./expression.js";
import { elementwiseMethods, type ElementwiseMethods } from "./elementwise.js";
import { operation as recordOf, type OperationName } from "./operations.js";

const brand: unique symbol = Symbol.for("robgrad.scalar");

/**
 * A traced number: what the function given to `map`, `mean` or a column program receives.
 * Its methods record a formula; using it as a JavaScript number throws, because `u > 0 ? …` would lie. Tests such as
 * `u.greater(0)` choose in `where` and count as 1 or 0 in arithmetic.
 */
export class Scalar {
  readonly expression: Expression;
  /** The trace it belongs to; scalars of two traces cannot meet. */
  readonly trace: object;

  constructor(expression: Expression, trace: object) {
    this.expression = expression;
    this.trace = trace;
  }

  /** @internal True for a traced number of any copy of this package. */
  static is(value: unknown): value is Scalar {
    return typeof value === "object" && value !== null && brand in value;
  }

  get [brand](): true {
    return true;
  }

  /** Always throws: a traced number has no value yet. */
  [Symbol.toPrimitive](): never {
    throw codedError(
      "BAD_ARGUMENT",
      "Scalar: expected to be used through its methods, found it used as a JavaScript number; write where(u.greater(0), a, b) and u.tanh()",
    );
  }

  static {
    for (const name of elementwiseMethods) {
      Object.defineProperty(this.prototype, name, {
        value(this: Scalar, ...rest: readonly (Scalar | number)[]) {
          return combine(name, [this, ...rest]);
        },
        configurable: true,
        writable: true,
      });
    }
  }
}

export interface Scalar extends ElementwiseMethods<Scalar> {}

/** A function of traced scalars, such as `(u) => u.clamp(-1, 1)`. */
export type ScalarFunction = (u: Scalar, ...rest: Scalar[]) => Scalar | number;

/** Applies an operation to scalars and numbers of one trace. */
export function combine(operation: OperationName, args: readonly (Scalar | number)[]): Scalar {
  const { arity } = recordOf(operation);
  if (args.length !== arity) {
    throw codedError("BAD_ARGUMENT", `${operation}: expected ${arity} operands, found ${args.length}`);
  }
  const first = args.find(Scalar.is);
  if (first === undefined) throw codedError("BAD_ARGUMENT", `${operation}: expected at least one Scalar`);
  const expressions = args.map((arg) => {
    if (typeof arg === "number") return constant(arg);
    if (!Scalar.is(arg)) {
      throw codedError("BAD_ARGUMENT", `${operation}: expected a Scalar or a number, found ${typeof arg}`);
    }
    if (arg.trace !== first.trace) {
      throw codedError(
        "BAD_ARGUMENT",
        `${operation}: expected scalars of one function, found one captured from another`,
      );
    }
    return arg.expression;
  });
  return new Scalar(apply(operation, ...expressions), first.trace);
}

/** Runs a scalar function once on symbols; the formula it returns is what devices compile. */
export function traceScalar(subject: string, f: ScalarFunction, arity: number): Expression {
  const trace = {};
  const symbols = Array.from({ length: arity }, (_, k) => new Scalar(input(k), trace));
  return expressionOf(subject, f(...(symbols as [Scalar, ...Scalar[]])), trace);
}

export function expressionOf(subject: string, result: unknown, trace: object): Expression {
  if (typeof result === "number") return constant(result);
  if (!Scalar.is(result)) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected the function to return a Scalar or a number, found ${typeof result}`,
    );
  }
  if (result.trace !== trace) {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected the function to return its own Scalar, found one of another function`,
    );
  }
  return result.expression;
}
