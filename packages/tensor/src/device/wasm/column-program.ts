import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { asNumbers, printFormula, type Constants, type FormulaSettings, type Lane } from "./formula.js";
import {
  and,
  f32x4,
  f64x2,
  joinHalves,
  not,
  or,
  pick32,
  select,
  upperHalf,
  vectorOf,
  type FloatLanes,
} from "./lanes.js";
import { eachRow, ordered, selectNeighbours, sortRows, withOneNaN, type Rows } from "./order.js";
import { clampedPolynomial, type ClampedPolynomial } from "./power-sums.js";
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

/**
 * What bounds the elements of a tile, sample by sample: |element| ≤ |delta| · largest. Both are rows of numbers in
 * memory, padded to whole vectors.
 */
export interface SampleBounds {
  readonly delta: Code;
  readonly largest: Code;
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

/** True for a reduction of the elements as they are. */
function isElement({ f, element }: Extract<ColumnStatement, { kind: "reduce" }>): boolean {
  return f.kind === "input" && f.index === element;
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
  readonly #bounds: SampleBounds | null;
  readonly #vectors: VectorSource[] = [];
  /** Registers that hold the mean of all elements. */
  readonly #means = new Set<number>();
  /** Power sums of the elements less a pivot (a register; −1 for none), one vector of totals for each power. */
  readonly #moments = new Map<number, readonly (readonly Variable[])[]>();
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
    bounds: SampleBounds | null = null,
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
    this.#bounds = bounds;
    const stored = memory.values === null ? null : this.#rowAddress(memory.values);
    this.#vectors[0] = { stored, start: 0, length: samples, maps: [] };
  }

  /** The vectors of the result, once the operands (registers 0 …) are given. */
  print(operands: readonly (readonly Lane[])[]): Code[] {
    operands.forEach((lanes, k) =>
      this.#assign(
        k,
        lanes.map((lane) => this.#numbers(lane)),
      ),
    );
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

  #assignOne(register: number, vector: number, value: Code): void {
    this.#f.set((this.#registers[register] as Variable[])[vector] as Variable, value);
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
          this.#let(s);
          break;
        case "reduce": {
          if (this.#fromMoments(s, list.slice(i + 1))) break;
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
          // Sums known before the loop hold inside it, but not the other way round.
          const outside = new Map(this.#moments);
          this.#f.scope(() => this.#iterate(s, later));
          this.#moments.clear();
          for (const [pivot, sums] of outside) this.#moments.set(pivot, sums);
        }
      }
    }
  }

