import { binary, integer, unary, type Code, type Variable } from "./assembler.js";
import type { ColumnVectors, VectorSource } from "./column-vectors.js";
import { and, andNot, not, or, select } from "./lanes.js";
import { together, type Rows } from "./rows.js";
import { Selection, type Aim, type Bracket, type Repeated } from "./selection.js";
import type { TileRegisters } from "./tile-registers.js";
import { i32x4, i64x2, keyOf, type WholeLanes } from "./whole-lanes.js";

/** What shall be found of values in ascending order: those at a place and at the next one, or where the first `count` end. */
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

/** What a vector has where the factors have 0: how often a walk leaves it out, and how many values are less and at most it. */
interface CountedZero extends Repeated {
  readonly below: readonly Variable[];
  readonly reached: readonly Variable[];
}

/** So many numbers at either end are found in one walk that keeps them in registers. */
const mostAtAnEnd = 5;

/**
 * Finds order statistics of vectors. The walk of an outer product in panels counts what is less and what is equal to the
 * zeros it leaves out, which settles most; few numbers at an end are kept as it goes; all others are stored and searched.
 */
export class ColumnOrder {
  readonly #registers: TileRegisters;
  readonly #vectors: ColumnVectors;
  readonly #rows: Code;
  readonly #whole: WholeLanes;

  /** @param rows  Address of {@link orderRows} of memory. */
  constructor(registers: TileRegisters, vectors: ColumnVectors, rows: Code) {
    this.#registers = registers;
    this.#vectors = vectors;
    this.#rows = rows;
    this.#whole = registers.settings.wide ? i64x2 : i32x4;
  }

