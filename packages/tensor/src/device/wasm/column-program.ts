import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { ColumnMoments, isElement, type Reduction } from "./column-moments.js";
import { mostWanted, searchRows, type Neighbours, type Wanted } from "./column-search.js";
import { block, type ColumnVectors, type SortedPart } from "./column-vectors.js";
import type { Lane } from "./formula.js";
import { and, f64x2, joinHalves, not, or, select, upperHalf } from "./lanes.js";
import { cutOf, wantedFor, type Cut } from "./column-cut.js";
import { ColumnOrder } from "./column-order.js";
import { eachRow, together } from "./rows.js";
import { sortRows } from "./sort-rows.js";
import { sliceKey, sortedSlices, type SortedSlice } from "./sorted-slices.js";
import type { TileRegisters } from "./tile-registers.js";
import { i32x4, i64x2, ordered, orderedNumber } from "./whole-lanes.js";
import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { normalize, type Expression } from "../../scalar/expression.js";

/** The memory a program works in: offsets from the start of scratch memory, in rows of one tile. */
export interface ProgramMemory {
  /** Rows of vector 0, or null where it is read from its factors again and again. */
  readonly values: number | null;
  /** A copy of what walks of samples that are not 0 visit, or null. */
  readonly copy: number | null;
  /** For order statistics. */
  readonly order: number | null;
  /** Of each vector that is really sorted. */
  readonly sorted: ReadonlyMap<number, number>;
  /** What is read of those that are not. */
  readonly slices: ReadonlyMap<number, readonly SortedSlice[]>;
  readonly rows: number;
}

/** Every statement, those inside loops included. */
export function allStatements(list: readonly ColumnStatement[]): ColumnStatement[] {
  return list.flatMap((s) => (s.kind === "iterate" ? [s, ...allStatements(s.body)] : [s]));
}

/** Statements that walk a vector. */
export function walksOf({ statements }: ColumnTrace): ColumnStatement[] {
  return allStatements(statements).filter(({ kind }) => kind === "reduce" || kind === "quantile" || kind === "sorted");
}

/**
 * @param stored  True where vector 0 is.
 * @param listed  True where its walks visit samples that are not 0 alone.
 */
export function planMemory(program: ColumnTrace, samples: number, stored: boolean, listed: boolean): ProgramMemory {
  const { statements } = program;
  const all = allStatements(statements);
  let rows = 0;
  const take = (count: number) => {
    const at = rows;
    rows += count;
    return at;
  };
  const values = stored ? take(samples) : null;
  const slices = sortedSlices(statements, samples, mostWanted);
  const order = all.some((s) => s.kind === "quantile") || slices.size > 0 ? take(searchRows(samples)) : null;
  // Power sums walk once where others do twice: programs without order may have no use for a copy.
  const again = walksOf(program).length > 1 || all.some((s) => s.kind === "iterate");
  const copy = listed && again && order !== null ? take(samples + together - 1) : null;
  const sorted = new Map<number, number>();
  for (const s of all) if (s.kind === "sorted" && !slices.has(s.vector)) sorted.set(s.vector, take(samples));
  return { values, copy, order, sorted, slices, rows };
}

function inputsOf(e: Expression, into: Set<number>): void {
  for (const node of normalize(e).nodes) if (node.kind === "input") into.add(node.index);
}

function readsOf(list: readonly ColumnStatement[], into: Set<number>): void {
  for (const s of list) {
    if (s.kind === "iterate") {
      for (const e of [s.initial, s.next, s.tolerance]) inputsOf(e, into);
      readsOf(s.body, into);
    } else if ("f" in s) inputsOf(s.f, into);
  }
}

function writesOf(list: readonly ColumnStatement[]): number[] {
  return list.flatMap((s) => {
    if (s.kind === "iterate") return [s.register, ...writesOf(s.body)];
    return "register" in s ? [s.register] : [];
  });
}

