import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { and, f32x4, f64x2, not, or, select } from "./lanes.js";
import { cell, eachRow, type Rows } from "./rows.js";
import { i32x4, i64x2, ordered } from "./whole-lanes.js";

/** Keys that belong to the columns besides the rows: one for each vector, `times` of it, a whole number in every lane. */
export interface Repeated {
  readonly keys: readonly Code[];
  readonly times: Code;
}

/** A key below which so many of a column's keys are shall be found; `orMore`: or one more. */
export interface Aim {
  readonly count: number;
  readonly orMore: boolean;
}

/**
 * Two keys, and how many of a column's keys are below each: at most as many as are aimed at, and more. The search is
 * over where the lower one fits, or no key is left between them: then all those in the way are equal to the lower one.
 */
export interface Bracket {
  readonly low: Variable;
  readonly under: Variable;
  readonly high: Variable;
  readonly beneath: Variable;
}

/**
 * Narrows brackets, a list of one for each vector for every aim, until all lanes are done: counts what is below the mean
 * of both ends, every eighth time below the middle of the keys, which is soon there whatever the exponents, and then moves
 * the ends to the outermost keys within, which shows where all are equal. No data is moved.
 *
 * @param done  Lanes that are not waited for.
 */
export function narrow(
  f: FunctionBody,
  rows: Rows,
  repeated: Repeated | null,
  aims: readonly Aim[],
  brackets: readonly (readonly Bracket[])[],
  done: readonly Code[],
): void {
  const { wide } = rows;
  const whole = wide ? i64x2 : i32x4;
  const floats = wide ? f64x2 : f32x4;
  const all = aims.flatMap((aim, k) =>
    (brackets[k] as readonly Bracket[]).map((bracket, v) => ({ aim, bracket, v, guess: f.variable("v128") })),
  );
  const turn = f.variable("i32");
  f.set(turn, integer(0));
  f.block(() => {
    f.loop(() => {
      const settled = all.map(({ aim, bracket, v }) => or(isSettled(wide, aim, bracket), done[v] as Code)).reduce(and);
      f.branchIf(1, whole.all(settled));
      f.advance(turn, 1);
      const eighth = f.let("i32", unary("i32.eqz", binary("i32.and", turn.get, integer(7))));
      f.if(
        eighth,
        () => {
          f.scope(() => tighten(f, rows, repeated, all));
          for (const { bracket, guess } of all) {
            const { low, high } = bracket;
            f.set(guess, whole.add(low.get, whole.half(whole.sub(high.get, low.get))));
          }
        },
        () => {
          f.scope(() => {
            for (const { bracket, guess } of all) {
              const [low, high] = [bracket.low.get, bracket.high.get];
              const half = (key: Code) => floats.mul(f.let("v128", ordered(f, wide, key)), floats.constant(0.5));
              const mean = f.let("v128", ordered(f, wide, floats.add(half(low), half(high))));
              const one = whole.constant(1);
              const most = f.let("v128", whole.min(mean, f.let("v128", whole.sub(high, one))));
              f.set(guess, whole.max(most, f.let("v128", whole.add(low, one))));
            }
          });
        },
      );
      f.scope(() => {
        const counts = countBelow(
          f,
          rows,
          repeated,
          all.map(({ v, guess }) => ({ v, limit: guess.get })),
        );
        all.forEach(({ aim, bracket: { low, under, high, beneath }, guess }, k) => {
          const count = (counts[k] as Variable).get;
          const few = f.let("v128", whole.le(count, whole.constant(aim.count)));
          f.set(low, select(few, guess.get, low.get));
          f.set(under, select(few, count, under.get));
          f.set(high, select(few, high.get, guess.get));
          f.set(beneath, select(few, beneath.get, count));
        });
      });
      f.branchIf(0, integer(1));
    });
  });
}

/** Moves the ends of brackets to the smallest key that is not below, and next to the largest one that is. */
function tighten(
  f: FunctionBody,
  rows: Rows,
  repeated: Repeated | null,
  all: readonly { readonly bracket: Bracket; readonly v: number }[],
): void {
  const whole = rows.wide ? i64x2 : i32x4;
  const parts = all.map(({ bracket, v }) => ({ bracket, v, least: f.variable("v128"), most: f.variable("v128") }));
  const take = (keyOf: (v: number) => Code, some: Code | null) => {
    for (const { bracket, v, least, most } of parts) {
      const key = keyOf(v);
      const reached = not(f.let("v128", whole.lt(key, bracket.low.get)));
      const below = f.let("v128", whole.lt(key, bracket.high.get));
      const [first, second] = some === null ? [reached, below] : [and(reached, some), and(below, some)];
      f.set(least, whole.min(least.get, f.let("v128", select(first, key, whole.most))));
      f.set(most, whole.max(most.get, f.let("v128", select(second, key, whole.least))));
    }
  };
  for (const { least, most } of parts) {
    f.set(least, whole.most);
    f.set(most, whole.least);
  }
  if (repeated !== null) {
    const some = f.let("v128", whole.gt(repeated.times, whole.constant(0)));
    take((v) => repeated.keys[v] as Code, some);
  }
  eachRow(f, rows, (row) => {
    const keys = Array.from({ length: rows.vectors }, (_, v) => f.let("v128", cell(row, v)));
    take((v) => keys[v] as Code, null);
  });
  for (const { bracket, least, most } of parts) {
    f.set(bracket.low, least.get);
    f.set(bracket.high, whole.add(most.get, whole.constant(1)));
  }
}

