import { binary, integer, unary, type Code, type Variable } from "./assembler.js";
import type { ColumnVectors, VectorSource } from "./column-vectors.js";
import { and, not, or, select } from "./lanes.js";
import { eachRow, type Rows } from "./rows.js";
import { narrow, neighbours, type Aim, type Bracket, type Repeated } from "./selection.js";
import type { TileRegisters } from "./tile-registers.js";
import { i32x4, i64x2, ordered, orderedNumber, type WholeLanes } from "./whole-lanes.js";

/** What shall be found of a vector's values in ascending order: those at a place and at the next one, or where the first `count` end. */
export type Wanted =
  | { readonly kind: "place"; readonly place: number; readonly next: boolean }
  | { readonly kind: "split"; readonly count: number };

/** Of a place: the numbers there and at the next one, for every vector. */
export interface Neighbours {
  readonly kind: "place";
  readonly vectors: readonly { readonly low: Variable; readonly high: Variable }[];
}

/** Of a split: a bracket that is done, for every vector. */
export interface Split {
  readonly kind: "split";
  readonly vectors: readonly Bracket[];
}

export type Found = Neighbours | Split;

/** What a vector has where the factors have 0, as numbers too, and a mask of the columns where a walk leaves some out. */
interface RepeatedZero extends Repeated {
  readonly values: readonly Code[];
  readonly some: Code;
}

/** So many numbers at either end are found in one walk that keeps them in registers. */
const mostAtAnEnd = 5;

/**
 * Finds order statistics of vectors. The walk of an outer product in panels counts what is less and what is equal to the
 * zeros it leaves out, which settles most; few numbers at an end are kept as it goes; only for the others keys are stored
 * and searched.
 */
export class ColumnOrder {
  readonly #registers: TileRegisters;
  readonly #vectors: ColumnVectors;
  readonly #keys: Code;
  readonly #whole: WholeLanes;

  /** @param keys  Address of rows for all samples. */
  constructor(registers: TileRegisters, vectors: ColumnVectors, keys: Code) {
    this.#registers = registers;
    this.#vectors = vectors;
    this.#keys = keys;
    this.#whole = registers.settings.wide ? i64x2 : i32x4;
  }