/** Prints a column program for one tile: every lane is a coordinate. Reductions that do not wait for each other share one walk. */
export class ProgramPrinter {
  readonly #program: ColumnTrace;
  readonly #registers: TileRegisters;
  readonly #vectors: ColumnVectors;
  readonly #memory: ProgramMemory;
  readonly #scratch: Code;
  readonly #moments: ColumnMoments;
  readonly #order: ColumnOrder;

  /** @param scratch  Address of the {@link ProgramMemory}. */
  constructor(
    program: ColumnTrace,
    registers: TileRegisters,
    vectors: ColumnVectors,
    memory: ProgramMemory,
    scratch: Code,
  ) {
    this.#program = program;
    this.#registers = registers;
    this.#vectors = vectors;
    this.#memory = memory;
    this.#scratch = scratch;
    this.#moments = new ColumnMoments(registers, vectors, (s) => this.#reduce([s]));
    this.#order = new ColumnOrder(registers, vectors, this.#rowAddress(memory.order ?? 0));
  }

  get #f(): FunctionBody {
    return this.#registers.f;
  }

  /** The vectors of the result, once the operands (registers 0 …) are given. */
  print(operands: readonly (readonly Lane[])[]): Code[] {
    operands.forEach((lanes, k) =>
      this.#registers.assign(
        k,
        lanes.map((lane) => this.#registers.numbers(lane)),
      ),
    );
    this.#statements(this.#program.statements, [this.#program.result]);
    return this.#registers.each((v) => this.#f.let("v128", this.#registers.formula(this.#program.result, v)));
  }

  #rowAddress(rows: number): Code {
    const bytes = rows * 16 * this.#registers.tile.counts.length;
    return bytes === 0 ? this.#scratch : binary("i32.add", this.#scratch, integer(bytes));
  }

  /** Registers that are made inside a scope that ends would be taken by others: they are made here, before. */
  #declare(list: readonly ColumnStatement[]): void {
    for (const register of writesOf(list)) this.#registers.of(register);
  }

  /** @param after  Formulas that are still to come. */
  #statements(list: readonly ColumnStatement[], after: readonly Expression[]): void {
    this.#declare(list);
    for (let i = 0; i < list.length; i++) {
      const s = list[i] as ColumnStatement;
      switch (s.kind) {
        case "map": {
          const source = this.#vectors.at(s.source);
          this.#vectors.define(s.vector, { ...source, maps: [...source.maps, { element: s.element, f: s.f }] });
          break;
        }
        case "slice": {
          const source = this.#vectors.at(s.source);
          const part = (from: SortedSlice) => ({ start: from.start + s.start, length: s.stop - s.start });
          const { sorted } = source;
          this.#vectors.define(
            s.vector,
            sorted === null ? { ...source, ...part(source) } : { ...source, sorted: { ...sorted, ...part(sorted) } },
          );
          break;
        }
        case "sorted": {
          const slices = this.#memory.slices.get(s.vector);
          if (slices === undefined) this.#f.scope(() => this.#sort(s));
          else this.#cut(s, slices);
          break;
        }
        case "quantile":
          this.#f.scope(() => this.#quantile(s));
          break;
        case "let":
          this.#let(s);
          break;
        case "reduce": {
          if (this.#moments.answer(s, list.slice(i + 1))) break;
          const together = [s];
          for (let next = list[i + 1]; next !== undefined && this.#precedes(together, next); next = list[i + 1]) {
            if (next.kind === "let") this.#let(next);
            else together.push(next);
            i++;
          }
          this.#f.scope(() => this.#reduce(together));
          break;
        }
        case "iterate": {
          const later = new Set<number>();
          readsOf(list.slice(i + 1), later);
          for (const e of after) inputsOf(e, later);
          this.#moments.within(() => this.#f.scope(() => this.#iterate(s, later)));
        }
      }
    }
  }

  #let(s: Extract<ColumnStatement, { kind: "let" }>): void {
    this.#registers.assign(
      s.register,
      this.#registers.each((v) => this.#f.let("v128", this.#registers.formula(s.f, v))),
    );
  }

  /** True where `next` can be done before the walk of the others, or in it. */
  #precedes(
    others: readonly Reduction[],
    next: ColumnStatement,
  ): next is Extract<ColumnStatement, { kind: "reduce" | "let" }> {
    if (next.kind === "reduce") return this.#joins(others, next);
    if (next.kind !== "let") return false;
    const reads = new Set<number>();
    inputsOf(next.f, reads);
    return others.every(({ register }) => !reads.has(register));
  }

  /** True where `next` walks what the others walk and needs none of their results. */
  #joins(others: readonly Reduction[], next: Reduction): boolean {
    const [first] = others as readonly [(typeof others)[number]];
    const [a, b] = [this.#vectors.at(first.source), this.#vectors.at(next.source)];
    if (a.stored !== b.stored || a.start !== b.start || a.length !== b.length) return false;
    if (this.#vectors.cutOf(a) !== this.#vectors.cutOf(b)) return false;
    const reads = new Set<number>();
    for (const e of [next.f, ...b.maps.map(({ f }) => f)]) inputsOf(e, reads);
    return others.every(({ register }) => !reads.has(register));
  }

  #reduce(list: readonly Reduction[]): void {
    const f = this.#f;
    const { wide } = this.#registers.settings;
    const { floats } = this.#registers;
    const [first] = list as readonly [(typeof list)[number]];
    const walked = this.#vectors.at(first.source);
    const length = this.#vectors.lengthOf(walked);
    const cut = this.#vectors.cutOf(walked);
    const done = cut === null ? 0 : (walked.sorted as SortedPart).maps;
    if (cut?.kind === "one") {
      for (const s of list) {
        const source = this.#vectors.at(s.source);
        const values = cut.values.map((value, v) => {
          const code = f.let("v128", this.#vectors.mapped(source, value, v, done));
          return f.let("v128", this.#registers.formula(s.f, v, { register: s.element, code }));
        });
        this.#registers.assign(s.register, values);
      }
      return;
    }
    const isSum = (s: (typeof list)[number]) => s.monoid === "sum" || s.monoid === "mean";
    const start = (s: (typeof list)[number]) =>
      floats.constant(isSum(s) ? 0 : s.monoid === "max" ? -Infinity : Infinity);
    const partial = list.map(() => this.#registers.variables());
    const blocked = !wide && length > block && list.some(isSum);
    const totals = list.map((s) =>
      blocked && isSum(s) ? this.#registers.each(() => [f.variable("v128"), f.variable("v128")] as const) : null,
    );
    const reset = (k: number) => {
      for (const variable of partial[k] as Variable[]) f.set(variable, start(list[k] as (typeof list)[number]));
    };
    /** Sums of a block join the totals in float64. */
    const collect = () => {
      totals.forEach((pairs, k) => {
        pairs?.forEach(([low, high], v) => {
          const part = ((partial[k] as Variable[])[v] as Variable).get;
          f.set(low, f64x2.add(low.get, unary("f64x2.promote_low_f32x4", part)));
          f.set(high, f64x2.add(high.get, unary("f64x2.promote_low_f32x4", upperHalf(part))));
        });
        if (pairs !== null) reset(k);
      });
    };
    for (const pairs of totals)
      for (const pair of pairs ?? []) for (const total of pair) f.set(total, f64x2.constant(0));
    list.forEach((_, k) => reset(k));
    /** Takes a value, of which the maps before the cut are done, in the lanes of a mask, so many times. */
    const take = (v: number, value: Code, mask: Code | null, times: Code | null) => {
      list.forEach((s, k) => {
        const element = f.let("v128", this.#vectors.mapped(this.#vectors.at(s.source), value, v, done));
        const formula = this.#registers.formula(s.f, v, { register: s.element, code: element });
        const total = (partial[k] as Variable[])[v] as Variable;
        if (isSum(s)) {
          const term = times === null ? formula : floats.mul(times, formula);
          f.set(total, floats.add(total.get, mask === null ? term : and(term, mask)));
        } else {
          const next = floats[s.monoid as "max" | "min"](total.get, formula);
          f.set(total, mask === null ? next : select(mask, f.let("v128", next), total.get));
        }
      });
    };
    const before = (vector: Code, v: number) => f.let("v128", this.#vectors.mapped(walked, vector, v, 0, done));
    const within = (value: Code, v: number) => (cut === null ? null : f.let("v128", cut.within(value, v)));
    this.#vectors.walk(
      walked,
      (vectors) => {
        vectors.forEach((vector, v) => {
          const value = before(vector, v);
          take(v, value, within(value, v), null);
        });
      },
      blocked ? collect : null,
    );
    const left = this.#vectors.leavesOut(walked);
    if (left !== null) {
      const some = f.let("v128", floats.gt(left.zeros, floats.constant(0)));
      this.#registers.each((v) => {
        const value = before(floats.constant(0), v);
        const mask = within(value, v);
        take(v, value, mask === null ? some : f.let("v128", and(mask, some)), left.zeros);
      });
    }
    for (const { values, times } of cut?.ends ?? []) {
      values.forEach((value, v) => {
        const number = times[v] as Code;
        take(v, value, f.let("v128", floats.gt(number, floats.constant(0))), number);
      });
    }
    if (blocked && (left !== null || cut !== null)) collect();
    list.forEach((s, k) => {
      const values = this.#registers.each((v) => {
        const pair = totals[k]?.[v];
        const narrow = (code: Code) => unary("f32x4.demote_f64x2_zero", code);
        if (pair && s.monoid === "mean") {
          const mean = (half: Variable) => f.let("v128", narrow(f64x2.div(half.get, f64x2.constant(length))));
          return joinHalves(mean(pair[0]), mean(pair[1]));
        }
        if (pair) return joinHalves(f.let("v128", narrow(pair[0].get)), f.let("v128", narrow(pair[1].get)));
        const total = ((partial[k] as Variable[])[v] as Variable).get;
        return s.monoid === "mean" ? floats.div(total, floats.constant(length)) : total;
      });
      this.#registers.assign(s.register, values);
      const source = this.#vectors.at(s.source);
      const whole = source.maps.length === 0 && this.#vectors.whole(source);
      if (whole && s.monoid === "mean" && isElement(s)) this.#moments.known(s.register);
    });
  }

  /** Finds the ends of what is read of a sorted vector, which is not formed. */
  #cut(s: Extract<ColumnStatement, { kind: "sorted" }>, slices: readonly SortedSlice[]): void {
    const source = this.#vectors.at(s.source);
    const { length } = source;
    const wanted = slices.map((slice) => wantedFor(slice, length));
    const found = this.#order.find(source, wanted.flat());
    const cuts = new Map<string, Cut>();
    slices.forEach((slice, k) => {
      const mine = found.splice(0, (wanted[k] as Wanted[]).length);
      cuts.set(sliceKey(slice), cutOf(this.#registers, slice, length, mine));
    });
    this.#vectors.define(s.vector, {
      ...source,
      sorted: { start: 0, length, maps: source.maps.length, cuts },
    });
  }

  #rows<L extends number | Code>(address: Code, length: L) {
    return { address, length, vectors: this.#registers.tile.counts.length, wide: this.#registers.settings.wide };
  }

  #sort(s: Extract<ColumnStatement, { kind: "sorted" }>): void {
    const f = this.#f;
    const { wide } = this.#registers.settings;
    const source = this.#vectors.at(s.source);
    const stored = this.#rowAddress(this.#memory.sorted.get(s.vector) as number);
    const key = (value: Code) => orderedNumber(f, wide, value);
    const end = f.variable("i32");
    f.set(end, stored);
    this.#vectors.walk(source, (vectors) => {
      vectors.forEach((vector, v) => {
        const value = this.#vectors.mapped(source, vector, v);
        f.store("v128.store", { base: end.get, offset: 16 * v }, f.let("v128", key(value)));
      });
      f.advance(end, 16 * vectors.length);
    });
    const left = this.#vectors.leavesOut(source);
    if (left !== null) {
      const zero = this.#registers.floats.constant(0);
      const values = this.#registers.each((v) => f.let("v128", key(this.#vectors.mapped(source, zero, v))));
      const others = binary("i32.sub", integer(source.length), left.count);
      eachRow(f, this.#rows(end.get, others), (row) => {
        values.forEach((value, v) => f.store("v128.store", { base: row, offset: 16 * v }, value));
      });
    }
    const rows = this.#rows(stored, source.length);
    sortRows(f, rows);
    eachRow(f, rows, (row) => {
      this.#registers.each((v) => {
        const value = ordered(f, wide, (g) => g.load("v128.load", { base: row, offset: 16 * v }));
        f.store("v128.store", { base: row, offset: 16 * v }, value);
      });
    });
    this.#vectors.define(s.vector, { stored, start: 0, length: source.length, maps: [], sorted: null });
  }

  #quantile(s: Extract<ColumnStatement, { kind: "quantile" }>): void {
    const f = this.#f;
    const { floats, settings } = this.#registers;
    const whole = settings.wide ? i64x2 : i32x4;
    const source = this.#vectors.at(s.source);
    const strange = this.#registers.variables();
    const position = s.q * (source.length - 1);
    const lower = Math.floor(position);
    const fraction = position - lower;
    const wanted = [{ kind: "place", place: lower, next: fraction !== 0 }] as const;
    const [{ vectors }] = this.#order.find(source, wanted, strange) as [Neighbours];
    this.#registers.assign(
      s.register,
      vectors.map(({ low, high }, v) => {
        const [below, above] = [low.get, high.get];
        const half = floats.constant(0.5);
        const between =
          fraction === 0.5
            ? floats.add(floats.mul(below, half), floats.mul(above, half))
            : floats.add(below, floats.mul(floats.constant(fraction), floats.sub(above, below)));
        const value = fraction === 0 ? below : select(floats.eq(below, above), below, between);
        const nan = whole.gt((strange[v] as Variable).get, whole.constant(0));
        return select(nan, floats.constant(NaN), f.let("v128", value));
      }),
    );
  }

  /** Lanes that have stopped keep their state, and what is read after the loop. */
  #iterate(s: Extract<ColumnStatement, { kind: "iterate" }>, later: ReadonlySet<number>): void {
    const f = this.#f;
    const { floats } = this.#registers;
    const limits = this.#registers.each((v) => f.let("v128", this.#registers.formula(s.tolerance, v)));
    this.#registers.assign(
      s.register,
      this.#registers.each((v) => f.let("v128", this.#registers.formula(s.initial, v))),
    );
    this.#declare(s.body);
    const frozen = writesOf(s.body).filter((register) => later.has(register));
    const active = this.#registers.variables();
    active.forEach((variable, v) => f.set(variable, this.#registers.used(v)));
    for (const register of frozen)
      this.#registers.assign(
        register,
        this.#registers.each(() => floats.constant(0)),
      );
    const turns = f.variable("i32");
    f.set(turns, integer(s.maximum));
    f.block(() => {
      f.loop(() => {
        f.scope(() => {
          const before = frozen.map((register) =>
            this.#registers.each((v) => f.let("v128", this.#registers.get(register, v))),
          );
          this.#statements(s.body, [s.next]);
          this.#registers.each((v) => {
            const going = active[v] as Variable;
            const state = this.#registers.of(s.register)[v] as Variable;
            const next = f.let("v128", this.#registers.formula(s.next, v));
            const change = floats.abs(floats.sub(next, state.get));
            const stops = f.let("v128", floats.le(change, limits[v] as Code));
            f.set(state, select(going.get, next, state.get));
            frozen.forEach((register, k) => {
              const variable = this.#registers.of(register)[v] as Variable;
              f.set(variable, select(going.get, variable.get, (before[k] as Code[])[v] as Code));
            });
            f.set(going, and(going.get, not(stops)));
          });
          const any = active.map(({ get }) => get).reduce((a, b) => or(a, b));
          f.branchIf(1, unary("i32.eqz", unary("v128.any_true", any)));
          f.set(turns, binary("i32.sub", turns.get, integer(1)));
          f.branchIf(0, turns.get);
        });
      });
    });
  }
}
