import type { Code } from "./assembler.js";
import type { Found, Neighbours, Split, Wanted } from "./column-search.js";
import { not, select } from "./lanes.js";
import type { Bracket } from "./selection.js";
import type { SortedSlice } from "./sorted-slices.js";
import type { TileRegisters } from "./tile-registers.js";
import { andNot, i32x4, i64x2, ordered, orderedNumber } from "./whole-lanes.js";

/** A number that belongs to a slice so many times (a float, maybe 0), for every vector. */
export interface Repetition {
  readonly values: readonly Code[];
  readonly times: readonly Code[];
}

/** What a slice of sorted values is made of: one number, or numbers within limits and repetitions of those at its ends. */
export type Cut =
  | { readonly kind: "one"; readonly values: readonly Code[] }
  | {
      readonly kind: "between";
      /** A mask of the lanes of a vector whose value is within. */
      readonly within: (value: Code, vector: number) => Code;
      readonly ends: readonly Repetition[];
    };

/** What has to be found for a slice of `length` sorted values. */
export function wantedFor({ start, length }: SortedSlice, of: number): Wanted[] {
  if (length === 1) return [{ kind: "place", place: start, next: false }];
  return [start, start + length].filter((at) => at > 0 && at < of).map((count) => ({ kind: "split", count }));
}

/** The cut of a slice of `of` values. */
export function cutOf(registers: TileRegisters, slice: SortedSlice, of: number, found: readonly Found[]): Cut {
  const { f, floats, settings } = registers;
  const { start, length } = slice;
  if (length === 1) return { kind: "one", values: (found[0] as Neighbours).vectors.map(({ low }) => low.get) };
  const whole = settings.wide ? i64x2 : i32x4;
  const stop = start + length;
  const keep = (value: Code) => f.let("v128", value);
  const float = (key: Code) => keep(ordered(f, settings.wide, key));
  const number = (count: Code) => keep(whole.float(f, count));
  const low = start > 0 ? (found[0] as Split).vectors : null;
  const high = stop < of ? (found.at(-1) as Split).vectors : null;
  const times: { low: Code[]; high: Code[] } = { low: [], high: [] };
  const from = low?.map((bracket) => {
    // Nothing is left between the keys of an end among equal numbers: those within are beyond both.
    const fits = keep(whole.eq(bracket.under.get, whole.constant(start)));
    const reached = whole.sub(keep(whole.min(bracket.beneath.get, whole.constant(stop))), whole.constant(start));
    times.low.push(keep(select(fits, whole.constant(0), reached)));
    return keep(select(fits, bracket.low.get, bracket.high.get));
  });
  high?.forEach((bracket, v) => {
    // Where both ends are among the same numbers, they count for the first.
    const rest = keep(whole.sub(whole.constant(length), times.low[v] ?? whole.constant(0)));
    const above = keep(whole.sub(whole.constant(stop), bracket.under.get));
    times.high.push(keep(whole.min(above, rest)));
  });
  const repetition = (vectors: readonly Bracket[], counts: readonly Code[]) => ({
    values: vectors.map((bracket) => float(bracket.low.get)),
    times: counts.map(number),
  });
  const ends = [
    ...(low === null ? [] : [repetition(low, times.low)]),
    ...(high === null ? [] : [repetition(high, times.high)]),
  ];
  if (high === null) {
    // No limit of a float's says that NaN is within.
    const key = (value: Code) => orderedNumber(f, settings.wide, floats.add(value, floats.constant(0)));
    const within = (value: Code, v: number) => not(whole.lt(key(value), (from as Code[])[v] as Code));
    return { kind: "between", ends, within };
  }
  const first = from?.map(float);
  const limit = high.map((bracket) => float(bracket.low.get));
  const within = (value: Code, v: number) => {
    const reached = floats.ge(value, first?.[v] ?? floats.constant(-Infinity));
    return andNot(reached, floats.ge(value, limit[v] as Code));
  };
  return { kind: "between", ends, within };
}