  /**
   * Finds what is wanted, NaN last. The sign of a zero is lost.
   *
   * @param strange  Becomes a mask of the columns with a NaN, where that is wanted; what is found of them means nothing then.
   */
  find(source: VectorSource, wanted: readonly Wanted[], strange: readonly Variable[] | null = null): Found[] {
    const found = wanted.map(({ kind }): Found =>
      kind === "place"
        ? { kind, vectors: this.#registers.each(() => ({ low: this.#variable(), high: this.#variable() })) }
        : { kind, vectors: this.#registers.each(() => this.#bracket()) },
    );
    const { f } = this.#registers;
    if (wanted.length > 0) f.scope(() => this.#find(source, wanted, found, strange));
    return found;
  }

  #variable(): Variable {
    return this.#registers.f.variable("v128");
  }

  #bracket(): Bracket {
    return { low: this.#variable(), under: this.#variable(), high: this.#variable(), beneath: this.#variable() };
  }

  #find(
    source: VectorSource,
    wanted: readonly Wanted[],
    found: readonly Found[],
    strange: readonly Variable[] | null,
  ): void {
    const { f, floats } = this.#registers;
    const zero = this.#countedZero(source);
    const bad = strange ?? this.#registers.variables();
    for (const mask of bad) f.set(mask, floats.constant(0));
    const reaches = wanted.map((w) => reachOf(w, source.length));
    const near = reaches.every((reach) => reach !== null);
    const ends = near ? new Ends(this.#registers, reaches, source.length) : null;
    const note = (value: Code, v: number, there: Code | null) => {
      const mask = bad[v] as Variable;
      const unequal = floats.ne(value, value);
      f.set(mask, or(mask.get, there === null ? unequal : and(unequal, there)));
    };
    this.#visit(source, !near, (value, v) => {
      note(value, v, null);
      ends?.insert(value, v);
      if (zero === null) return;
      for (const [list, compare] of [
        [zero.below, floats.lt],
        [zero.reached, floats.le],
      ] as const) {
        const count = list[v] as Variable;
        f.set(count, this.#whole.sub(count.get, compare(value, zero.values[v] as Code)));
      }
    });
    zero?.values.forEach((value, v) => note(value, v, this.#whole.gt(zero.times, this.#whole.constant(0))));
    if (zero !== null) ends?.insertRepeated(zero);
    const search = () => {
      f.scope(() => {
        if (near) this.#visit(source, true, () => undefined);
        this.#search(source, wanted, found, zero, bad, strange === null);
      });
    };
    if (zero === null && ends === null) {
      search();
      return;
    }
    const open = this.#registers.each((v) => {
      const masks = wanted
        .map((w, k) => this.#settle(w, found[k] as Found, ends, zero, v))
        .filter((mask) => mask !== null);
      const settled = masks.length === 0 ? null : masks.reduce(and);
      const unused = this.#registers.used(v, false);
      const nan = (bad[v] as Variable).get;
      if (strange !== null) return settled === null ? null : or(or(settled, nan), unused);
      return or(settled === null ? not(nan) : and(settled, not(nan)), unused);
    });
    const masks = open.filter((mask) => mask !== null);
    if (masks.length > 0) f.if(unary("i32.eqz", this.#whole.all(masks.reduce(and))), search);
  }

  #countedZero(source: VectorSource): CountedZero | null {
    const left = this.#vectors.leavesOut(source);
    if (left === null) return null;
    const { f, floats, settings } = this.#registers;
    const others = unary("i32x4.splat", binary("i32.sub", integer(source.length), left.count));
    const times = f.let("v128", settings.wide ? unary("i64x2.extend_low_i32x4_u", others) : others);
    const counts = (start: Code) =>
      this.#registers.each(() => {
        const count = this.#variable();
        f.set(count, start);
        return count;
      });
    return {
      values: this.#registers.each((v) => f.let("v128", this.#vectors.mapped(source, floats.constant(0), v))),
      times,
      below: counts(this.#whole.constant(0)),
      reached: counts(times),
    };
  }

  /** Walks a vector's values, and writes them to the rows where that is wanted. */
  #visit(source: VectorSource, stored: boolean, take: (value: Code, v: number) => void): void {
    const { f, floats } = this.#registers;
    const row = f.variable("i32");
    f.set(row, this.#rows);
    const store = (value: Code, v: number, k = 0) => {
      f.store("v128.store", { base: row.get, offset: 16 * (k * this.#registers.tile.counts.length + v) }, value);
    };
    this.#vectors.walk(source, (vectors) => {
      vectors.forEach((vector, v) => {
        const value = f.let("v128", this.#vectors.mapped(source, vector, v));
        if (stored) store(value, v);
        take(value, v);
      });
      if (stored) f.advance(row, 16 * vectors.length);
    });
    if (!stored) return;
    for (let k = 1; k < together; k++) this.#registers.each((v) => store(floats.constant(NaN), v, k - 1));
  }

  /** Notes what the first walk says of one thing wanted, and returns a mask of the lanes that it settles; null for all without a NaN. */
  #settle(w: Wanted, found: Found, ends: Ends | null, zero: CountedZero | null, v: number): Code | null {
    const { f, floats } = this.#registers;
    const whole = this.#whole;
    const counts = zero && {
      value: zero.values[v] as Code,
      below: (zero.below[v] as Variable).get,
      reached: (zero.reached[v] as Variable).get,
    };
    if (w.kind === "place") {
      const { low, high } = (found as Neighbours).vectors[v] as Neighbours["vectors"][number];
      const last = w.next ? w.place + 1 : w.place;
      f.set(low, ends === null ? (counts as NonNullable<typeof counts>).value : ends.at(w.place, v));
      f.set(high, ends === null ? low.get : ends.at(last, v));
      if (ends !== null || counts === null) return null;
      const reaches = whole.gt(counts.reached, whole.constant(last));
      return f.let("v128", and(whole.le(counts.below, whole.constant(w.place)), reaches));
    }
    const { low, under, high, beneath } = (found as Split).vectors[v] as Bracket;
    const count = whole.constant(w.count);
    let settled: Code | null = null;
    if (counts !== null) {
      // The zeros are in the way, or all of them are below.
      const key = f.let("v128", this.#key(counts.value));
      const next = f.let("v128", whole.add(key, whole.constant(1)));
      const all = f.let("v128", whole.eq(counts.reached, count));
      f.set(low, select(all, next, key));
      f.set(under, select(all, counts.reached, counts.below));
      f.set(high, next);
      f.set(beneath, counts.reached);
      settled = f.let("v128", and(whole.le(counts.below, count), whole.le(count, counts.reached)));
    }
    if (ends !== null) {
      const value = f.let("v128", ends.at(w.count, v));
      const apart = f.let("v128", floats.lt(ends.at(w.count - 1, v), value));
      const key = f.let("v128", this.#key(value));
      for (const [variable, number] of [
        [low, key],
        [under, count],
        [high, key],
        [beneath, count],
      ] as const)
        f.set(variable, settled === null ? number : select(apart, number, variable.get));
      settled = settled === null ? apart : f.let("v128", or(settled, apart));
    }
    return settled;
  }

  #key(value: Code): Code {
    return keyOf(this.#registers.f, this.#registers.settings.wide, value);
  }

  /**
   * Searches the rows.
   *
   * @param bad     Masks of the columns with a NaN.
   * @param sorted  True where NaN has places behind all numbers, false where columns with one do not matter.
   */
  #search(
    source: VectorSource,
    wanted: readonly Wanted[],
    found: readonly Found[],
    zero: CountedZero | null,
    bad: readonly Variable[],
    sorted: boolean,
  ): void {
    const { f, settings, floats } = this.#registers;
    const whole = this.#whole;
    const left = this.#vectors.leavesOut(source);
    const rows: Rows = {
      address: this.#rows,
      length: left === null ? source.length : left.count,
      vectors: this.#registers.tile.counts.length,
      wide: settings.wide,
    };
    const selection = new Selection(f, rows, zero);
    const numbers = this.#registers.variables();
    for (const count of numbers) f.set(count, whole.constant(source.length));
    if (sorted) {
      f.if(unary("v128.any_true", bad.map(({ get }) => get).reduce(or)), () =>
        f.scope(() =>
          selection
            .strangers()
            .forEach(({ get }, v) => f.set(numbers[v] as Variable, whole.sub((numbers[v] as Variable).get, get))),
        ),
      );
    }
    const extremes = selection.extremes();
    const aims = wanted.map((w): Aim =>
      w.kind === "split"
        ? { count: w.count, orMore: false }
        : { count: w.next ? w.place + 1 : w.place, orMore: !w.next },
    );
    const brackets = found.map((target, k) =>
      this.#registers.each((v) => {
        const bracket = target.kind === "split" ? (target.vectors[v] as Bracket) : this.#bracket();
        const { least, most } = extremes[v] as (typeof extremes)[number];
        f.set(bracket.low, this.#key(least));
        f.set(bracket.under, whole.constant(0));
        f.set(bracket.high, whole.add(this.#key(most), whole.constant(1)));
        f.set(bracket.beneath, (numbers[v] as Variable).get);
        if (zero !== null) this.#narrowByZero(bracket, (aims[k] as Aim).count, zero, v);
        return bracket;
      }),
    );
    /** The lanes where what is wanted lies behind all numbers. */
    const beyond = aims.map(({ count }) =>
      this.#registers.each((v) =>
        sorted ? f.let("v128", whole.le((numbers[v] as Variable).get, whole.constant(count))) : null,
      ),
    );
    const done = aims.map((_, k) =>
      this.#registers.each((v) =>
        f.let("v128", or(beyond[k]?.[v] ?? (bad[v] as Variable).get, this.#registers.used(v, false))),
      ),
    );
    selection.narrow(aims, brackets, done);
    const places = found.flatMap((target, k) => (target.kind === "place" ? [{ ...target, k }] : []));
    if (places.length > 0) {
      const neighbours = selection.neighbours(
        places.map(({ k }) => aims[k] as Aim),
        places.map(({ k }) => brackets[k] as Bracket[]),
      );
      places.forEach(({ vectors, k }, at) => {
        vectors.forEach(({ low, high }, v) => {
          const { below, above } = neighbours[at]?.[v] as { below: Code; above: Code };
          const behind = beyond[k]?.[v] ?? null;
          const known = (value: Code) => (behind === null ? value : select(behind, floats.constant(NaN), value));
          f.set(low, known(below));
          f.set(high, known(above));
        });
      });
    }
    found.forEach((target, k) => {
      if (target.kind === "place") return;
      target.vectors.forEach(({ low, under, high, beneath }, v) => {
        const behind = beyond[k]?.[v] ?? null;
        if (behind === null) return;
        const key = f.let("v128", this.#key(floats.constant(NaN)));
        f.set(low, select(behind, key, low.get));
        f.set(under, select(behind, (numbers[v] as Variable).get, under.get));
        f.set(high, select(behind, whole.add(key, whole.constant(1)), high.get));
        f.set(beneath, select(behind, whole.constant(source.length), beneath.get));
      });
    });
  }

  /** What was counted about the zeros holds for either end, unless they are NaN or further out. */
  #narrowByZero({ low, under, high, beneath }: Bracket, aim: number, zero: CountedZero, v: number): void {
    const { f, floats } = this.#registers;
    const whole = this.#whole;
    const value = zero.values[v] as Code;
    const known = f.let("v128", floats.eq(value, value));
    const first = f.let("v128", this.#key(value));
    const second = f.let("v128", whole.add(first, whole.constant(1)));
    for (const [key, { get: count }] of [
      [first, zero.below[v] as Variable],
      [second, zero.reached[v] as Variable],
    ] as const) {
      const few = f.let("v128", whole.le(count, whole.constant(aim)));
      const lower = f.let("v128", and(and(known, few), whole.gt(key, low.get)));
      f.set(low, select(lower, key, low.get));
      f.set(under, select(lower, count, under.get));
      const upper = f.let("v128", and(andNot(known, few), whole.lt(key, high.get)));
      f.set(high, select(upper, key, high.get));
      f.set(beneath, select(upper, count, beneath.get));
    }
  }
}

/** Which numbers of an end one has to know, so many. */
interface Reach {
  readonly side: "low" | "high";
  readonly count: number;
}

/** Null for more than a walk keeps. */
function reachOf(w: Wanted, length: number): Reach | null {
  const [first, last] = w.kind === "split" ? [w.count - 1, w.count] : [w.place, w.next ? w.place + 1 : w.place];
  const [low, high] = [last + 1, length - first];
  if (Math.min(low, high) > mostAtAnEnd) return null;
  return low <= high ? { side: "low", count: low } : { side: "high", count: high };
}

/** The least and the largest numbers of every column, in order. NaN is left out. */
class Ends {
  readonly #registers: TileRegisters;
  readonly #length: number;
  readonly #low: readonly (readonly Variable[])[];
  readonly #high: readonly (readonly Variable[])[];

  constructor(registers: TileRegisters, reaches: readonly (Reach | null)[], length: number) {
    this.#registers = registers;
    this.#length = length;
    const lists = (end: "low" | "high", start: number) => {
      const most = Math.max(0, ...reaches.map((reach) => (reach?.side === end ? reach.count : 0)));
      const { f, floats } = registers;
      return registers.each(() =>
        Array.from({ length: most }, () => {
          const variable = f.variable("v128");
          f.set(variable, floats.constant(start));
          return variable;
        }),
      );
    };
    this.#low = lists("low", Infinity);
    this.#high = lists("high", -Infinity);
  }

  insert(value: Code, v: number): void {
    const { f, floats } = this.#registers;
    for (const [lists, nearer, farther] of [
      [this.#low, floats.pmin, floats.pmax],
      [this.#high, floats.pmax, floats.pmin],
    ] as const) {
      const list = lists[v] as readonly Variable[];
      let carried = value;
      list.forEach((variable, k) => {
        const before = carried;
        if (k < list.length - 1) carried = f.let("v128", farther(before, variable.get));
        f.set(variable, nearer(variable.get, before));
      });
    }
  }

  insertRepeated({ values, times }: Repeated): void {
    const { f, floats, settings } = this.#registers;
    const whole = settings.wide ? i64x2 : i32x4;
    const most = Math.max(this.#low[0]?.length ?? 0, this.#high[0]?.length ?? 0);
    values.forEach((value, v) => {
      for (let k = 0; k < most; k++) {
        this.insert(f.let("v128", select(whole.gt(times, whole.constant(k)), value, floats.constant(NaN))), v);
      }
    });
  }

  /** The number at a place of all in ascending order. */
  at(place: number, v: number): Code {
    const variable = this.#low[v]?.[place] ?? this.#high[v]?.[this.#length - 1 - place];
    return (variable as Variable).get;
  }
}
