import { codedError } from "../errors.js";
import { input, type Expression } from "../scalar/expression.js";
import { operation } from "../scalar/operations.js";
import { resultDType } from "../scalar/result-dtype.js";
import { expressionOf, Scalar, type ScalarFunction } from "../scalar/scalar.js";

/**
 * A column program as plain data. Vectors and registers are numbered; formulas read registers as inputs.
 * Vector 0 holds the N values of the coordinate, registers 0 … operands − 1 its per-feature operands.
 */
export interface ColumnTrace {
  readonly operands: number;
  readonly vectors: number;
  readonly registers: number;
  readonly statements: readonly ColumnStatement[];
  readonly result: Expression;
}

export type ColumnStatement =
  /** vector ← f(element) with the element of `source` in register `element` */
  | {
      readonly kind: "map";
      readonly vector: number;
      readonly source: number;
      readonly element: number;
      readonly f: Expression;
    }
  /** vector ← values of `source` in ascending order, NaN last */
  | { readonly kind: "sorted"; readonly vector: number; readonly source: number }
  | {
      readonly kind: "slice";
      readonly vector: number;
      readonly source: number;
      readonly start: number;
      readonly stop: number;
    }
  /** register ← ⊕ f(element) over `source`; the mean divides by its length */
  | {
      readonly kind: "reduce";
      readonly register: number;
      readonly source: number;
      readonly element: number;
      readonly monoid: "mean" | "sum" | "max" | "min";
      readonly f: Expression;
    }
  /** register ← linearly interpolated quantile; NaN if any value is */
  | { readonly kind: "quantile"; readonly register: number; readonly source: number; readonly q: number }
  /** register ← formula: what a pass needs that does not depend on its element */
  | { readonly kind: "let"; readonly register: number; readonly f: Expression }
  /** register: from `initial`, repeat body and register ← next until |change| ≤ tolerance */
  | {
      readonly kind: "iterate";
      readonly register: number;
      readonly initial: Expression;
      readonly body: readonly ColumnStatement[];
      readonly next: Expression;
      readonly tolerance: Expression;
      readonly maximum: number;
    };

/**
 * What a coordinate-wise rule computes from the N values of one coordinate.
 *
 * @example  const trimmed: ColumnProgram = (c) => c.sorted().slice(1, c.length - 1).mean();
 */
export type ColumnProgram = (column: Column, ...perFeature: Scalar[]) => Scalar | number;

class Tracer {
  readonly trace = {};
  statements: ColumnStatement[] = [];
  vectors = 1;
  registers = 0;
  /** Registers that hold an element of a pass: only that pass may read them. */
  readonly #elements = new Set<number>();

  register(): number {
    return this.registers++;
  }

  scalar(register: number): Scalar {
    return new Scalar(input(register), this.trace);
  }

  expression(subject: string, value: unknown, element?: number): Expression {
    const e = expressionOf(subject, value, this.trace);
    this.#check(subject, e, element);
    return e;
  }

