import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { asNumbers, printFormula, type Constants, type FormulaSettings, type Lane } from "./formula.js";
import { and, f32x4, f64x2, joinHalves, not, or, select, upperHalf, vectorOf, type FloatLanes } from "./lanes.js";
import { eachRow, ordered, selectNeighbours, sortRows, withOneNaN, type Rows } from "./order.js";
import type { SourceReader, Source, Tile } from "./column-source.js";
import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { normalize, type Expression } from "../../scalar/expression.js";

/** Terms of a float32 sum that are added before they join a total in float64. */
const block = 64;

/** Where the values of a vector come from: a base that can be walked, formulas applied on the way. */
interface VectorSource {
  /** Rows in scratch memory, or null for the factors themselves. */
  readonly stored: Code | null;
  readonly start: number;
  readonly length: number;
  readonly maps: readonly { readonly element: number; readonly f: Expression }[];
}

/** The memory a program works in: offsets from the start of scratch memory, in rows of one tile. */
export interface ProgramMemory {
  /** Rows of vector 0, or null where it is read from its factors again and again. */
  readonly values: number | null;
  /** For order statistics. */
  readonly keys: number | null;
  /** Of each sorted vector. */
  readonly sorted: ReadonlyMap<number, number>;
  readonly rows: number;
}

/** Every statement, those inside loops included. */
export function allStatements(list: readonly ColumnStatement[]): ColumnStatement[] {
  return list.flatMap((s) => (s.kind === "iterate" ? [s, ...allStatements(s.body)] : [s]));
}

