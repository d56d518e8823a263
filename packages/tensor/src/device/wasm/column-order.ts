import { binary, integer, unary, type Code, type Variable } from "./assembler.js";
import {
  foundVariables,
  search,
  type CountedZero,
  type Found,
  type Neighbours,
  type Split,
  type Wanted,
} from "./column-search.js";
import type { ColumnVectors, VectorSource } from "./column-vectors.js";
import { and, or, select } from "./lanes.js";
import { together } from "./rows.js";
import type { Bracket, Repeated } from "./selection.js";
import type { TileRegisters } from "./tile-registers.js";
import { andNot, i32x4, i64x2, keyOf, type WholeLanes } from "./whole-lanes.js";

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

  /** @param rows  Address of {@link searchRows} of memory. */
  constructor(registers: TileRegisters, vectors: ColumnVectors, rows: Code) {
    this.#registers = registers;
    this.#vectors = vectors;
    this.#rows = rows;
    this.#whole = registers.settings.wide ? i64x2 : i32x4;
  }

  /**
   * Finds what is wanted, NaN last. The sign of a zero is lost.
   *
   * @param strange  Becomes how many NaN a column has, where that is wanted; what is found of those with one means nothing then.
   */
  find(source: VectorSource, wanted: readonly Wanted[], strange: readonly Variable[] | null = null): Found[] {
    const { f, tile } = this.#registers;
    const found = foundVariables(f, wanted, tile.counts.length);
    if (wanted.length > 0) f.scope(() => this.#find(source, wanted, found, strange));
    return found;
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
    for (const count of bad) f.set(count, this.#whole.constant(0));
    const reaches = wanted.map((w) => reachOf(w, source.length));
    const near = reaches.every((reach) => reach !== null);
    const ends = near ? new Ends(this.#registers, reaches, source.length) : null;
    const note = (value: Code, v: number, times: Code | null) => {
      const count = bad[v] as Variable;
      const unequal = floats.ne(value, value);
      f.set(
        count,
        times === null ? this.#whole.sub(count.get, unequal) : this.#whole.add(count.get, and(unequal, times)),
      );
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
    zero?.values.forEach((value, v) => note(value, v, zero.times));
    if (zero !== null) ends?.insertRepeated(zero);
    const searched = () => {
      f.scope(() => {
        if (near) this.#visit(source, true, () => undefined);
        const { length } = source;
        const left = this.#vectors.leavesOut(source);
        const count = left === null ? integer(length) : left.count;
        const unused = this.#registers.each((v) => this.#registers.used(v, false));
        const { tile } = this.#registers;
        const sorted = strange === null;
        const address = this.#vectors.copyOf(source) ?? this.#rows;
        search(f, { wanted, length, tile, unused, sorted, address, results: this.#rows, count, zero, bad }, found);
      });
    };
    if (zero === null && ends === null) {
      searched();
      return;
    }
    const open = this.#registers.each((v) => {
      const masks = wanted
        .map((w, k) => this.#settle(w, found[k] as Found, ends, zero, bad, v))
        .filter((mask) => mask !== null);
      if (masks.length === 0) return null;
      const nan = f.let("v128", this.#whole.gt((bad[v] as Variable).get, this.#whole.constant(0)));
      const settled = masks.reduce(and);
      return or(strange === null ? andNot(settled, nan) : or(settled, nan), this.#registers.used(v, false));
    });
    const masks = open.filter((mask) => mask !== null);
    if (masks.length > 0) f.if(unary("i32.eqz", this.#whole.all(masks.reduce(and))), searched);
  }

  #countedZero(source: VectorSource): CountedZero | null {
    const left = this.#vectors.leavesOut(source);
    if (left === null) return null;
    const { f, floats, settings } = this.#registers;
    const others = unary("i32x4.splat", binary("i32.sub", integer(source.length), left.count));
    const times = f.let("v128", settings.wide ? unary("i64x2.extend_low_i32x4_u", others) : others);
    const counts = (start: Code) =>
      this.#registers.each(() => {
        const count = f.variable("v128");
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
    const copy = this.#vectors.copyOf(source);
    const row = f.variable("i32");
    f.set(row, this.#rows);
    const bytes = 16 * this.#registers.tile.counts.length;
    this.#vectors.walk(source, (vectors) => {
      vectors.forEach((vector, v) => {
        const value = f.let("v128", this.#vectors.mapped(source, vector, v));
        if (stored && copy === null) f.store("v128.store", { base: row.get, offset: 16 * v }, value);
        take(value, v);
      });
      if (stored && copy === null) f.advance(row, bytes);
    });
    if (!stored) return;
    if (copy !== null) {
      const { count } = this.#vectors.leavesOut(source) as NonNullable<ReturnType<ColumnVectors["leavesOut"]>>;
      f.set(row, binary("i32.add", copy, binary("i32.mul", count, integer(bytes))));
    }
    for (let offset = 0; offset < (together - 1) * bytes; offset += 16)
      f.store("v128.store", { base: row.get, offset }, floats.constant(NaN));
  }

  /** Notes what the first walk says of one thing wanted, and returns a mask of the lanes that it settles; null for all. */
  #settle(
    w: Wanted,
    found: Found,
    ends: Ends | null,
    zero: CountedZero | null,
    bad: readonly Variable[],
    v: number,
  ): Code | null {
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
      const strangers = (bad[v] as Variable).get;
      f.set(low, ends === null ? (counts as NonNullable<typeof counts>).value : ends.among(w.place, v, strangers));
      f.set(high, ends === null || !w.next ? low.get : ends.among(last, v, strangers));
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

  /** The same where so many NaN come last. */
  among(place: number, v: number, strangers: Code): Code {
    const { f, floats, settings } = this.#registers;
    const whole = settings.wide ? i64x2 : i32x4;
    const nan = floats.constant(NaN);
    const list = this.#low[v] as readonly Variable[];
    if (place < list.length) {
      const there = whole.lt(strangers, whole.constant(this.#length - place));
      return select(there, (list[place] as Variable).get, nan);
    }
    let number = nan;
    for (let k = 0; k < this.#length - place; k++) {
      const is = f.let("v128", whole.eq(strangers, whole.constant(k)));
      number = f.let("v128", select(is, this.at(place + k, v), number));
    }
    return number;
  }
}
