import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { and, constantI32x4, constantI64x2, f32x4, f64x2, not, select, shift, xor } from "./lanes.js";
import type { Instruction } from "./opcodes.js";

/**
 * Order statistics of the columns of a tile in scratch memory: `length` rows, each `vectors` vectors wide, every lane a
 * column of its own. Numbers are held as whole numbers that sort like them, NaN last, so that one comparison suffices.
 */
export interface Rows {
  readonly address: Code;
  /** A number, or code that pushes one. */
  readonly length: number | Code;
  readonly vectors: number;
  readonly wide: boolean;
}

const rowBytes = ({ vectors }: Rows) => 16 * vectors;

const shape = (wide: boolean) => (wide ? "i64x2" : "i32x4");
const compare = (wide: boolean, name: "lt_s" | "gt_s" | "le_s", a: Code, b: Code) =>
  binary(`${shape(wide)}.${name}` as Instruction, a, b);
const whole = (wide: boolean, value: number) =>
  wide ? constantI64x2(value < 0 ? -1 : 0, value) : constantI32x4(value);
const most = (wide: boolean) => (wide ? constantI64x2(0x7fffffff, -1) : constantI32x4(0x7fffffff));
const least = (wide: boolean) => (wide ? constantI64x2(-0x80000000, 0) : constantI32x4(-0x80000000));

const zero = (wide: boolean) => (wide ? constantI64x2(0, 0) : constantI32x4(0));
const subtract = (wide: boolean, a: Code, b: Code) => binary(wide ? "i64x2.sub" : "i32x4.sub", a, b);

/** Whole numbers in the order of floats, and back: the same exchange both ways. */
export function ordered(f: FunctionBody, wide: boolean, value: Code): Code {
  const kept = f.let("v128", value);
  const sign = wide ? shift("i64x2.shr_s", kept, 63) : shift("i32x4.shr_s", kept, 31);
  return xor(kept, and(sign, most(wide)));
}

/** NaN of any kind as the one that sorts last. */
export function withOneNaN(f: FunctionBody, wide: boolean, value: Code): Code {
  const floats = wide ? f64x2 : f32x4;
  const kept = f.let("v128", value);
  return select(floats.eq(kept, kept), kept, floats.constant(NaN));
}

/** Walks the rows: `body` gets code that pushes the address of the present one. */
export function eachRow(f: FunctionBody, rows: Rows, body: (row: Code) => void): void {
  f.scope(() => {
    const row = f.variable("i32");
    f.set(row, rows.address);
    const step = () => {
      f.scope(() => body(row.get));
      f.advance(row, rowBytes(rows));
    };
    if (typeof rows.length === "number") f.repeat(rows.length, step);
    else f.repeatTimes(rows.length, step);
  });
}

/** Numbers that belong to the columns besides the rows: one for each vector, `times` of it, a whole number in every lane. */
export interface Repeated {
  readonly values: readonly Code[];
  readonly times: Code;
}

const cell =
  (row: Code, vector: number): Code =>
  (f) =>
    f.load("v128.load", { base: row, offset: 16 * vector });

/** The numbers at a place and at the next one, in every column. */
interface Neighbours {
  readonly low: Code;
  readonly high: Code;
}

/**
 * The `place`-th smallest number of every column, and the one after it if that is wanted. Where a number occurs so
 * often that it takes these places in every column, as 0 behind a ReLU, counting what lies below it settles that.
 */
export function selectNeighbours(
  f: FunctionBody,
  rows: Rows,
  place: number,
  withNext: boolean,
  repeated: Repeated | null = null,
): Neighbours[] {
  if (repeated === null) return search(f, rows, place, withNext, null);
  const { wide, vectors } = rows;
  const results = Array.from({ length: vectors }, () => [f.variable("v128"), f.variable("v128")] as const);
  const settle = (neighbours: readonly Neighbours[]) => {
    results.forEach(([low, high], v) => {
      f.set(low, (neighbours[v] as Neighbours).low);
      f.set(high, (neighbours[v] as Neighbours).high);
    });
  };
  const last = place + (withNext ? 1 : 0);
  const within = countBelow(f, rows, repeated.values, null).map((below) => {
    const end = binary(wide ? "i64x2.add" : "i32x4.add", below.get, repeated.times);
    const covers = compare(wide, "gt_s", end, whole(wide, last));
    return f.let("v128", and(compare(wide, "le_s", below.get, whole(wide, place)), covers));
  });
  f.if(
    unary(`${shape(wide)}.all_true`, within.reduce(and)),
    () => settle(repeated.values.map((value) => ({ low: value, high: value }))),
    () => f.scope(() => settle(search(f, rows, place, withNext, repeated))),
  );
  return results.map(([low, high]) => ({ low: low.get, high: high.get }));
}

/** How many numbers of every column are less than a limit. */
function countBelow(f: FunctionBody, rows: Rows, limits: readonly Code[], repeated: Repeated | null): Variable[] {
  const { wide } = rows;
  const counts = limits.map((limit, v) => {
    const count = f.variable("v128");
    if (repeated === null) f.set(count, zero(wide));
    else f.set(count, and(compare(wide, "lt_s", repeated.values[v] as Code, limit), repeated.times));
    return count;
  });
  eachRow(f, rows, (row) => {
    counts.forEach((count, v) =>
      f.set(count, subtract(wide, count.get, compare(wide, "lt_s", cell(row, v), limits[v] as Code))),
    );
  });
  return counts;
}