  #let(s: Extract<ColumnStatement, { kind: "let" }>): void {
    this.#assign(
      s.register,
      this.#each((v) => this.#f.let("v128", this.#formula(s.f, v))),
    );
  }

  /** True where `next` can be done before the walk of the others, or in it. */
  #precedes(
    others: readonly Extract<ColumnStatement, { kind: "reduce" }>[],
    next: ColumnStatement,
  ): next is Extract<ColumnStatement, { kind: "reduce" | "let" }> {
    if (next.kind === "reduce") return this.#joins(others, next);
    if (next.kind !== "let") return false;
    const reads = new Set<number>();
    inputsOf(next.f, reads);
    return others.every(({ register }) => !reads.has(register));
  }

  /** True where `next` walks what the others walk and needs none of their results. */
  #joins(
    others: readonly Extract<ColumnStatement, { kind: "reduce" }>[],
    next: Extract<ColumnStatement, { kind: "reduce" }>,
  ): boolean {
    const [first] = others as readonly [(typeof others)[number]];
    const [a, b] = [this.#vectors[first.source] as VectorSource, this.#vectors[next.source] as VectorSource];
    if (a.stored !== b.stored || a.start !== b.start || a.length !== b.length) return false;
    const reads = new Set<number>();
    for (const e of [next.f, ...b.maps.map(({ f }) => f)]) inputsOf(e, reads);
    return others.every(({ register }) => !reads.has(register));
  }

  /** Walks rows start … start + length − 1 of a vector's base; maps are up to the body. */
  #walk(
    source: VectorSource,
    repeat: (length: number, step: () => void) => void,
    body: (vectors: readonly Code[]) => void,
  ): void {
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
      f.scope(() =>
        body(this.#each((v) => (g: FunctionBody) => g.load("v128.load", { base: row.get, offset: 16 * v }))),
      );
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
    const start = (s: (typeof list)[number]) =>
      floats.constant(isSum(s) ? 0 : s.monoid === "max" ? -Infinity : Infinity);
    const partial = list.map(() => this.#each(() => f.variable("v128")));
    const blocked = !wide && length > block && list.some(isSum);
    const totals = list.map((s) =>
      blocked && isSum(s) ? this.#each(() => [f.variable("v128"), f.variable("v128")] as const) : null,
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
      const { maps, stored, length: all } = this.#vectors[s.source] as VectorSource;
      const whole = maps.length === 0 && stored === null && all === (this.#vectors[0] as VectorSource).length;
      if (whole && s.monoid === "mean" && isElement(s)) this.#means.add(s.register);
    });
  }

  /** A reduction as a polynomial of power sums, where it is one of the factors' own elements. */
  #polynomial(s: Extract<ColumnStatement, { kind: "reduce" }>, vector: number): ClampedPolynomial | null {
    const source = this.#vectors[s.source] as VectorSource;
    if (s.monoid === "max" || s.monoid === "min" || source.stored !== null || source.maps.length > 0) return null;
    if (source.start !== 0 || source.length !== (this.#vectors[0] as VectorSource).length) return null;
    const constants = this.#constants(s.f);
    const type = this.#settings.wide ? "f64" : "f32";
    return clampedPolynomial(
      normalize(s.f),
      s.element,
      this.#floats,
      (k) => (f) => this.#register(k, vector)(f),
      (slot) => (f) => constants(slot, type)(f),
    );
  }

  /**
   * Answers a reduction from power sums if they are known, or if a clamped cubic of the same pivot comes now or later:
   * one walk then serves both. Samples that the clamp holds back are found by their bound and put right one by one;
   * a tile where that would cost digits or time walks all samples.
   */
  #fromMoments(s: Extract<ColumnStatement, { kind: "reduce" }>, later: readonly ColumnStatement[]): boolean {
    const bounds = this.#bounds;
    if (bounds === null) return false;
    const form = this.#polynomial(s, 0);
    if (form === null) return false;
    const key = form.pivot ?? -1;
    let known = this.#moments.get(key);
    if (known === undefined) {
      const gains = (next: ColumnStatement, about: number) => {
        const other = next.kind === "reduce" ? this.#polynomial(next, 0) : null;
        return (
          other !== null && other.clamp !== null && other.coefficients.length === 4 && (other.pivot ?? -1) === about
        );
      };
      if (s.monoid === "mean" && isElement(s) && later.some((next) => gains(next, s.register))) {
        this.#momentsOf(s.register);
        this.#f.scope(() => this.#meanAndPowers(s.register));
        return true;
      }
      if (![s, ...later].some((next) => gains(next, key))) return false;
      known = this.#momentsOf(key);
      const centred = this.#means.has(key);
      this.#f.scope(() => this.#sumPowers(form.pivot, centred, this.#momentsOf(key)));
    }
    const moments = known;
    if (form.clamp === null) {
      const { length } = this.#vectors[0] as VectorSource;
      const sums = this.#each((v) => this.#sumOf(this.#polynomial(s, v) as ClampedPolynomial, v, moments, null));
      this.#assign(
        s.register,
        sums.map((sum) => (s.monoid === "mean" ? this.#floats.div(sum, this.#floats.constant(length)) : sum)),
      );
    } else this.#f.scope(() => this.#clampedSum(s, moments, bounds));
    return true;
  }

  /** Σu, Σu², Σu³ of u = element − pivot; Σu is 0, up to the rounding of the pivot, where that is the mean. */
  #sumPowers(
    pivot: number | null,
    centred: boolean,
    moments: readonly (readonly Variable[])[],
    settle?: (totals: readonly (readonly (readonly [Variable, Variable])[])[]) => void,
  ): void {
    const f = this.#f;
    const floats = this.#floats;
    const source = this.#vectors[0] as VectorSource;
    const { wide } = this.#settings;
    const partial = moments.map(() => this.#each(() => f.variable("v128")));
    const totals = moments.map(() => this.#each(() => [f.variable("v128"), f.variable("v128")] as const));
    const reset = () => {
      for (const list of partial) for (const variable of list) f.set(variable, floats.constant(0));
    };
    reset();
    for (const list of totals) for (const pair of list) for (const total of pair) f.set(total, f64x2.constant(0));
    const collect = () => {
      partial.forEach((list, k) => {
        list.forEach((part, v) => {
          const [low, high] = (totals[k] as (readonly [Variable, Variable])[])[v] as readonly [Variable, Variable];
          if (wide) {
            f.set(low, f64x2.add(low.get, part.get));
            return;
          }
          f.set(low, f64x2.add(low.get, unary("f64x2.promote_low_f32x4", part.get)));
          f.set(high, f64x2.add(high.get, unary("f64x2.promote_low_f32x4", upperHalf(part.get))));
        });
      });
      reset();
    };
    const repeat = (count: number, step: () => void) => {
      f.repeat(Math.floor(count / block), () => {
        f.repeat(block, step);
        collect();
      });
      if (count % block > 0) {
        f.repeat(count % block, step);
        collect();
      }
    };
    this.#walk(source, repeat, (vectors) => {
      vectors.forEach((vector, v) => {
        const u = f.let("v128", pivot === null ? vector : floats.sub(vector, this.#register(pivot, v)));
        const square = f.let("v128", floats.mul(u, u));
        [u, square, floats.mul(square, u)].forEach((power, k) => {
          if (k === 0 && centred) return;
          const variable = (partial[k] as Variable[])[v] as Variable;
          f.set(variable, floats.add(variable.get, power));
        });
      });
    });
    if (settle !== undefined) {
      settle(totals);
      return;
    }
    moments.forEach((list, k) => {
      list.forEach((variable, v) => {
        const pair = (totals[k] as (readonly [Variable, Variable])[])[v] as readonly [Variable, Variable];
        f.set(variable, this.#joined(pair.map(({ get }) => get)));
      });
    });
  }

  /** Float64 halves as one vector of the tile. */
  #joined(halves: readonly Code[]): Code {
    const [low, high] = halves as readonly [Code, Code];
    if (this.#settings.wide) return low;
    const narrow = (half: Code) => this.#f.let("v128", unary("f32x4.demote_f64x2_zero", half));
    return joinHalves(narrow(low), narrow(high));
  }

  /** The totals of power sums about a register, made on first use. */
  #momentsOf(key: number): readonly (readonly Variable[])[] {
    let known = this.#moments.get(key);
    if (known === undefined)
      this.#moments.set(key, (known = [1, 2, 3].map(() => this.#each(() => this.#f.variable("v128")))));
    return known;
  }

  /**
   * The mean, and the power sums about it, in one walk: about 0 first, then moved. Where the mean is not small against
   * the deviation that would lose digits, and a second walk sums about the mean.
   */
  #meanAndPowers(register: number): void {
    const f = this.#f;
    const floats = this.#floats;
    const moments = this.#momentsOf(register);
    const { length } = this.#vectors[0] as VectorSource;
    const count = f64x2.constant(length);
    const safe: Code[] = [];
    this.#sumPowers(null, false, moments, (totals) => {
      this.#each((v) => {
        const [first, second, third] = totals.map((list) => list[v]) as [
          readonly [Variable, Variable],
          readonly [Variable, Variable],
          readonly [Variable, Variable],
        ];
        const halves = (this.#settings.wide ? [0] : [0, 1]).map((half) => {
          const [t1, t2, t3] = [first, second, third].map((pair) => (pair[half] as Variable).get) as [Code, Code, Code];
          const mean = f.let("v128", f64x2.div(t1, count));
          const c2 = f64x2.max(f64x2.sub(t2, f64x2.mul(t1, mean)), f64x2.constant(0));
          // Σ(g − m)³ = Σg³ − 3m·Σg² + 2m²·Σg
          const drift = f64x2.sub(f64x2.mul(f64x2.mul(mean, t1), f64x2.constant(2)), f64x2.mul(t2, f64x2.constant(3)));
          return { mean, c2: f.let("v128", c2), c3: f.let("v128", f64x2.add(t3, f64x2.mul(mean, drift))), t2 };
        });
        const joined = (part: (half: (typeof halves)[number]) => Code) => f.let("v128", this.#joined(halves.map(part)));
        const mean = joined((half) => half.mean);
        const c2 = joined((half) => half.c2);
        const t2 = joined((half) => half.t2);
        const c3 = joined((half) => half.c3);
        this.#assignOne(register, v, mean);
        [floats.constant(0), c2, c3].forEach((power, k) => f.set((moments[k] as Variable[])[v] as Variable, power));
        const near = floats.le(floats.mul(floats.mul(mean, mean), floats.constant(length / 4)), c2);
        safe.push(f.let("v128", or(or(near, floats.eq(t2, floats.constant(0))), this.#unused(v))));
      });
    });
    this.#means.add(register);
    const all = unary(
      this.#settings.wide ? "i64x2.all_true" : "i32x4.all_true",
      safe.reduce((a, b) => and(a, b)),
    );
    f.if(unary("i32.eqz", all), () => f.scope(() => this.#sumPowers(register, true, moments)));
  }

  /** A mask of the lanes nobody wants. */
  #unused(vector: number): Code {
    const count = this.#tile.counts[vector] as number;
    return vectorOf(Int32Array.from({ length: 4 }, (_, k) => (k < (this.#settings.wide ? 2 * count : count) ? 0 : -1)));
  }

  /** Σ P(slope · u) from power sums. */
  #sumOf(form: ClampedPolynomial, vector: number, moments: readonly (readonly Variable[])[], slope: Code | null): Code {
    const f = this.#f;
    const floats = this.#floats;
    const { length } = this.#vectors[0] as VectorSource;
    let power: Code | null = null;
    let sum: Code | null = null;
    form.coefficients.forEach((coefficient, k) => {
      if (k > 0 && slope !== null) power = f.let("v128", power === null ? slope : floats.mul(power, slope));
      if (coefficient === null) return;
      let moment = k === 0 ? floats.constant(length) : ((moments[k - 1] as Variable[])[vector] as Variable).get;
      if (power !== null) moment = floats.mul(power, moment);
      const term = floats.mul(coefficient, moment);
      sum = f.let("v128", sum === null ? term : floats.add(sum, term));
    });
    return sum ?? floats.constant(0);
  }

  #clampedSum(
    s: Extract<ColumnStatement, { kind: "reduce" }>,
    moments: readonly (readonly Variable[])[],
    bounds: SampleBounds,
  ): void {
    const f = this.#f;
    const { wide } = this.#settings;
    const floats = this.#floats;
    const lanes = floats.count;
    const { length } = this.#vectors[0] as VectorSource;
    const forms = this.#each((v) => this.#polynomial(s, v) as ClampedPolynomial);
    const clamps = forms.map(({ clamp }) => {
      const { slope, low, high } = clamp as NonNullable<ClampedPolynomial["clamp"]>;
      return { slope: f.let("v128", slope), low: f.let("v128", low), high: f.let("v128", high) };
    });
    const pivots = forms.map(({ pivot }, v) => (pivot === null ? floats.constant(0) : this.#register(pivot, v)));
    const totals = forms.map((form, v) => {
      const total = f.variable("v128");
      f.set(total, this.#sumOf(form, v, moments, (clamps[v] as (typeof clamps)[number]).slope));
      return total;
    });

    // Power sums serve where z is of the size of 1, and u far from where its cube leaves float32.
    const fits = this.#each((v) => {
      const { slope, low, high } = clamps[v] as (typeof clamps)[number];
      const second = f.let(
        "v128",
        floats.div(((moments[1] as Variable[])[v] as Variable).get, floats.constant(length)),
      );
      const spread = floats.le(floats.mul(floats.mul(slope, slope), second), floats.constant(1));
      const size = and(floats.ge(second, floats.constant(1e-20)), floats.le(second, floats.constant(1e20)));
      const flat = and(floats.eq(second, floats.constant(0)), floats.lt(floats.abs(slope), floats.constant(Infinity)));
      const around = and(floats.lt(low, floats.constant(0)), floats.gt(high, floats.constant(0)));
      const finite = floats.eq(
        floats.sub((totals[v] as Variable).get, (totals[v] as Variable).get),
        floats.constant(0),
      );
      return or(this.#unused(v), and(and(finite, around), and(or(size, flat), or(spread, flat))));
    }).reduce((a, b) => and(a, b));
    const walks = f.variable("i32");
    f.set(walks, unary(wide ? "i64x2.all_true" : "i32x4.all_true", fits));
    f.set(walks, unary("i32.eqz", walks.get));

    // |z| ≤ |slope| (|delta| largest + |pivot|): what it takes to reach the clamp in the most sensitive lane.
    const reach = this.#each((v) => {
      const { slope, low, high } = clamps[v] as (typeof clamps)[number];
      const nearest = floats.min(floats.neg(low), high);
      const least = floats.sub(floats.div(nearest, floats.abs(slope)), floats.abs(pivots[v] as Code));
      return f.let("v128", select(this.#unused(v), floats.constant(Infinity), least));
    }).reduce((a, b) => floats.min(a, b));
    let bound = f.let("v128", reach);
    bound = f.let("v128", floats.min(bound, upperHalf(bound)));
    if (!wide) bound = f.let("v128", floats.min(bound, pick32(bound, bound, [1, 0, 3, 2])));
    bound = f.let(
      "v128",
      floats.mul(pick32(bound, bound, wide ? [0, 1, 0, 1] : [0, 0, 0, 0]), floats.constant(1 - 1e-5)),
    );

    const delta = f.variable("i32");
    const largest = f.variable("i32");
    const start = () => {
      f.set(delta, bounds.delta);
      f.set(largest, bounds.largest);
    };
    const load =
      (pointer: Variable): Code =>
      (g) =>
        g.load("v128.load", { base: pointer.get, offset: 0 });
    const suspects = () => not(floats.le(floats.mul(floats.abs(load(delta)), load(largest)), bound));
    const onwards = () => {
      f.advance(delta, 16);
      f.advance(largest, 16);
    };
    const groups = Math.ceil(length / lanes);
    const found = f.variable("i32");
    f.set(found, integer(0));
    start();
    f.repeat(groups, () => {
      f.set(found, binary("i32.add", found.get, unary("v128.any_true", suspects())));
      onwards();
    });
    f.set(walks, binary("i32.or", walks.get, binary("i32.gt_u", found.get, integer(Math.floor(groups / 3)))));

    f.if(
      walks.get,
      () => {
        f.scope(() => this.#reduce([s]));
      },
      () => {
        start();
        const sample = f.variable("i32");
        f.set(sample, integer(0));
        const correct = (count: number) => {
          f.if(unary("v128.any_true", suspects()), () => {
            for (let k = 0; k < count; k++) {
              f.scope(() => {
                this.#reader.at(this.#source, sample.get, k).forEach((vector, v) => {
                  const { slope, low, high } = clamps[v] as (typeof clamps)[number];
                  const z = f.let("v128", floats.mul(floats.sub(vector, pivots[v] as Code), slope));
                  const held = f.let("v128", floats.pmin(floats.pmax(z, low), high));
                  const value = (u: Code) =>
                    (forms[v] as ClampedPolynomial).coefficients.reduceRight<Code>(
                      (sum, c) => (c === null ? floats.mul(sum, u) : floats.add(floats.mul(sum, u), c)),
                      floats.constant(0),
                    );
                  const total = totals[v] as Variable;
                  f.set(total, floats.add(total.get, floats.sub(value(held), value(z))));
                });
              });
            }
          });
        };
        f.repeat(Math.floor(length / lanes), () => {
          correct(lanes);
          onwards();
          f.advance(sample, lanes);
        });
        if (length % lanes > 0) correct(length % lanes);
        this.#assign(
          s.register,
          totals.map(({ get }) => (s.monoid === "mean" ? floats.div(get, floats.constant(length)) : get)),
        );
      },
    );
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
          f.store(
            "v128.store",
            { base: row.get, offset: 16 * v },
            f.let("v128", key(f.let("v128", this.#mapped(source, vector, v)), v)),
          );
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
    this.#assign(
      s.register,
      this.#each((v) => f.let("v128", this.#formula(s.initial, v))),
    );
    this.#declare(s.body);
    const frozen = writesOf(s.body).filter((register) => later.has(register));
    const active = this.#each(() => f.variable("v128"));
    this.#tile.counts.forEach((count, v) => {
      const words = Int32Array.from({ length: 4 }, (_, k) => (k < (wide ? 2 * count : count) ? -1 : 0));
      f.set(active[v] as Variable, vectorOf(words));
    });
    for (const register of frozen)
      this.#assign(
        register,
        this.#each(() => floats.constant(0)),
      );
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
