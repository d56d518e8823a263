import { type Code, type FunctionBody, type Variable } from "./assembler.js";
import type { Tile } from "./column-source.js";
import { and, f32x4, f64x2, or, select } from "./lanes.js";
import { together } from "./rows.js";
import { Selection, type Aim, type Bracket, type Repeated } from "./selection.js";
import { andNot, i32x4, i64x2, keyOf } from "./whole-lanes.js";

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
export interface CountedZero extends Repeated {
  readonly below: readonly Variable[];
  readonly reached: readonly Variable[];
}

/** More is not searched for at a time. */
export const mostWanted = 4;

/** Rows of memory that a search takes: the values, those that fill a turn, and what is found. */
export function searchRows(length: number): number {
  return resultsAt(length) + 4 * mostWanted;
}

function resultsAt(length: number): number {
  return length + together - 1;
}

/** Fresh locals for what is wanted. */
export function foundVariables(f: FunctionBody, wanted: readonly Wanted[], vectors: number): Found[] {
  const variable = () => f.variable("v128");
  return wanted.map(({ kind }) =>
    kind === "place"
      ? { kind, vectors: Array.from({ length: vectors }, () => ({ low: variable(), high: variable() })) }
      : { kind, vectors: Array.from({ length: vectors }, () => bracketOf(variable)) },
  );
}

function bracketOf(variable: () => Variable): Bracket {
  return { low: variable(), under: variable(), high: variable(), beneath: variable() };
}

const allVariables = (found: readonly Found[]): Variable[] =>
  found.flatMap(({ vectors }) => vectors.flatMap((one) => Object.values(one) as Variable[]));

/** What is to be searched, and where. */
export interface Search {
  readonly wanted: readonly Wanted[];
  /** How many values. */
  readonly length: number;
  readonly tile: Tile;
  /** Masks of the lanes that are no columns. */
  readonly unused: readonly Code[];
  /** True where NaN has places behind all numbers, false where columns with one do not matter. */
  readonly sorted: boolean;
  /** Address of so many rows of values; NaN follows. */
  readonly address: Code;
  readonly count: Code;
  /** Address of {@link searchRows}. */
  readonly results: Code;
  readonly zero: CountedZero | null;
  /** How many NaN a column has. */
  readonly bad: readonly Variable[];
}

/** Searches in a function of its own: it is long, and what is around it runs faster without. */
export function search(f: FunctionBody, { zero, bad, results, ...plan }: Search, found: readonly Found[]): void {
  const { wanted, length, tile, sorted, address, count } = plan;
  const name = `search ${JSON.stringify([wanted, length, tile, sorted, zero !== null])}`;
  const vectors = tile.counts.length;
  const extra = zero === null ? 0 : 1 + 3 * vectors;
  const types = Array.from({ length: vectors + extra }, () => "v128" as const);
  const first = 16 * vectors * resultsAt(length);
  const target = f.module.named(name, ["i32", "i32", "i32", ...types], [], (g, from, rows, to, ...given) => {
    const next = (many: number) => given.splice(0, many);
    const masks = next(vectors);
    const get = ({ get }: Variable) => get;
    let known: CountedZero | null = null;
    if (zero !== null) {
      const [times] = next(1) as [Variable];
      known = { times: times.get, values: next(vectors).map(get), below: next(vectors), reached: next(vectors) };
    }
    const mine = foundVariables(g, wanted, vectors);
    printSearch(g, { ...plan, address: from.get, count: rows.get, results: to.get, zero: known, bad: masks }, mine);
    allVariables(mine).forEach((variable, k) =>
      g.store("v128.store", { base: to.get, offset: first + 16 * k }, variable.get),
    );
  });
  const counted = zero === null ? [] : [...zero.below, ...zero.reached].map(({ get }) => get);
  const about = zero === null ? [] : [zero.times, ...zero.values, ...counted];
  f.call(target, address, count, results, ...bad.map(({ get }) => get), ...about);
  allVariables(found).forEach((variable, k) =>
    f.set(variable, (g) => g.load("v128.load", { base: results, offset: first + 16 * k })),
  );
}

