import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { and, f32x4, f64x2, or, select } from "./lanes.js";
import { eachCell, type Rows } from "./rows.js";
import { i32x4, i64x2, keyOf, ordered } from "./whole-lanes.js";

/** A number of each column besides the rows: one for each vector, `times` of it, a whole number in every lane. */
export interface Repeated {
  readonly values: readonly Code[];
  readonly times: Code;
}

/** A limit below which so many numbers of a column shall be found; `orMore`: or one more. */
export interface Aim {
  readonly count: number;
  readonly orMore: boolean;
}

/**
 * The keys of two limits, and how many numbers of a column are below each: at most as many as are aimed at, and more.
 * The search is over where the lower one fits, or no key is between them: then the numbers in the way are all equal to it.
 */
export interface Bracket {
  readonly low: Variable;
  readonly under: Variable;
  readonly high: Variable;
  readonly beneath: Variable;
}

/** What is searched: numbers in rows, a NaN for none, and others. */
export class Selection {
  readonly #f: FunctionBody;
  readonly #rows: Rows;
  readonly #repeated: Repeated | null;

  constructor(f: FunctionBody, rows: Rows, repeated: Repeated | null) {
    this.#f = f;
    this.#rows = rows;
    this.#repeated = repeated;
  }

  get #floats() {
    return this.#rows.wide ? f64x2 : f32x4;
  }

  get #whole() {
    return this.#rows.wide ? i64x2 : i32x4;
  }

  #key(value: Code): Code {
    return keyOf(this.#f, this.#rows.wide, value);
  }

  #float(key: Code): Code {
    return ordered(this.#f, this.#rows.wide, key);
  }

  /** Calls `take` in a walk for every vector of the rows, and for the other number. */
  #each(take: (v: number, value: Code) => void): void {
    const f = this.#f;
    this.#repeated?.values.forEach((value, v) => {
      const some = this.#whole.gt((this.#repeated as Repeated).times, this.#whole.constant(0));
      take(v, f.let("v128", select(some, value, this.#floats.constant(NaN))));
    });
    eachCell(f, this.#rows, (cell) => {
      for (let v = 0; v < this.#rows.vectors; v++) take(v, f.let("v128", cell(v)));
    });
  }

  /**
   * Narrows brackets, a list of one for each vector for every aim, until all lanes are done: counts what is below a guess
   * from the counts at both ends. At first and every sixteenth time the ends move to the outermost numbers within, which
   * shows where all are equal, and the guess is in the middle. No data is moved.
   *
   * @param done  Lanes that are not waited for.
   */
  narrow(aims: readonly Aim[], brackets: readonly (readonly Bracket[])[], done: readonly (readonly Code[])[]): void {
    const f = this.#f;
    const whole = this.#whole;
    const all = aims.flatMap((aim, k) =>
      (brackets[k] as readonly Bracket[]).map((bracket, v) => ({
        aim,
        bracket,
        done: done[k]?.[v] as Code,
        v,
        guess: f.variable("v128"),
        count: f.variable("v128"),
      })),
    );
    const turn = f.variable("i32");
    f.set(turn, integer(0));
    f.scope(() => this.#tighten(all));
    f.block(() => {
      f.loop(() => {
        const settled = all.map((one) => or(this.#isSettled(one.aim, one.bracket), one.done)).reduce(and);
        f.branchIf(1, whole.all(settled));
        f.advance(turn, 1);
        f.if(
          unary("i32.eqz", binary("i32.and", turn.get, integer(15))),
          () => {
            f.scope(() => this.#tighten(all));
            for (const { bracket, guess } of all) f.set(guess, this.#middle(bracket));
          },
          () => f.scope(() => all.forEach(({ aim, bracket, guess }) => f.set(guess, this.#guess(aim, bracket)))),
        );
        f.scope(() => {
          const limits = all.map(({ guess }) => f.let("v128", this.#float(guess.get)));
          all.forEach(({ v, count }, k) => {
            if (this.#repeated === null) f.set(count, whole.constant(0));
            else {
              const less = this.#floats.lt(this.#repeated.values[v] as Code, limits[k] as Code);
              f.set(count, and(less, this.#repeated.times));
            }
          });
          eachCell(f, this.#rows, (cell) => {
            const values = Array.from({ length: this.#rows.vectors }, (_, v) => f.let("v128", cell(v)));
            all.forEach(({ v, count }, k) =>
              f.set(count, whole.sub(count.get, this.#floats.lt(values[v] as Code, limits[k] as Code))),
            );
          });
          for (const { aim, bracket, guess, count } of all) {
            const { low, under, high, beneath } = bracket;
            const few = f.let("v128", whole.le(count.get, whole.constant(aim.count)));
            f.set(low, select(few, guess.get, low.get));
            f.set(under, select(few, count.get, under.get));
            f.set(high, select(few, high.get, guess.get));
            f.set(beneath, select(few, beneath.get, count.get));
          }
        });
        f.branchIf(0, integer(1));
      });
    });
  }

  #isSettled({ count, orMore }: Aim, { low, under, high, beneath }: Bracket): Code {
    const whole = this.#whole;
    const fits = whole.eq(under.get, whole.constant(count));
    const found = or(fits, whole.eq(whole.sub(high.get, low.get), whole.constant(1)));
    return orMore ? or(found, whole.eq(beneath.get, whole.constant(count + 1))) : found;
  }

  #middle({ low, high }: Bracket): Code {
    return this.#whole.add(low.get, this.#whole.half(this.#whole.sub(high.get, low.get)));
  }

  /**
   * A key between both ends: that of the mean. Where what is known of zeros has parted the signs, it is where the aim
   * would be if keys, which are logarithms nearly, were evenly spread, but nearer the middle.
   */
  #guess({ count }: Aim, bracket: Bracket): Code {
    const f = this.#f;
    const whole = this.#whole;
    const { low, under, high, beneath } = bracket;
    const one = whole.constant(1);
    const within = (key: Code) => {
      const most = f.let("v128", whole.min(f.let("v128", key), f.let("v128", whole.sub(high.get, one))));
      return whole.max(most, f.let("v128", whole.add(low.get, one)));
    };
    if (this.#rows.wide || this.#repeated === null) {
      const half = ({ get }: Variable) => this.#floats.mul(this.#float(get), this.#floats.constant(0.5));
      return within(ordered(f, this.#rows.wide, this.#floats.add(half(low), half(high))));
    }
    const number = (a: Code, b: Code) => unary("f32x4.convert_i32x4_s", whole.sub(a, b));
    const share = f32x4.div(number(whole.constant(count), under.get), number(beneath.get, under.get));
    const part = f32x4.add(f32x4.mul(share, f32x4.constant(1.6)), f32x4.constant(0.2));
    const half = unary("f32x4.convert_i32x4_s", whole.half(whole.sub(high.get, low.get)));
    return within(whole.add(low.get, unary("i32x4.trunc_sat_f32x4_s", f32x4.mul(half, part))));
  }

  /** Moves the ends of brackets to the smallest number that is not below, and next to the largest one that is. */
  #tighten(all: readonly { readonly bracket: Bracket; readonly v: number }[]): void {
    const f = this.#f;
    const parts = all.map(({ bracket, v }) => ({
      bracket,
      v,
      from: f.let("v128", this.#float(bracket.low.get)),
      to: f.let("v128", this.#float(bracket.high.get)),
      least: f.variable("v128"),
      most: f.variable("v128"),
    }));
    for (const { least, most } of parts) {
      f.set(least, this.#floats.constant(Infinity));
      f.set(most, this.#floats.constant(-Infinity));
    }
    this.#each((vector, value) => {
      for (const { v, from, to, least, most } of parts) {
        if (v !== vector) continue;
        f.set(least, this.#floats.pmin(least.get, or(value, this.#floats.lt(value, from))));
        f.set(most, this.#floats.pmax(most.get, or(value, this.#floats.ge(value, to))));
      }
    });
    for (const { bracket, least, most } of parts) {
      f.set(bracket.low, this.#key(least.get));
      f.set(bracket.high, this.#whole.add(this.#key(most.get), this.#whole.constant(1)));
    }
  }

  /** The largest number below what a bracket has found and the smallest one not below it, for every aim and vector. */
  neighbours(
    aims: readonly Aim[],
    brackets: readonly (readonly Bracket[])[],
  ): { readonly below: Code; readonly above: Code }[][] {
    const f = this.#f;
    const whole = this.#whole;
    const is = (variable: Variable, number: number) => whole.eq(variable.get, whole.constant(number));
    const parts = aims.map(({ count }, k) =>
      (brackets[k] as readonly Bracket[]).map(({ low, under, high }) => {
        const key = f.let("v128", select(is(under, count), low.get, high.get));
        const limit = f.let("v128", this.#float(key));
        return { limit, below: f.variable("v128"), above: f.variable("v128") };
      }),
    );
    for (const { below, above } of parts.flat()) {
      f.set(below, this.#floats.constant(-Infinity));
      f.set(above, this.#floats.constant(Infinity));
    }
    this.#each((v, value) => {
      for (const list of parts) {
        const { limit, below, above } = list[v] as (typeof list)[number];
        // All bits of what does not count make a NaN, which neither takes.
        f.set(below, this.#floats.pmax(below.get, or(value, this.#floats.ge(value, limit))));
        f.set(above, this.#floats.pmin(above.get, or(value, this.#floats.lt(value, limit))));
      }
    });
    return parts.map((list, k) =>
      list.map(({ below, above }, v) => {
        const { count, orMore } = aims[k] as Aim;
        const bracket = (brackets[k] as readonly Bracket[])[v] as Bracket;
        const fits = f.let("v128", is(bracket.under, count));
        const tie = f.let("v128", this.#float(bracket.low.get));
        if (!orMore) {
          const otherwise = (value: Variable) => f.let("v128", select(fits, value.get, tie));
          return { below: otherwise(below), above: otherwise(above) };
        }
        // The number of one place: above a limit with so many below it, or below one with one more.
        const next = select(is(bracket.beneath, count + 1), below.get, tie);
        const value = f.let("v128", select(fits, above.get, next));
        return { below: value, above: value };
      }),
    );
  }
}