/** Halves the range of whole numbers, one pass for each bit, counting what lies below. No branch, no data moved. */
function search(
  f: FunctionBody,
  rows: Rows,
  place: number,
  withNext: boolean,
  repeated: Repeated | null,
): Neighbours[] {
  const { wide, vectors } = rows;
  const list = Array.from({ length: vectors }, (_, v) => v);
  const found = list.map(() => f.variable("v128"));
  const bit = f.variable("v128");
  for (const variable of found) f.set(variable, least(wide));
  f.set(bit, least(wide));
  f.repeat(wide ? 64 : 32, () => {
    f.scope(() => {
      const tried = found.map(({ get }) => f.let("v128", xor(get, bit.get)));
      countBelow(f, rows, tried, repeated).forEach((count, v) => {
        const few = compare(wide, "le_s", count.get, whole(wide, place));
        f.set(found[v] as Variable, select(few, tried[v] as Code, (found[v] as Variable).get));
      });
    });
    f.set(bit, shift(wide ? "i64x2.shr_u" : "i32x4.shr_u", bit.get, 1));
  });
  if (!withNext) return found.map(({ get }) => ({ low: get, high: get }));
  // The next one is the same number where it occurs often enough, else the least above it.
  const above = list.map(() => f.variable("v128"));
  const count = list.map(() => f.variable("v128"));
  count.forEach((variable, v) => {
    f.set(variable, zero(wide));
    f.set(above[v] as Variable, most(wide));
    if (repeated === null) return;
    const value = repeated.values[v] as Code;
    const larger = f.let("v128", compare(wide, "gt_s", value, (found[v] as Variable).get));
    f.set(variable, and(not(larger), repeated.times));
    const some = compare(wide, "gt_s", repeated.times, zero(wide));
    f.set(above[v] as Variable, select(and(larger, some), value, most(wide)));
  });
  eachRow(f, rows, (row) => {
    list.forEach((v) => {
      const value = f.let("v128", cell(row, v));
      const larger = f.let("v128", compare(wide, "gt_s", value, (found[v] as Variable).get));
      const [tally, next] = [count[v], above[v]] as [Variable, Variable];
      f.set(tally, subtract(wide, tally.get, not(larger)));
      const candidate = f.let("v128", select(larger, value, most(wide)));
      f.set(
        next,
        wide
          ? select(compare(wide, "lt_s", candidate, next.get), candidate, next.get)
          : binary("i32x4.min_s", candidate, next.get),
      );
    });
  });
  return list.map((v) => {
    const low = (found[v] as Variable).get;
    const repeats = compare(wide, "gt_s", (count[v] as Variable).get, whole(wide, place + 1));
    return { low, high: select(repeats, low, (above[v] as Variable).get) };
  });
}

/**
 * Sorts every column in place by merge exchange: a fixed network, so that all lanes do the same.
 *
 * @see  D. Knuth, The Art of Computer Programming, vol. 3, algorithm 5.2.2M (Batcher).
 */
export function sortRows(f: FunctionBody, rows: Rows & { readonly length: number }): void {
  const { length, wide, vectors } = rows;
  const bytes = rowBytes(rows);
  const exchange = f.module.named(
    `exchange ${vectors} ${wide}`,
    ["i32", "i32", "i32"],
    [],
    (g, row, distance, count) => {
      g.loop(() => {
        g.scope(() => {
          const other = g.let("i32", binary("i32.add", row.get, distance.get));
          for (let v = 0; v < vectors; v++) {
            const a = g.let("v128", cell(row.get, v));
            const b = g.let("v128", cell(other, v));
            const [small, large] = wide
              ? [select(compare(true, "gt_s", a, b), b, a), select(compare(true, "gt_s", a, b), a, b)]
              : [binary("i32x4.min_s", a, b), binary("i32x4.max_s", a, b)];
            g.store("v128.store", { base: row.get, offset: 16 * v }, small);
            g.store("v128.store", { base: other, offset: 16 * v }, large);
          }
        });
        g.advance(row, bytes);
        g.set(count, binary("i32.sub", count.get, integer(1)));
        g.branchIf(0, count.get);
      });
    },
  );
  /** Exchanges rows i and i + distance for i from … with the bit `period` equal to that of `first`. */
  const stage = (first: number, distance: number, period: number) => {
    const last = length - distance;
    const blocks = Math.max(0, Math.floor((last - first + period) / (2 * period)));
    f.scope(() => {
      const row = f.variable("i32");
      f.set(row, binary("i32.add", rows.address, integer(first * bytes)));
      f.repeat(blocks, () => {
        f.call(exchange, row.get, integer(distance * bytes), integer(period));
        f.advance(row, 2 * period * bytes);
      });
      const left = last - (first + blocks * 2 * period);
      if (left > 0) f.call(exchange, row.get, integer(distance * bytes), integer(Math.min(left, period)));
    });
  };
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(length)) - 1);
  for (let p = top; p >= 1 && length > 1; p /= 2) {
    let first = 0;
    let distance = p;
    for (let q = top; ; q /= 2) {
      if (length - distance > first) stage(first, distance, p);
      if (q === p) break;
      distance = q - p;
      first = p;
    }
  }
}