  #check(subject: string, e: Expression, element: number | undefined): void {
    resultDType(subject, e, []);
    const seen = new Set<Expression>();
    const visit = (node: Expression): void => {
      if (node.kind === "input" && node.index !== element && this.#elements.has(node.index)) {
        throw codedError(
          "BAD_ARGUMENT",
          `${subject}: expected values of the whole column, found an element of another pass; only the function that is given an element may use it`,
        );
      }
      if (node.kind !== "apply" || seen.has(node)) return;
      seen.add(node);
      node.arguments.forEach(visit);
    };
    visit(e);
  }

  /** Traces f on a fresh element register. What does not depend on the element is computed before the pass. */
  element(subject: string, f: ScalarFunction | undefined, rest: readonly Scalar[]): { element: number; f: Expression } {
    const element = this.register();
    this.#elements.add(element);
    const symbol = this.scalar(element);
    if (f === undefined) return { element, f: symbol.expression };
    return { element, f: this.#hoisted(this.expression(subject, f(symbol, ...rest), element), element) };
  }

  #hoisted(e: Expression, element: number): Expression {
    const done = new Map<Expression, { readonly e: Expression; readonly varies: boolean }>();
    const settled = new Map<Expression, Expression>();
    const settle = (node: Expression): Expression => {
      let result = settled.get(node);
      if (result === undefined) {
        const register = this.register();
        this.statements.push({ kind: "let", register, f: node });
        settled.set(node, (result = input(register)));
      }
      return result;
    };
    const visit = (node: Expression): { readonly e: Expression; readonly varies: boolean } => {
      if (node.kind !== "apply") return { e: node, varies: node.kind === "input" && node.index === element };
      let result = done.get(node);
      if (result === undefined) {
        const parts = node.arguments.map(visit);
        // Registers hold numbers: a test stays where it is, and only its operands are computed before.
        const varies = parts.some((part) => part.varies) || operation(node.operation).result === "bool";
        const args = parts.map((part) => (varies && !part.varies && part.e.kind === "apply" ? settle(part.e) : part.e));
        result = { e: varies ? { ...node, arguments: args } : node, varies };
        done.set(node, result);
      }
      return result;
    };
    return visit(e).e;
  }
}

/**
 * N values of one coordinate, traced. Its methods record a program; the device runs it for every coordinate. A function
 * given to a pass may use scalars of the column freely; they are computed before the pass.
 *
 * @example  denseSamples(device.ones([5, 3])).columns((c) => c.mean((u, m) => u.sub(m).square(), c.mean()))
 */
export class Column {
  /** How many values: N, or fewer after `slice`. */
  readonly length: number;
  readonly #tracer: Tracer;
  readonly #vector: number;

  /** @internal */
  constructor(tracer: Tracer, vector: number, length: number) {
    this.#tracer = tracer;
    this.#vector = vector;
    this.length = length;
  }

