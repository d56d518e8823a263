import { binary, integer, type Code } from "./assembler.js";
import type { Cut } from "./column-cut.js";
import type { Source, SourceReader } from "./column-source.js";
import type { NonzeroSamples } from "./panels.js";
import { cell } from "./rows.js";
import { sliceKey, type SortedSlice } from "./sorted-slices.js";
import type { TileRegisters } from "./tile-registers.js";
import type { Expression } from "../../scalar/expression.js";

type Listed = Extract<Source, { kind: "expanded" }>;

/** Terms of a float32 sum that are added before they join a total in float64. */
export const block = 64;

/** Where the values of a vector come from: a base that can be walked, formulas applied on the way. */
export interface VectorSource {
  /** Rows in scratch memory, or null for the factors themselves. */
  readonly stored: Code | null;
  readonly start: number;
  readonly length: number;
  readonly maps: readonly { readonly element: number; readonly f: Expression }[];
  /** Of values in ascending order which ones; null for all in the order of the base. */
  readonly sorted: SortedPart | null;
}

/** A part of sorted values that are not stored: what reductions take of a walk of the base. */
export interface SortedPart extends SortedSlice {
  /** How many maps come before the sort. */
  readonly maps: number;
  readonly cuts: ReadonlyMap<string, Cut>;
}

/**
 * The vectors of a column program: never formed where walking their source again gives them. Of an outer product
 * in panels a walk visits the samples whose value is not 0 alone; what the others add is known without it.
 */
export class ColumnVectors {
  readonly samples: number;
  readonly nonzero: NonzeroSamples | null;
  readonly #registers: TileRegisters;
  readonly #reader: SourceReader;
  readonly #source: Source;
  readonly #vectors: VectorSource[] = [];
  readonly #copy: Code | null;
  #copied = false;

  /**
   * @param stored  Rows of vector 0, or null where it is read from its factors again and again.
   * @param copy    Rows for what the first walk of samples that are not 0 visits and later ones read, or null.
   */
  constructor(
    registers: TileRegisters,
    reader: SourceReader,
    source: Source,
    samples: number,
    stored: Code | null,
    nonzero: NonzeroSamples | null,
    copy: Code | null,
  ) {
    this.#registers = registers;
    this.#reader = reader;
    this.#source = source;
    this.samples = samples;
    this.nonzero = nonzero;
    this.#copy = copy;
    this.#vectors[0] = { stored, start: 0, length: samples, maps: [], sorted: null };
  }

  at(vector: number): VectorSource {
    return this.#vectors[vector] as VectorSource;
  }

  define(vector: number, source: VectorSource): void {
    this.#vectors[vector] = source;
  }

  /** How many values a vector has. */
  lengthOf({ length, sorted }: VectorSource): number {
    return sorted?.length ?? length;
  }

  /** Which elements of a walk are a vector's, or null for all. */
  cutOf(source: VectorSource): Cut | null {
    const { sorted, length } = source;
    return sorted === null || sorted.length === length ? null : (sorted.cuts.get(sliceKey(sorted)) as Cut);
  }

  /** True for all the factors' values, whatever is made of them. */
  whole(source: VectorSource): boolean {
    return this.#walksAll(source) && this.lengthOf(source) === this.samples;
  }

  #walksAll({ stored, start, length }: VectorSource): boolean {
    return stored === null && start === 0 && length === this.samples;
  }

  /** What is known of the samples that a walk of a source leaves out, or null where it visits all. */
  leavesOut(source: VectorSource): NonzeroSamples | null {
    return this.#walksAll(source) ? this.nonzero : null;
  }

  /**
   * Walks the rows of a vector's base; maps are up to the body.
   *
   * @param collect  Printed after every {@link block} rows at the most, and at the end.
   */
  walk(source: VectorSource, body: (vectors: readonly Code[]) => void, collect: (() => void) | null = null): void {
    const { f } = this.#registers;
    const nonzero = this.leavesOut(source);
    if (nonzero !== null) {
      const repeat = (step: () => void) => {
        if (collect === null) f.repeatTimes(nonzero.count, step);
        else this.#inBlocks(nonzero.count, step, collect);
      };
      if (this.#copied) this.#walkRows(this.#copy as Code, repeat, body);
      else this.#reader.eachNonzero(this.#source as Listed, nonzero, repeat, this.#copying(body));
      return;
    }
    const repeat = (step: () => void) => {
      const { length } = source;
      if (collect === null) {
        f.repeat(length, step);
        return;
      }
      f.repeat(Math.floor(length / block), () => {
        f.repeat(block, step);
        collect();
      });
      if (length % block > 0) {
        f.repeat(length % block, step);
        collect();
      }
    };
    if (source.stored === null) {
      this.#reader.each(this.#source, source.start, repeat, body);
      return;
    }
    const from = source.start * 16 * this.#registers.tile.counts.length;
    this.#walkRows(from === 0 ? source.stored : binary("i32.add", source.stored, integer(from)), repeat, body);
  }

  /** Where the rows of what a walk of a vector visits are after any walk of it, if they are kept. */
  copyOf(source: VectorSource): Code | null {
    return source.maps.length === 0 && this.leavesOut(source) !== null ? this.#copy : null;
  }

  /** The first walk writes what it visits. */
  #copying(body: (vectors: readonly Code[]) => void): (vectors: readonly Code[]) => void {
    if (this.#copy === null) return body;
    const { f } = this.#registers;
    this.#copied = true;
    const row = f.variable("i32");
    f.set(row, this.#copy);
    return (vectors) => {
      const kept = vectors.map((vector) => f.let("v128", vector));
      kept.forEach((vector, v) => f.store("v128.store", { base: row.get, offset: 16 * v }, vector));
      f.advance(row, 16 * kept.length);
      body(kept);
    };
  }

  #walkRows(from: Code, repeat: (step: () => void) => void, body: (vectors: readonly Code[]) => void): void {
    const { f } = this.#registers;
    const row = f.variable("i32");
    f.set(row, from);
    repeat(() => {
      f.scope(() => body(this.#registers.each((v) => cell(row.get, v))));
      f.advance(row, 16 * this.#registers.tile.counts.length);
    });
  }

  #inBlocks(count: Code, step: () => void, collect: () => void): void {
    const { f } = this.#registers;
    const whole = binary("i32.div_u", count, integer(block));
    f.repeatTimes(whole, () => {
      f.repeat(block, step);
      collect();
    });
    f.repeatTimes(binary("i32.rem_u", count, integer(block)), step);
    collect();
  }

  /** The vectors of the sample at a place of the list. */
  atPlace(place: Code, value: Code): Code[] {
    return this.#reader.atPlace(this.#source as Listed, place, value);
  }

  /** The largest magnitudes that bound the values of the samples at a list's next places. */
  bounds(places: Code): Code {
    const source = this.#source as Listed;
    return this.#reader.gather(source, places, (this.nonzero as NonzeroSamples).largest);
  }

  /** The value of a vector where its base has `value`, or what comes after, and before, so many of its maps. */
  mapped(source: VectorSource, value: Code, vector: number, from = 0, to = source.maps.length): Code {
    const { f } = this.#registers;
    return source.maps.slice(from, to).reduce((code, { element, f: formula }) => {
      const kept = f.let("v128", code);
      return this.#registers.formula(formula, vector, { register: element, code: kept });
    }, value);
  }
}