  /** Locals for what is wanted. */
  #declare(wanted: readonly Wanted[]): Found[] {
    const { f } = this.#registers;
    const variable = () => f.variable("v128");
    return wanted.map(({ kind }) =>
      kind === "place"
        ? { kind, vectors: this.#registers.each(() => ({ low: variable(), high: variable() })) }
        : {
            kind,
            vectors: this.#registers.each(() => ({
              low: variable(),
              under: variable(),
              high: variable(),
              beneath: variable(),
            })),
          },
    );
  }

  /**
   * Finds what is wanted, NaN last. The sign of a zero is lost.
   *
   * @param strange  Becomes a mask of the columns with a NaN, where that is wanted; what is found of them has no meaning then.
   */
  find(source: VectorSource, wanted: readonly Wanted[], strange: readonly Variable[] | null = null): Found[] {
    const found = this.#declare(wanted);
    if (wanted.length > 0) this.#registers.f.scope(() => this.#find(source, wanted, found, strange));
    return found;
  }

  #find(
    source: VectorSource,
    wanted: readonly Wanted[],
    found: readonly Found[],
    strange: readonly Variable[] | null,
  ): void {
    const { f, floats } = this.#registers;
    const left = this.#vectors.leavesOut(source);
    const ends = wanted.map((w) => endOf(w, source.length));
    const near = ends.every((end) => end !== null);
    const reach = (side: "low" | "high") =>
      Math.max(0, ...ends.map((end) => (near && end?.side === side ? end.reach : 0)));
    const [lows, highs] = [reach("low"), reach("high")];
    const bad = strange ?? this.#registers.variables();
    const repeated = left === null ? null : this.#repeated(source);
    if (left === null && !near) {
      this.#search(source, wanted, found, repeated, null, strange);
      return;
    }
    const whole = this.#whole;
    const zero = floats.constant(0);
    const tallies = this.#registers.each(() => ({ below: f.variable("v128"), reached: f.variable("v128") }));
    const least = this.#registers.each(() => Array.from({ length: lows }, () => f.variable("v128")));
    const most = this.#registers.each(() => Array.from({ length: highs }, () => f.variable("v128")));
    this.#registers.each((v) => {
      f.set(bad[v] as Variable, zero);
      for (const variable of least[v] as Variable[]) f.set(variable, floats.constant(Infinity));
      for (const variable of most[v] as Variable[]) f.set(variable, floats.constant(-Infinity));
      if (repeated === null) return;
      f.set((tallies[v] as (typeof tallies)[number]).below, whole.constant(0));
      f.set((tallies[v] as (typeof tallies)[number]).reached, repeated.times);
    });
    const insert = (v: number, value: Code) => {
      for (const [list, first, second] of [
        [least[v] as Variable[], floats.pmin, floats.pmax],
        [most[v] as Variable[], floats.pmax, floats.pmin],
      ] as const) {
        let carried = value;
        list.forEach((variable, k) => {
          const rest = k === list.length - 1 ? null : f.let("v128", second(carried, variable.get));
          f.set(variable, first(variable.get, carried));
          carried = rest ?? carried;
        });
      }
    };
    this.#vectors.walk(source, (vectors) => {
      vectors.forEach((vector, v) => {
        const value = f.let("v128", this.#vectors.mapped(source, vector, v));
        f.set(bad[v] as Variable, or((bad[v] as Variable).get, floats.ne(value, value)));
        insert(v, value);
        if (repeated === null) return;
        const { below, reached } = tallies[v] as (typeof tallies)[number];
        f.set(below, whole.sub(below.get, floats.lt(value, repeated.values[v] as Code)));
        f.set(reached, whole.sub(reached.get, floats.le(value, repeated.values[v] as Code)));
      });
    });
    if (repeated !== null) {
      this.#registers.each((v) => {
        const value = repeated.values[v] as Code;
        f.set(bad[v] as Variable, or((bad[v] as Variable).get, and(repeated.some, floats.ne(value, value))));
        for (let k = 0; k < Math.max(lows, highs); k++) {
          const there = f.let("v128", whole.gt(repeated.times, whole.constant(k)));
          insert(v, f.let("v128", select(there, value, floats.constant(NaN))));
        }
      });
    }
    const settled = this.#registers.each((v) => {
      const tally = repeated === null ? null : (tallies[v] as (typeof tallies)[number]);
      const all = wanted.map((w, k) => {
        const end = near ? (ends[k] as End) : null;
        const list = end?.side === "low" ? (least[v] as Variable[]) : (most[v] as Variable[]);
        const at = (place: number) => (list[end?.side === "low" ? place : source.length - 1 - place] as Variable).get;
        const target = found[k] as Found;
        if (w.kind === "place") {
          const { low, high } = (target as Neighbours).vectors[v] as { low: Variable; high: Variable };
          if (end !== null) {
            f.set(low, at(w.place));
            f.set(high, at(w.next ? w.place + 1 : w.place));
            return null;
          }
          const value = (repeated as NonNullable<typeof repeated>).values[v] as Code;
          f.set(low, value);
          f.set(high, value);
          const { below, reached } = tally as NonNullable<typeof tally>;
          const last = w.next ? w.place + 1 : w.place;
          return f.let(
            "v128",
            and(whole.le(below.get, whole.constant(w.place)), whole.gt(reached.get, whole.constant(last))),
          );
        }
        const bracket = (target as Split).vectors[v] as Bracket;
        const count = whole.constant(w.count);
        let fits: Code | null = null;
        if (repeated !== null && tally !== null) {
          const key = repeated.keys[v] as Code;
          const after = f.let("v128", whole.le(tally.reached.get, count));
          f.set(bracket.low, select(after, whole.add(key, whole.constant(1)), key));
          f.set(bracket.under, select(after, tally.reached.get, tally.below.get));
          f.set(bracket.high, whole.add(key, whole.constant(1)));
          f.set(bracket.beneath, tally.reached.get);
          fits = f.let(
            "v128",
            and(
              whole.le(tally.below.get, count),
              or(whole.gt(tally.reached.get, count), whole.eq(tally.reached.get, count)),
            ),
          );
        }
        if (end !== null) {
          const value = f.let("v128", at(w.count));
          const apart = f.let("v128", floats.lt(at(w.count - 1), value));
          const key = f.let("v128", this.#key(value));
          for (const [variable, other] of [
            [bracket.low, key],
            [bracket.under, count],
            [bracket.high, key],
            [bracket.beneath, count],
          ] as const)
            f.set(variable, fits === null ? other : select(apart, other, variable.get));
          fits = fits === null ? apart : f.let("v128", or(fits, apart));
        }
        return fits;
      });
      const every = all
        .filter((mask) => mask !== null)
        .reduce<Code | null>((a, b) => (a === null ? b : and(a, b)), null);
      const nan = (bad[v] as Variable).get;
      if (strange !== null) return every === null ? null : or(or(every, nan), this.#registers.used(v, false));
      return or(every === null ? not(nan) : and(every, not(nan)), this.#registers.used(v, false));
    });
    const masks = settled.filter((mask) => mask !== null);
    if (masks.length === 0) return;
    f.if(unary("i32.eqz", whole.all(masks.reduce(and))), () =>
      f.scope(() => this.#search(source, wanted, found, repeated, repeated === null ? null : tallies, strange)),
    );
  }

  /** What is known of the zeros that a walk leaves out. */
  #repeated(source: VectorSource): RepeatedZero | null {
    const left = this.#vectors.leavesOut(source);
    if (left === null) return null;
    const { f, floats, settings } = this.#registers;
    const values = this.#registers.each((v) => f.let("v128", this.#vectors.mapped(source, floats.constant(0), v)));
    const times = unary("i32x4.splat", binary("i32.sub", integer(source.length), left.count));
    return {
      values,
      keys: values.map((value) => f.let("v128", this.#key(value))),
      times: f.let("v128", settings.wide ? unary("i64x2.extend_low_i32x4_u", times) : times),
      some: f.let("v128", floats.gt(left.zeros, floats.constant(0))),
    };
  }

  /** A number as it is sorted; zeros of either sign are one. */
  #key(value: Code): Code {
    const { f, floats, settings } = this.#registers;
    return orderedNumber(f, settings.wide, floats.add(value, floats.constant(0)));
  }

  /** Stores the keys of all values and searches them. */
  #search(
    source: VectorSource,
    wanted: readonly Wanted[],
    found: readonly Found[],
    repeated: RepeatedZero | null,
    tallies: readonly { readonly below: Variable; readonly reached: Variable }[] | null,
    strange: readonly Variable[] | null,
  ): void {
    const { f, settings, floats } = this.#registers;
    const whole = this.#whole;
    const least = this.#registers.variables();
    const most = this.#registers.variables();
    this.#registers.each((v) => {
      f.set(least[v] as Variable, whole.most);
      f.set(most[v] as Variable, whole.least);
    });
    const note = (v: number, low: Code, high: Code) => {
      f.set(least[v] as Variable, whole.min((least[v] as Variable).get, low));
      f.set(most[v] as Variable, whole.max((most[v] as Variable).get, high));
    };
    const row = f.variable("i32");
    f.set(row, this.#keys);
    this.#vectors.walk(source, (vectors) => {
      vectors.forEach((vector, v) => {
        const key = f.let("v128", this.#key(this.#vectors.mapped(source, vector, v)));
        f.store("v128.store", { base: row.get, offset: 16 * v }, key);
        note(v, key, key);
      });
      f.advance(row, 16 * vectors.length);
    });
    repeated?.keys.forEach((key, v) =>
      note(
        v,
        f.let("v128", select(repeated.some, key, whole.most)),
        f.let("v128", select(repeated.some, key, whole.least)),
      ),
    );
    const left = this.#vectors.leavesOut(source);
    const rows: Rows = {
      address: this.#keys,
      length: left === null ? source.length : left.count,
      vectors: this.#registers.tile.counts.length,
      wide: settings.wide,
    };
    if (strange !== null && tallies === null) {
      const infinite = f.let("v128", this.#key(floats.constant(Infinity)));
      strange.forEach((variable, v) => f.set(variable, whole.gt((most[v] as Variable).get, infinite)));
    }
    const aims = wanted.map((w): Aim =>
      w.kind === "split"
        ? { count: w.count, orMore: false }
        : { count: w.next ? w.place + 1 : w.place, orMore: !w.next },
    );
    const brackets = found.map((target, k) => {
      const { count } = aims[k] as Aim;
      return this.#registers.each((v) => {
        const bracket: Bracket =
          target.kind === "split"
            ? (target.vectors[v] as Bracket)
            : {
                low: f.variable("v128"),
                under: f.variable("v128"),
                high: f.variable("v128"),
                beneath: f.variable("v128"),
              };
        f.set(bracket.low, (least[v] as Variable).get);
        f.set(bracket.under, whole.constant(0));
        f.set(bracket.high, whole.add((most[v] as Variable).get, whole.constant(1)));
        f.set(bracket.beneath, whole.constant(source.length));
        if (repeated !== null && tallies !== null) {
          // What was counted about the zeros holds for either end, unless they have become NaN.
          const value = repeated.values[v] as Code;
          const known = f.let("v128", floats.eq(value, value));
          const from = (key: Code, number: Code) => {
            const few = f.let("v128", whole.le(number, whole.constant(count)));
            const [first, second] = [f.let("v128", and(known, few)), f.let("v128", and(known, not(few)))];
            // Ends that are nearer stay.
            const lower = f.let("v128", and(first, whole.gt(key, bracket.low.get)));
            f.set(bracket.low, select(lower, key, bracket.low.get));
            f.set(bracket.under, select(lower, number, bracket.under.get));
            const upper = f.let("v128", and(second, whole.lt(key, bracket.high.get)));
            f.set(bracket.high, select(upper, key, bracket.high.get));
            f.set(bracket.beneath, select(upper, number, bracket.beneath.get));
          };
          const key = repeated.keys[v] as Code;
          const tally = tallies[v] as { below: Variable; reached: Variable };
          from(key, tally.below.get);
          from(f.let("v128", whole.add(key, whole.constant(1))), tally.reached.get);
        }
        return bracket;
      });
    });
    const done = this.#registers.each((v) => {
      const unused = this.#registers.used(v, false);
      return strange === null ? unused : f.let("v128", or((strange[v] as Variable).get, unused));
    });
    narrow(f, rows, repeated, aims, brackets, done);
    const places = found.flatMap((target, k) => (target.kind === "place" ? [{ target, k }] : []));
    if (places.length === 0) return;
    neighbours(
      f,
      rows,
      repeated,
      places.map(({ k }) => aims[k] as Aim),
      places.map(({ k }) => brackets[k] as Bracket[]),
    ).forEach((list, k) => {
      list.forEach(({ below, above }, v) => {
        const { low, high } = (places[k] as (typeof places)[number]).target.vectors[v] as Neighbours["vectors"][number];
        f.set(low, ordered(f, settings.wide, below));
        f.set(high, ordered(f, settings.wide, above));
      });
    });
  }
}

interface End {
  readonly side: "low" | "high";
  readonly reach: number;
}

/** How many numbers of an end one has to know for what is wanted; null for more than a walk keeps. */
function endOf(w: Wanted, length: number): End | null {
  const [first, last] = w.kind === "split" ? [w.count - 1, w.count] : [w.place, w.next ? w.place + 1 : w.place];
  const [low, high] = [last + 1, length - first];
  if (Math.min(low, high) > mostAtAnEnd) return null;
  return low <= high ? { side: "low", reach: low } : { side: "high", reach: high };
}