  /**
   * f of every value.
   *
   * @param rest  Scalars handed on to f, as in every pass.
   * @example     denseSamples(device.ones([5, 3])).columns((c) => c.map((u) => u.abs()).median())
   */
  map(f: ScalarFunction, ...rest: Scalar[]): Column {
    const tracer = this.#tracer;
    const traced = tracer.element("map", f, rest);
    const vector = tracer.vectors++;
    tracer.statements.push({ kind: "map", vector, source: this.#vector, ...traced });
    return new Column(tracer, vector, this.length);
  }

  /**
   * (1/N) Σₙ f(value). A test counts as 1 or 0.
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.mean((u) => u.greater(0)))
   */
  mean(f?: ScalarFunction, ...rest: Scalar[]): Scalar {
    return this.#reduce("mean", f, rest);
  }

  /**
   * Σₙ f(value).
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.sum((u) => u.square()).sqrt())
   */
  sum(f?: ScalarFunction, ...rest: Scalar[]): Scalar {
    return this.#reduce("sum", f, rest);
  }

  /**
   * The largest f(value); NaN if any is.
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.max((u) => u.abs()))
   */
  max(f?: ScalarFunction, ...rest: Scalar[]): Scalar {
    return this.#reduce("max", f, rest);
  }

  /**
   * The smallest f(value); NaN if any is.
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.max().sub(c.min()))
   */
  min(f?: ScalarFunction, ...rest: Scalar[]): Scalar {
    return this.#reduce("min", f, rest);
  }

  /**
   * The values in ascending order, NaN last.
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.sorted().slice(1, 4).mean())
   */
  sorted(): Column {
    const tracer = this.#tracer;
    const vector = tracer.vectors++;
    tracer.statements.push({ kind: "sorted", vector, source: this.#vector });
    return new Column(tracer, vector, this.length);
  }

  /**
   * Values start … stop − 1.
   *
   * @throws   BAD_ARGUMENT unless 0 ≤ start < stop ≤ length.
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.slice(0, 2).mean())
   */
  slice(start: number, stop: number): Column {
    if (!Number.isInteger(start) || !Number.isInteger(stop) || start < 0 || stop > this.length || start >= stop) {
      throw codedError(
        "BAD_ARGUMENT",
        `slice: expected whole numbers 0 ≤ start < stop ≤ ${this.length}, found ${start} and ${stop}`,
      );
    }
    const tracer = this.#tracer;
    const vector = tracer.vectors++;
    tracer.statements.push({ kind: "slice", vector, source: this.#vector, start, stop });
    return new Column(tracer, vector, stop - start);
  }

  /**
   * The q-quantile by linear interpolation between order statistics (NumPy's default); NaN if any value is.
   *
   * @throws   BAD_ARGUMENT unless 0 ≤ q ≤ 1.
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.quantile(0.75).sub(c.quantile(0.25)))
   */
  quantile(q: number): Scalar {
    if (!(q >= 0 && q <= 1)) throw codedError("BAD_ARGUMENT", `quantile: expected q in [0, 1], found ${q}`);
    const tracer = this.#tracer;
    const register = tracer.register();
    tracer.statements.push({ kind: "quantile", register, source: this.#vector, q });
    return tracer.scalar(register);
  }

  /**
   * The middle value, or the mean of the two middle ones; NaN if any value is.
   *
   * @example  denseSamples(device.ones([5, 3])).columns((c) => c.median())
   */
  median(): Scalar {
    return this.quantile(0.5);
  }

  /**
   * A fixed point per coordinate: state ← step(state) until |change| ≤ tolerance, at most `maximum` times.
   * A coordinate that has stopped keeps its state.
   *
   * @throws   BAD_ARGUMENT unless maximum is a whole number ≥ 1.
   * @example
   * denseSamples(device.ones([5, 3])).columns((c) =>
   *   c.iterate(c.median(), (t) => t.add(c.mean((u) => u.sub(t).tanh())), { maximum: 50, tolerance: 1e-6 }),
   * );
   */
  iterate(
    initial: Scalar | number,
    step: (state: Scalar) => Scalar | number,
    { maximum, tolerance }: { maximum: number; tolerance: Scalar | number },
  ): Scalar {
    if (!Number.isInteger(maximum) || maximum < 1) {
      throw codedError("BAD_ARGUMENT", `iterate: expected maximum to be a whole number ≥ 1, found ${maximum}`);
    }
    const tracer = this.#tracer;
    const register = tracer.register();
    const outer = tracer.statements;
    tracer.statements = [];
    let next: Expression;
    let body: readonly ColumnStatement[];
    try {
      next = tracer.expression("iterate", step(tracer.scalar(register)));
      body = tracer.statements;
    } finally {
      tracer.statements = outer;
    }
    tracer.statements.push({
      kind: "iterate",
      register,
      initial: tracer.expression("iterate", initial),
      body,
      next,
      tolerance: tracer.expression("iterate", tolerance),
      maximum,
    });
    return tracer.scalar(register);
  }

  #reduce(monoid: "mean" | "sum" | "max" | "min", f: ScalarFunction | undefined, rest: readonly Scalar[]): Scalar {
    const tracer = this.#tracer;
    const traced = tracer.element(monoid, f, rest);
    const register = tracer.register();
    tracer.statements.push({ kind: "reduce", register, source: this.#vector, monoid, ...traced });
    return tracer.scalar(register);
  }
}

/** Runs a column program once on symbols. */
export function traceColumn(program: ColumnProgram, samples: number, operands: number): ColumnTrace {
  const tracer = new Tracer();
  const perFeature = Array.from({ length: operands }, () => tracer.scalar(tracer.register()));
  const value = program(new Column(tracer, 0, samples), ...perFeature);
  const result = tracer.expression("columns", value);
  return { operands, vectors: tracer.vectors, registers: tracer.registers, statements: tracer.statements, result };
}