export function planMemory({ statements }: ColumnTrace, samples: number, stored: boolean): ProgramMemory {
  const all = allStatements(statements);
  let rows = 0;
  const take = (count: number) => {
    const at = rows;
    rows += count;
    return at;
  };
  const values = stored ? take(samples) : null;
  const keys = all.some((s) => s.kind === "quantile") ? take(samples) : null;
  const sorted = new Map<number, number>();
  for (const s of all) if (s.kind === "sorted") sorted.set(s.vector, take(samples));
  return { values, keys, sorted, rows };
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

/**
 * Prints a column program for one tile: every lane is a coordinate. Vectors are never formed where walking their
 * source again gives them; reductions of one source that do not wait for each other share one walk.
 */
export class ProgramPrinter {
  readonly #f: FunctionBody;
  readonly #program: ColumnTrace;
  readonly #tile: Tile;
  readonly #settings: FormulaSettings;
  readonly #floats: FloatLanes;
  readonly #reader: SourceReader;
  readonly #source: Source;
  readonly #memory: ProgramMemory;
  readonly #scratch: Code;
  readonly #constants: (e: Expression) => Constants;
  readonly #vectors: VectorSource[] = [];
  readonly #registers: Variable[][] = [];

  constructor(
    f: FunctionBody,
    program: ColumnTrace,
    samples: number,
    tile: Tile,
    settings: FormulaSettings,
    reader: SourceReader,
    source: Source,
    memory: ProgramMemory,
    scratch: Code,
    constants: (e: Expression) => Constants,
  ) {
    this.#f = f;
    this.#program = program;
    this.#tile = tile;
    this.#settings = settings;
    this.#floats = settings.wide ? f64x2 : f32x4;
    this.#reader = reader;
    this.#source = source;
    this.#memory = memory;
    this.#scratch = scratch;
    this.#constants = constants;
    const stored = memory.values === null ? null : this.#rowAddress(memory.values);
    this.#vectors[0] = { stored, start: 0, length: samples, maps: [] };
  }

  /** The vectors of the result, once the operands (registers 0 …) are given. */
  print(operands: readonly (readonly Lane[])[]): Code[] {
    operands.forEach((lanes, k) => this.#assign(k, lanes.map((lane) => this.#numbers(lane))));
    this.#statements(this.#program.statements, [this.#program.result]);
    return this.#each((v) => this.#f.let("v128", this.#formula(this.#program.result, v)));
  }

  #each<T>(body: (vector: number) => T): T[] {
    return this.#tile.counts.map((_, v) => body(v));
  }

  #rowAddress(rows: number): Code {
    const bytes = rows * 16 * this.#tile.counts.length;
    return bytes === 0 ? this.#scratch : binary("i32.add", this.#scratch, integer(bytes));
  }

  #numbers(lane: Lane): Code {
    return asNumbers(this.#f, lane, this.#settings.wide ? "f64" : "f32");
  }

  #assign(register: number, values: readonly Code[]): void {
    const variables = (this.#registers[register] ??= this.#each(() => this.#f.variable("v128")));
    variables.forEach((variable, v) => this.#f.set(variable, values[v] as Code));
  }

  #register(k: number, vector: number): Code {
    return ((this.#registers[k] as Variable[])[vector] as Variable).get;
  }

  /** A formula of registers, of one of the tile's vectors; `element` stands for a value of a walk. */
  #formula(e: Expression, vector: number, element?: { readonly register: number; readonly code: Code }): Code {
    const type = this.#settings.wide ? "f64" : "f32";
    const lane = printFormula(
      this.#f,
      normalize(e),
      (k) => ({ type, code: k === element?.register ? element.code : this.#register(k, vector) }),
      this.#constants(e),
      this.#settings,
    );
    return this.#numbers(lane);
  }

  /** Registers that are made inside a scope that ends would be taken by others: they are made here, before. */
  #declare(list: readonly ColumnStatement[]): void {
    for (const register of writesOf(list)) this.#registers[register] ??= this.#each(() => this.#f.variable("v128"));
  }

  /** @param after  Formulas that are still to come. */
  #statements(list: readonly ColumnStatement[], after: readonly Expression[]): void {
    this.#declare(list);
    for (let i = 0; i < list.length; i++) {
      const s = list[i] as ColumnStatement;
      switch (s.kind) {
        case "map": {
          const source = this.#vectors[s.source] as VectorSource;
          this.#vectors[s.vector] = { ...source, maps: [...source.maps, { element: s.element, f: s.f }] };
          break;
        }
        case "slice": {
          const source = this.#vectors[s.source] as VectorSource;
          this.#vectors[s.vector] = { ...source, start: source.start + s.start, length: s.stop - s.start };
          break;
        }
        case "sorted":
          this.#f.scope(() => this.#sort(s));
          break;
        case "quantile":
          this.#f.scope(() => this.#quantile(s));
          break;
        case "let":
          this.#assign(s.register, this.#each((v) => this.#f.let("v128", this.#formula(s.f, v))));
          break;
        case "reduce": {
          const together = [s];
          for (let next = list[i + 1]; next?.kind === "reduce" && this.#joins(together, next); next = list[i + 1]) {
            together.push(next);
            i++;
          }
          this.#f.scope(() => this.#reduce(together));
          break;
        }
        case "iterate": {
          const later = new Set<number>();
          readsOf(list.slice(i + 1), later);
          for (const e of after) inputsOf(e, later);
          this.#f.scope(() => this.#iterate(s, later));
        }
      }
    }
  }

  /** True where `next` walks what the others walk and needs none of their results. */
  #joins(others: readonly Extract<ColumnStatement, { kind: "reduce" }>[], next: Extract<ColumnStatement, { kind: "reduce" }>): boolean {
    const [first] = others as readonly [(typeof others)[number]];
    const [a, b] = [this.#vectors[first.source] as VectorSource, this.#vectors[next.source] as VectorSource];
    if (a.stored !== b.stored || a.start !== b.start || a.length !== b.length) return false;
    const reads = new Set<number>();
    for (const e of [next.f, ...b.maps.map(({ f }) => f)]) inputsOf(e, reads);
    return others.every(({ register }) => !reads.has(register));
  }

  /** Walks rows start … start + length − 1 of a vector's base; maps are up to the body. */
  #walk(source: VectorSource, repeat: (length: number, step: () => void) => void, body: (vectors: readonly Code[]) => void): void {
    const f = this.#f;
    if (source.stored === null) {
      this.#reader.each(this.#source, source.start, source.length, repeat, body);
      return;
    }
    const bytes = 16 * this.#tile.counts.length;
    const row = f.variable("i32");
    const from = source.start * bytes;
    f.set(row, from === 0 ? source.stored : binary("i32.add", source.stored, integer(from)));
    repeat(source.length, () => {
      f.scope(() => body(this.#each((v) => (g: FunctionBody) => g.load("v128.load", { base: row.get, offset: 16 * v }))));
      f.advance(row, bytes);
    });
  }

  /** The value of a vector where its base has `value`. */
  #mapped(source: VectorSource, value: Code, vector: number): Code {
    return source.maps.reduce((code, { element, f }) => {
      const kept = this.#f.let("v128", code);
      return this.#formula(f, vector, { register: element, code: kept });
    }, value);
  }

  #reduce(list: readonly Extract<ColumnStatement, { kind: "reduce" }>[]): void {
    const f = this.#f;
    const { wide } = this.#settings;
    const floats = this.#floats;
    const [first] = list as readonly [(typeof list)[number]];
    const walked = this.#vectors[first.source] as VectorSource;
    const { length } = walked;
    const isSum = (s: (typeof list)[number]) => s.monoid === "sum" || s.monoid === "mean";
    const start = (s: (typeof list)[number]) => floats.constant(isSum(s) ? 0 : s.monoid === "max" ? -Infinity : Infinity);
    const partial = list.map(() => this.#each(() => f.variable("v128")));
    const blocked = !wide && length > block && list.some(isSum);
    const totals = list.map((s) => (blocked && isSum(s) ? this.#each(() => [f.variable("v128"), f.variable("v128")] as const) : null));
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
    for (const pairs of totals) for (const pair of pairs ?? []) for (const total of pair) f.set(total, f64x2.constant(0));
    list.forEach((_, k) => reset(k));
    const repeat = (count: number, step: () => void) => {
      if (!blocked) {
        f.repeat(count, step);
        return;
      }
      f.repeat(Math.floor(count / block), () => {
        f.repeat(block, step);
        collect();
      });
      if (count % block > 0) {
        f.repeat(count % block, step);
        collect();
      }
    };
    this.#walk(walked, repeat, (vectors) => {
      vectors.forEach((vector, v) => {
        const value = f.let("v128", vector);
        list.forEach((s, k) => {
          const source = this.#vectors[s.source] as VectorSource;
          const element = f.let("v128", this.#mapped(source, value, v));
          const term = this.#formula(s.f, v, { register: s.element, code: element });
          const total = (partial[k] as Variable[])[v] as Variable;
          f.set(total, isSum(s) ? floats.add(total.get, term) : floats[s.monoid as "max" | "min"](total.get, term));
        });
      });
    });
    list.forEach((s, k) => {
      const values = this.#each((v) => {
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
      this.#assign(s.register, values);
    });
  }

  /** Writes a vector's values to rows of scratch memory, as `key` makes of them. */
  #fill(source: VectorSource, target: Code, key: (value: Code, vector: number) => Code): void {
    const f = this.#f;
    const row = f.variable("i32");
    f.set(row, target);
    this.#walk(
      source,
      (length, step) => f.repeat(length, step),
      (vectors) => {
        vectors.forEach((vector, v) => {
          f.store("v128.store", { base: row.get, offset: 16 * v }, f.let("v128", key(f.let("v128", this.#mapped(source, vector, v)), v)));
        });
        f.advance(row, 16 * vectors.length);
      },
    );
  }

  #rows(address: Code, length: number): Rows {
    return { address, length, vectors: this.#tile.counts.length, wide: this.#settings.wide };
  }

  #sort(s: Extract<ColumnStatement, { kind: "sorted" }>): void {
    const f = this.#f;
    const { wide } = this.#settings;
    const source = this.#vectors[s.source] as VectorSource;
    const stored = this.#rowAddress(this.#memory.sorted.get(s.vector) as number);
    this.#fill(source, stored, (value) => ordered(f, wide, withOneNaN(f, wide, value)));
    const rows = this.#rows(stored, source.length);
    sortRows(f, rows);
    eachRow(f, rows, (row) => {
      this.#each((v) => {
        const value = ordered(f, wide, (g) => g.load("v128.load", { base: row, offset: 16 * v }));
        f.store("v128.store", { base: row, offset: 16 * v }, value);
      });
    });
    this.#vectors[s.vector] = { stored, start: 0, length: source.length, maps: [] };
  }

  #quantile(s: Extract<ColumnStatement, { kind: "quantile" }>): void {
    const f = this.#f;
    const { wide } = this.#settings;
    const floats = this.#floats;
    const source = this.#vectors[s.source] as VectorSource;
    const keys = this.#rowAddress(this.#memory.keys as number);
    const bad = this.#each(() => f.variable("v128"));
    for (const variable of bad) f.set(variable, floats.constant(0));
    this.#fill(source, keys, (value, v) => {
      const variable = bad[v] as Variable;
      f.set(variable, or(variable.get, floats.ne(value, value)));
      return ordered(f, wide, value);
    });
    const position = s.q * (source.length - 1);
    const lower = Math.floor(position);
    const fraction = position - lower;
    const found = selectNeighbours(f, this.#rows(keys, source.length), lower, fraction !== 0);
    this.#assign(
      s.register,
      found.map(({ low, high }, v) => {
        const below = f.let("v128", ordered(f, wide, low));
        const above = f.let("v128", ordered(f, wide, high));
        const half = floats.constant(0.5);
        const between =
          fraction === 0.5
            ? floats.add(floats.mul(below, half), floats.mul(above, half))
            : floats.add(below, floats.mul(floats.constant(fraction), floats.sub(above, below)));
        const value = fraction === 0 ? below : select(floats.eq(below, above), below, between);
        return select((bad[v] as Variable).get, floats.constant(NaN), value);
      }),
    );
  }

  /** Lanes that have stopped keep their state, and what is read after the loop. */
  #iterate(s: Extract<ColumnStatement, { kind: "iterate" }>, later: ReadonlySet<number>): void {
    const f = this.#f;
    const { wide } = this.#settings;
    const floats = this.#floats;
    const limits = this.#each((v) => f.let("v128", this.#formula(s.tolerance, v)));
    this.#assign(s.register, this.#each((v) => f.let("v128", this.#formula(s.initial, v))));
    this.#declare(s.body);
    const frozen = writesOf(s.body).filter((register) => later.has(register));
    const active = this.#each(() => f.variable("v128"));
    this.#tile.counts.forEach((count, v) => {
      const words = Int32Array.from({ length: 4 }, (_, k) => (k < (wide ? 2 * count : count) ? -1 : 0));
      f.set(active[v] as Variable, vectorOf(words));
    });
    for (const register of frozen) this.#assign(register, this.#each(() => floats.constant(0)));
    const turns = f.variable("i32");
    f.set(turns, integer(s.maximum));
    f.block(() => {
      f.loop(() => {
        f.scope(() => {
          const before = frozen.map((register) => this.#each((v) => f.let("v128", this.#register(register, v))));
          this.#statements(s.body, [s.next]);
          this.#each((v) => {
            const going = active[v] as Variable;
            const state = (this.#registers[s.register] as Variable[])[v] as Variable;
            const next = f.let("v128", this.#formula(s.next, v));
            const change = floats.abs(floats.sub(next, state.get));
            const stops = f.let("v128", floats.le(change, limits[v] as Code));
            f.set(state, select(going.get, next, state.get));
            frozen.forEach((register, k) => {
              const variable = (this.#registers[register] as Variable[])[v] as Variable;
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