function printSearch(
  f: FunctionBody,
  { wanted, length, tile, unused, sorted, address, count, zero, bad }: Search,
  found: readonly Found[],
): void {
  const whole = tile.wide ? i64x2 : i32x4;
  const floats = tile.wide ? f64x2 : f32x4;
  const key = (value: Code) => keyOf(f, tile.wide, value);
  const keep = (value: Code) => f.let("v128", value);
  const variable = () => f.variable("v128");
  const selection = new Selection(f, { address, length: count, vectors: tile.counts.length, wide: tile.wide }, zero);
  const numbers = bad.map(({ get }) => keep(whole.sub(whole.constant(length), get)));
  const aims = wanted.map((w): Aim =>
    w.kind === "split" ? { count: w.count, orMore: false } : { count: w.next ? w.place + 1 : w.place, orMore: !w.next },
  );
  const brackets = found.map((target, k) =>
    numbers.map((all, v) => {
      const bracket = target.kind === "split" ? (target.vectors[v] as Bracket) : bracketOf(variable);
      f.set(bracket.low, key(floats.constant(-Infinity)));
      f.set(bracket.under, whole.constant(0));
      f.set(bracket.high, whole.add(key(floats.constant(Infinity)), whole.constant(1)));
      f.set(bracket.beneath, all);
      if (zero !== null) narrowByZero(f, tile.wide, bracket, (aims[k] as Aim).count, zero, v);
      return bracket;
    }),
  );
  // The lanes where what is wanted lies behind all numbers.
  const beyond = aims.map((aim) => numbers.map((all) => keep(whole.le(all, whole.constant(aim.count)))));
  const done = beyond.map((masks) =>
    masks.map((mask, v) =>
      keep(or(sorted ? mask : whole.gt((bad[v] as Variable).get, whole.constant(0)), unused[v] as Code)),
    ),
  );
  selection.narrow(aims, brackets, done);
  const behind = (k: number, v: number) => (beyond[k] as Code[])[v] as Code;
  const places = found.flatMap((target, k) => (target.kind === "place" ? [{ ...target, k }] : []));
  if (places.length > 0) {
    const neighbours = selection.neighbours(
      places.map(({ k }) => aims[k] as Aim),
      places.map(({ k }) => brackets[k] as Bracket[]),
    );
    places.forEach(({ vectors, k }, at) => {
      vectors.forEach(({ low, high }, v) => {
        const { below, above } = neighbours[at]?.[v] as { below: Code; above: Code };
        f.set(low, select(behind(k, v), floats.constant(NaN), below));
        f.set(high, select(behind(k, v), floats.constant(NaN), above));
      });
    });
  }
  found.forEach((target, k) => {
    if (target.kind === "place") return;
    target.vectors.forEach(({ low, under, high, beneath }, v) => {
      const nan = keep(key(floats.constant(NaN)));
      f.set(low, select(behind(k, v), nan, low.get));
      f.set(under, select(behind(k, v), numbers[v] as Code, under.get));
      f.set(high, select(behind(k, v), whole.add(nan, whole.constant(1)), high.get));
      f.set(beneath, select(behind(k, v), whole.constant(length), beneath.get));
    });
  });
}

/** What was counted about the zeros holds for either end, unless they are NaN or further out. */
function narrowByZero(
  f: FunctionBody,
  wide: boolean,
  { low, under, high, beneath }: Bracket,
  aim: number,
  zero: CountedZero,
  v: number,
): void {
  const whole = wide ? i64x2 : i32x4;
  const floats = wide ? f64x2 : f32x4;
  const value = zero.values[v] as Code;
  const known = f.let("v128", floats.eq(value, value));
  const first = f.let("v128", keyOf(f, wide, value));
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
