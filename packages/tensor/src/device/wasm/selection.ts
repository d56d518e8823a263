import { binary, integer, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { and, f32x4, not, or, select } from "./lanes.js";
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
 * Narrows brackets, a list of one for each vector for every aim, until all lanes are done: guesses by turns from the
 * values at both ends, in the middle of the keys and next to the lower end, which is where many equal ones show.
 * No data is moved.
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
  const all = aims.flatMap((aim, k) =>
    (brackets[k] as readonly Bracket[]).map((bracket, v) => ({ aim, bracket, v, guess: f.variable("v128") })),
  );
  const turn = f.variable("i32");
  f.set(turn, integer(0));
  f.block(() => {
    f.loop(() => {
      const settled = all.map(({ aim, bracket, v }) => or(isSettled(wide, aim, bracket), done[v] as Code)).reduce(and);
      f.branchIf(1, whole.all(settled));
      const way = f.let("i32", binary("i32.and", turn.get, integer(3)));
      f.advance(turn, 1);
      const guess = (of: (search: (typeof all)[number]) => Code) => () =>
        f.scope(() => all.forEach((search) => f.set(search.guess, of(search))));
      const middle = guess(({ bracket: { low, high } }) =>
        whole.add(low.get, whole.half(whole.sub(high.get, low.get))),
      );
      f.if(
        binary("i32.and", way, integer(1)),
        () =>
          f.if(
            binary("i32.and", way, integer(2)),
            guess(({ bracket }) => whole.add(bracket.low.get, whole.constant(1))),
            middle,
          ),
        wide ? middle : guess(({ aim, bracket }) => interpolated(f, aim, bracket)),
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

function isSettled(wide: boolean, { count, orMore }: Aim, { low, under, high, beneath }: Bracket): Code {
  const whole = wide ? i64x2 : i32x4;
  const fits = whole.eq(under.get, whole.constant(count));
  const ties = whole.eq(whole.sub(high.get, low.get), whole.constant(1));
  const found = or(fits, ties);
  return orMore ? or(found, whole.eq(beneath.get, whole.constant(count + 1))) : found;
}

/** Where a bracket's aim would be if its values were evenly spread, and between its ends. */
function interpolated(f: FunctionBody, { count }: Aim, { low, under, high, beneath }: Bracket): Code {
  const [from, to] = [low, high].map(({ get }) => f.let("v128", ordered(f, false, get))) as [Code, Code];
  const part = (a: Code, b: Code) => i32x4.float(f, i32x4.sub(a, b));
  const share = f32x4.div(part(i32x4.constant(count), under.get), part(beneath.get, under.get));
  const value = f32x4.add(from, f32x4.mul(f32x4.sub(to, from), share));
  const one = i32x4.constant(1);
  return i32x4.max(i32x4.min(ordered(f, false, value), i32x4.sub(high.get, one)), i32x4.add(low.get, one));
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
