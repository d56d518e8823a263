import { apply, constant, operation, type Expression, type OperationName } from "@robgrad/tensor/kernels";

type Applied = Extract<Expression, { kind: "apply" }>;

/**
 * Builds formulas in which equal parts are one object, numbers are folded, and what would overflow or cancel is written
 * as the operation that does not: ln cosh u, sinh u/cosh u, ln(1 + eᵘ), eᵘ/(1 + eᵘ), ln(1 + u), eᵘ − 1, |u|/u.
 */
export class StableForm {
  readonly #parts = new Map<string, Expression>();
  readonly #keys = new Map<Expression, string>();

  /** The one object for a formula. */
  one(e: Expression): Expression {
    const key =
      e.kind === "constant"
        ? `c${Object.is(e.value, -0) ? "-0" : e.value}`
        : e.kind === "input"
          ? `i${e.index}`
          : `${e.operation}(${e.arguments.map((part) => this.#keys.get(part)).join()})`;
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    this.#parts.set(key, e);
    this.#keys.set(e, `#${this.#keys.size}`);
    return e;
  }

  constant(value: number): Expression {
    return this.one(constant(value));
  }

  /** The operation of parts that this form has built. */
  apply(name: OperationName, ...args: readonly Expression[]): Expression {
    return this.#simplified(name, args) ?? this.one(this.#folded(name, args));
  }

  #folded(name: OperationName, args: readonly Expression[]): Expression {
    if (args.every((part) => part.kind === "constant")) {
      return constant(operation(name).js.evaluate(...args.map((part) => (part as { value: number }).value)));
    }
    return apply(name, ...args);
  }

  #simplified(name: OperationName, args: readonly Expression[]): Expression | null {
    const [a, b] = args as [Expression, Expression];
    switch (name) {
      case "add":
        if (isNumber(a, 0)) return b;
        if (isNumber(b, 0)) return a;
        break;
      case "sub":
        if (isNumber(b, 0)) return a;
        if (isNumber(a, 0)) return this.apply("neg", b);
        if (isNumber(b, 1) && is(a, "exp")) return this.apply("expm1", a.arguments[0] as Expression);
        break;
      case "mul":
        if (isNumber(a, 0) || isNumber(b, 0)) return this.constant(0);
        break;
      case "div":
        return isNumber(a, 0) ? a : this.#quotient(a, b);
      case "log":
        if (is(a, "cosh")) return this.apply("logCosh", a.arguments[0] as Expression);
        if (is(a, "add")) {
          const rest = this.#besidesOne(a);
          if (rest !== null)
            return is(rest, "exp") ? this.apply("softplus", rest.arguments[0]!) : this.apply("log1p", rest);
        }
        break;
      case "pow":
        return this.#power(a, b);
    }
    return null;
  }

  /** a/b where a factor of a and the whole of b are one bounded function. */
  #quotient(a: Expression, b: Expression): Expression | null {
    const factors: Expression[] = [];
    const collect = (e: Expression): void => (is(e, "mul") ? e.arguments.forEach(collect) : void factors.push(e));
    collect(a);
    const swap = (found: (factor: Expression) => Expression | null): Expression | null => {
      for (const [k, factor] of factors.entries()) {
        const bounded = found(factor);
        if (bounded === null) continue;
        return factors.map((other, n) => (n === k ? bounded : other)).reduce((x, y) => this.apply("mul", x, y));
      }
      return null;
    };
    if (is(b, "cosh")) {
      const [u] = b.arguments as [Expression];
      return swap((factor) => (is(factor, "sinh") && factor.arguments[0] === u ? this.apply("tanh", u) : null));
    }
    if (is(b, "add")) {
      const rest = this.#besidesOne(b);
      if (rest === null || !is(rest, "exp")) return null;
      const [u] = rest.arguments as [Expression];
      const rising = swap((factor) => (factor === rest ? this.apply("sigmoid", u) : null));
      return rising ?? (isNumber(a, 1) ? this.apply("sigmoid", this.apply("neg", u)) : null);
    }
    return swap((factor) => (is(factor, "abs") && factor.arguments[0] === b ? this.apply("sign", b) : null));
  }

  /** u of 1 + u. */
  #besidesOne({ arguments: [a, b] }: Applied): Expression | null {
    return isNumber(a, 1) ? b! : isNumber(b, 1) ? a! : null;
  }

  /** Whole powers are products, which take any sign. */
  #power(base: Expression, exponent: Expression): Expression | null {
    if (exponent.kind !== "constant") {
      if (base.kind !== "constant") return null;
      const rate = this.constant(Math.log(base.value));
      return this.apply("exp", isNumber(rate, 1) ? exponent : this.apply("mul", exponent, rate));
    }
    const { value } = exponent;
    if (value === 0) return this.constant(1);
    if (value === 0.5) return this.apply("sqrt", base);
    if (!Number.isInteger(value) || Math.abs(value) > 16) return null;
    let power = base;
    for (let k = 1; k < Math.abs(value); k++) power = this.apply("mul", power, base);
    return value > 0 ? power : this.apply("div", this.constant(1), power);
  }
}

const isNumber = (e: Expression | undefined, value: number): boolean => e?.kind === "constant" && e.value === value;
const is = (e: Expression, name: OperationName): e is Applied => e.kind === "apply" && e.operation === name;