function isSettled(wide: boolean, { count, orMore }: Aim, { low, under, high, beneath }: Bracket): Code {
  const whole = wide ? i64x2 : i32x4;
  const fits = whole.eq(under.get, whole.constant(count));
  const ties = whole.eq(whole.sub(high.get, low.get), whole.constant(1));
  const found = or(fits, ties);
  return orMore ? or(found, whole.eq(beneath.get, whole.constant(count + 1))) : found;
}

/** How many keys of a column are less than each of some limits. */
function countBelow(
  f: FunctionBody,
  rows: Rows,
  repeated: Repeated | null,
  limits: readonly { readonly v: number; readonly limit: Code }[],
): Variable[] {
  const whole = rows.wide ? i64x2 : i32x4;
  const counts = limits.map(({ v, limit }) => {
    const count = f.variable("v128");
    if (repeated === null) f.set(count, whole.constant(0));
    else f.set(count, and(whole.lt(repeated.keys[v] as Code, limit), repeated.times));
    return count;
  });
  eachRow(f, rows, (row) => {
    const keys = Array.from({ length: rows.vectors }, (_, v) => f.let("v128", cell(row, v)));
    limits.forEach(({ v, limit }, k) => {
      const count = counts[k] as Variable;
      f.set(count, whole.sub(count.get, whole.lt(keys[v] as Code, limit)));
    });
  });
  return counts;
}

/** The largest key below what a bracket has found and the smallest one not below it, for every aim and vector. */
export function neighbours(
  f: FunctionBody,
  rows: Rows,
  repeated: Repeated | null,
  aims: readonly Aim[],
  brackets: readonly (readonly Bracket[])[],
): { readonly below: Code; readonly above: Code }[][] {
  const whole = rows.wide ? i64x2 : i32x4;
  const parts = aims.map(({ count }, k) =>
    (brackets[k] as readonly Bracket[]).map(({ low, under, high }) => ({
      limit: f.let("v128", select(whole.eq(under.get, whole.constant(count)), low.get, high.get)),
      below: f.variable("v128"),
      above: f.variable("v128"),
    })),
  );
  const take = ({ limit, below, above }: (typeof parts)[number][number], key: Code, counts: Code | null) => {
    const less = f.let("v128", whole.lt(key, limit));
    const [first, second] = counts === null ? [less, not(less)] : [and(less, counts), and(not(less), counts)];
    f.set(below, whole.max(below.get, f.let("v128", select(first, key, whole.least))));
    f.set(above, whole.min(above.get, f.let("v128", select(second, key, whole.most))));
  };
  const some = repeated === null ? null : f.let("v128", whole.gt(repeated.times, whole.constant(0)));
  for (const list of parts) {
    list.forEach((part, v) => {
      f.set(part.below, whole.least);
      f.set(part.above, whole.most);
      if (repeated !== null) take(part, repeated.keys[v] as Code, some);
    });
  }
  eachRow(f, rows, (row) => {
    const keys = Array.from({ length: rows.vectors }, (_, v) => f.let("v128", cell(row, v)));
    for (const list of parts) list.forEach((part, v) => take(part, keys[v] as Code, null));
  });
  return parts.map((list, k) =>
    list.map(({ below, above }, v) => {
      const { count, orMore } = aims[k] as Aim;
      const bracket = (brackets[k] as readonly Bracket[])[v] as Bracket;
      const is = (variable: Variable, number: number) => whole.eq(variable.get, whole.constant(number));
      const fits = f.let("v128", is(bracket.under, count));
      const otherwise = (key: Code) => f.let("v128", select(fits, key, bracket.low.get));
      if (!orMore) return { below: otherwise(below.get), above: otherwise(above.get) };
      // The key of one place: above a limit with so many below it, or below one with one more.
      const next = select(is(bracket.beneath, count + 1), below.get, bracket.low.get);
      const key = f.let("v128", select(fits, above.get, next));
      return { below: key, above: key };
    }),
  );
}
