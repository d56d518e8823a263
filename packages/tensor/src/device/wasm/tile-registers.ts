import { type Code, type FunctionBody, type Variable } from "./assembler.js";
import type { Tile } from "./column-source.js";
import { asNumbers, printFormula, type Constants, type FormulaSettings, type Lane } from "./formula.js";
import { f32x4, f64x2, vectorOf, type FloatLanes } from "./lanes.js";
import { normalize, type Expression } from "../../scalar/expression.js";

/** What a formula reads in place of a register: one element of a walk. */
export interface Element {
  readonly register: number;
  readonly code: Code;
}

/** The registers of a column program in the function that prints one tile: a local for each vector of the tile. */
export class TileRegisters {
  readonly f: FunctionBody;
  readonly tile: Tile;
  readonly settings: FormulaSettings;
  readonly floats: FloatLanes;
  readonly #constants: (e: Expression) => Constants;
  readonly #registers: Variable[][] = [];

  constructor(f: FunctionBody, tile: Tile, settings: FormulaSettings, constants: (e: Expression) => Constants) {
    this.f = f;
    this.tile = tile;
    this.settings = settings;
    this.floats = settings.wide ? f64x2 : f32x4;
    this.#constants = constants;
  }

  each<T>(body: (vector: number) => T): T[] {
    return this.tile.counts.map((_, v) => body(v));
  }

  /** Fresh locals, one for each vector. */
  variables(): Variable[] {
    return this.each(() => this.f.variable("v128"));
  }

  /** The locals of a register, made on first use. */
  of(register: number): readonly Variable[] {
    return (this.#registers[register] ??= this.variables());
  }

  get(register: number, vector: number): Code {
    return (this.of(register)[vector] as Variable).get;
  }

  assign(register: number, values: readonly Code[]): void {
    this.of(register).forEach((variable, v) => this.f.set(variable, values[v] as Code));
  }

  numbers(lane: Lane): Code {
    return asNumbers(this.f, lane, this.settings.wide ? "f64" : "f32");
  }

  constantsOf(e: Expression): Constants {
    return this.#constants(e);
  }

  /** A formula of registers, of one of the tile's vectors; `element` stands for a value of a walk. */
  formula(e: Expression, vector: number, element?: Element): Code {
    const type = this.settings.wide ? "f64" : "f32";
    const lane = printFormula(
      this.f,
      normalize(e),
      (k) => ({ type, code: k === element?.register ? element.code : this.get(k, vector) }),
      this.#constants(e),
      this.settings,
    );
    return this.numbers(lane);
  }

  /** A mask of the lanes of a vector that are coordinates, or of the others. */
  used(vector: number, yes = true): Code {
    const count = this.tile.counts[vector] as number;
    const words = this.settings.wide ? 2 * count : count;
    return vectorOf(Int32Array.from({ length: 4 }, (_, k) => (k < words === yes ? -1 : 0)));
  }
}
