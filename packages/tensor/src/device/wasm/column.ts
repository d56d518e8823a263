import { binary, integer, ternary, type Code, type FunctionBody, type ValueType, type Variable } from "./assembler.js";
import { ProgramPrinter, allStatements, walksOf, planMemory, type ProgramMemory } from "./column-program.js";
import {
  SourceReader,
  isCheap,
  planGrid,
  planSource,
  workRows,
  type Grid,
  type Leaf,
  type Source,
  type Tile,
} from "./column-source.js";
import { ColumnVectors } from "./column-vectors.js";
import { bakedConstants, withParameters } from "./constants.js";
import type { Constants, FormulaSettings } from "./formula.js";
import type { Start } from "./loops.js";
import { nonzeroSamples, notFinite, packLists, packTile, planPanels, type Panels } from "./panels.js";
import { settingsOf } from "./operands.js";
import { TileRegisters } from "./tile-registers.js";
import { loadLanes, storeLanes } from "./transfer.js";
import { bytesPerElement } from "../../dtype.js";
import type { ColumnTrace } from "../../kernel/column.js";
import { columnFormulas, columnKey, factorsKey, factorViews } from "../../kernel/column-structure.js";
import { hoistInvariants } from "../../kernel/hoist.js";
import { factorsShape, type ColumnKernel, type View } from "../../kernel/kernel.js";
import { normalize, type Expression } from "../../scalar/expression.js";

/** A column kernel without its addresses and constants. */
export interface ColumnPlan {
  readonly program: ColumnTrace;
  readonly samples: number;
  readonly features: number;
  readonly settings: FormulaSettings;
  readonly grid: Grid;
  /** Of a part: outer turns of the whole kernel, and how many of them come before. */
  readonly whole: { readonly outer: number; readonly before: number };
  readonly leaves: readonly Leaf[];
  readonly source: Source;
  /** Per-feature operands, then what is written: bytes from one coordinate to the next. */
  readonly perFeature: readonly { readonly dtype: View["dtype"]; readonly step: number }[];
  readonly out: { readonly dtype: View["dtype"]; readonly step: number };
  /** Formulas in the order of their constants. */
  readonly formulas: readonly Expression[];
  readonly memory: ProgramMemory;
  /** Rearranged factors, where that pays; they follow the program's rows in scratch memory. */
  readonly panels: Panels | null;
  readonly panelsAt: number;
  /** Vectors of a whole tile. */
  readonly vectors: number;
  /** Bytes of scratch memory. */
  readonly scratch: number;
  /** Tells the functions of one kernel from those of another in the same module. */
  readonly key: string;
}

/** Programs as they are printed. */
const hoisted = new WeakMap<ColumnTrace, ColumnTrace>();

function printedProgram({ program }: ColumnKernel): ColumnTrace {
  let known = hoisted.get(program);
  if (known === undefined) hoisted.set(program, (known = hoistInvariants(program)));
  return known;
}

/** Views in the order of a plan's starts: out, factors, per-feature operands. */
export function columnViews({ out, factors, operands }: ColumnKernel): View[] {
  return [out, ...factorViews(factors).views, ...operands];
}

export function columnConstants(kernel: ColumnKernel): number[] {
  return columnFormulas(printedProgram(kernel)).flatMap((f) => normalize(f).constants);
}

export function columnKernelKey(kernel: ColumnKernel): string {
  const views = columnViews(kernel).map(({ dtype, shape, strides }) => `${dtype}[${shape.join()}]/${strides.join()}`);
  const strict = columnConstants(kernel).some(Number.isNaN) ? "!" : "";
  return `${factorsKey(kernel.factors)} ${views.join(" ")} ${columnKey(printedProgram(kernel))}${strict}`;
}

export function planColumn(kernel: ColumnKernel, relaxed: boolean): ColumnPlan {
  const { out, factors, operands } = kernel;
  const program = printedProgram(kernel);
  const { samples, features } = factorsShape(factors);
  const formulas = columnFormulas(program);
  const views = columnViews(kernel);
  const settings = settingsOf(
    out.dtype,
    views.map(({ dtype }) => dtype),
    formulas.map(normalize),
    relaxed,
  );
  const lanes = settings.wide ? 2 : 4;
  const grid = planGrid(factors, lanes);
  const leaves: Leaf[] = [];
  const source = planSource(factors, grid, leaves);
  const all = allStatements(program.statements);
  const walks = walksOf(program).length;
  const repeats = all.some((s) => s.kind === "iterate");
  const stored = grid.irregular || !isCheap(source) || ((walks > 3 || repeats) && source.kind === "summed");
  const vectors = grid.inner >= 2 * lanes ? 2 : 1;
  const panels = stored ? null : planPanels(source, grid, leaves, samples, settings.wide, vectors);
  const memory = planMemory(program, samples, stored, panels !== null);
  const beneath = workRows(source, samples);
  // Sources of several widths are read lane by lane, into rows of their own.
  const work = grid.irregular ? samples + beneath : beneath;
  const panelsAt = (memory.rows + work) * 16 * vectors;
  const moving = (view: View) => ({
    dtype: view.dtype,
    step: (view.strides[0] as number) * bytesPerElement(view.dtype),
  });
  return {
    program,
    samples,
    features,
    settings,
    grid,
    whole: { outer: grid.outer, before: 0 },
    leaves,
    source,
    perFeature: operands.map(moving),
    out: moving(out),
    formulas,
    memory,
    panels,
    panelsAt,
    vectors,
    scratch: panelsAt + (panels?.bytes ?? 0) + 16,
    key: columnKernelKey(kernel),
  };
}

/** The constants of a program: code that pushes each as an f64, or numbers to print into the code. */
export type ColumnConstants = { readonly parameters: readonly Code[] } | { readonly values: readonly number[] };

/**
 * Prints out[d] = program(values of coordinate d, operands[d]) into a function: a call for every tile of coordinates,
 * so that engines replace a tile's code by an optimised version while the kernel runs.
 *
 * @param starts   In the order of {@link columnViews}.
 * @param scratch  {@link ColumnPlan.scratch} bytes, 16-byte aligned.
 */
export function emitColumn(
  f: FunctionBody,
  plan: ColumnPlan,
  starts: readonly Start[],
  scratch: Start,
  constants: ColumnConstants,
): void {
  const { grid, leaves, perFeature, out, settings, vectors, panels, source } = plan;
  const lanes = settings.wide ? 2 : 4;
  if (plan.features === 0) return;
  const passed = "parameters" in constants ? constants.parameters : [];
  f.scope(() => {
    // Pointers: out, leaves, operands; how far they move along both axes of the grid.
    const moves = [
      { outer: out.step * grid.outerStep, inner: out.step * grid.innerStep },
      ...leaves.map((leaf) => (grid.irregular ? { outer: 0, inner: 0 } : { outer: leaf.outer, inner: leaf.inner })),
      ...perFeature.map(({ step }) => ({ outer: step * grid.outerStep, inner: step * grid.innerStep })),
    ];
    const pointers = starts.map(({ base, offset }) => {
      const variable = f.variable("i32");
      f.set(variable, base === null ? integer(offset) : offset === 0 ? base : binary("i32.add", base, integer(offset)));
      return variable;
    });
    // The coordinate at which a tile begins, for sources that need to know.
    const coordinate = f.variable("i32");
    f.set(coordinate, integer(0));
    const push = ({ base, offset }: Start): Code =>
      base === null ? integer(offset) : offset === 0 ? base : binary("i32.add", base, integer(offset));
    const room = binary("i32.add", push(scratch), integer(plan.panelsAt));
    let list: Variable | null = null;
    let strange: Code = integer(0);
    if (panels !== null && source.kind === "expanded") {
      const both = [source.delta, source.x] as const;
      const [delta, x] = both.map((leaf) => leaves[leaf]) as [Leaf, Leaf];
      const from = both.map((leaf) => (pointers[1 + leaf] as Variable).get) as [Code, Code];
      packLists(f, panels, [delta, x], from, room, grid, plan.samples, settings.wide);
      // 0 · ∞ is not 0: then no tile is skipped, in no part.
      const across = { ...delta, inner: delta.outer };
      const { outer, before } = plan.whole;
      const start = before === 0 ? from[0] : binary("i32.sub", from[0], integer(before * delta.outer));
      strange = f.let("i32", (g) => g.call(notFinite(g, across, outer, plan.samples, settings.wide), start));
      list = f.variable("i32");
      f.set(list, binary("i32.add", room, integer(panels.lists)));
      pointers.push(list);
      moves.push({ outer: panels.list, inner: 0 });
    }
    const tiles = (width: number) => {
      let second: Variable | null = null;
      let counts: Code = integer(1);
      if (panels !== null && source.kind === "expanded") {
        second = pointers[1 + source.x] as Variable;
        const { counts: lanesOf } = tileOf(plan, width);
        const leaf = leaves[source.x] as Leaf;
        const any = packTile(f, panels, leaf, second.get, room, lanesOf, plan.samples, settings.wide);
        counts = f.let("i32", binary("i32.or", any, strange));
      }
      const pushed = pointers.map((pointer) => {
        if (panels === null) return pointer.get;
        const inRoom = (offset: number) => binary("i32.add", room, integer(offset));
        if (pointer === second) return inRoom(panels.x);
        return pointer === list ? ternary("select", pointer.get, inRoom(panels.emptyList), counts) : pointer.get;
      });
      f.repeat(grid.outer, () => {
        f.call(tileFunction(f, plan, width, constants), ...pushed, coordinate.get, push(scratch), ...passed);
        pointers.forEach((pointer, k) => f.advance(pointer, (moves[k] as (typeof moves)[number]).outer));
      });
      pointers.forEach((pointer, k) => {
        const { outer, inner } = moves[k] as (typeof moves)[number];
        f.advance(pointer, width * inner - grid.outer * outer);
      });
      f.advance(coordinate, width);
    };
    const width = vectors * lanes;
    f.repeat(Math.floor(grid.inner / width), () => tiles(width));
    if (grid.inner % width > 0) tiles(grid.inner % width);
  });
}

function tileOf({ settings: { wide } }: ColumnPlan, width: number): Tile {
  const lanes = wide ? 2 : 4;
  return {
    wide,
    counts: Array.from({ length: Math.ceil(width / lanes) }, (_, v) => Math.min(lanes, width - v * lanes)),
  };
}

/** A function (pointers…, coordinate, scratch, constants…) for tiles of `width` coordinates. */
function tileFunction(f: FunctionBody, plan: ColumnPlan, width: number, constants: ColumnConstants): number {
  const { leaves, perFeature, settings, out, grid } = plan;
  const lanes = settings.wide ? 2 : 4;
  const tile = tileOf(plan, width);
  const numbers = "parameters" in constants ? constants.parameters.length : 0;
  // Out, leaves, operands, and the list of an output.
  const pointerCount = 1 + leaves.length + perFeature.length + (plan.panels === null ? 0 : 1);
  const types: ValueType[] = [
    ...Array.from({ length: pointerCount + 2 }, () => "i32" as const),
    ...Array.from({ length: numbers }, () => "f64" as const),
  ];
  return f.module.named(
    `column ${width} ${plan.key} ${"values" in constants ? constants.values.join() : ""}`,
    types,
    [],
    (g, ...parameters) => {
      const pointers = parameters.slice(0, pointerCount).map((parameter) => parameter.get);
      const [coordinate, scratch] = parameters.slice(pointerCount) as [Variable, Variable];
      const print = (h: FunctionBody, values: Constants) => {
        printTile(h, plan, tile, pointers, coordinate.get, scratch.get, values);
      };
      if ("values" in constants) print(g, bakedConstants(constants.values));
      else
        withParameters(
          g,
          parameters.slice(pointerCount + 2).map((parameter) => parameter.get),
          print,
        );
    },
  );

  function printTile(
    h: FunctionBody,
    p: ColumnPlan,
    t: Tile,
    pointers: readonly Code[],
    coordinate: Code,
    scratch: Code,
    values: Constants,
  ) {
    const firstConstant = new Map<Expression, number>();
    let next = 0;
    for (const formula of p.formulas) {
      if (!firstConstant.has(formula)) firstConstant.set(formula, next);
      next += normalize(formula).constants.length;
    }
    const constantsOf =
      (e: Expression): Constants =>
      (slot, type) =>
        values((firstConstant.get(e) as number) + slot, type);
    const reader = new SourceReader(h, p.panels?.leaves ?? leaves, pointers.slice(1), t);
    const bytes = 16 * t.counts.length;
    const beyond = binary("i32.add", scratch, integer(p.memory.rows * bytes));
    if (p.memory.values !== null) {
      const target = p.memory.values === 0 ? scratch : binary("i32.add", scratch, integer(p.memory.values * bytes));
      if (grid.irregular) storeIrregular(h, p, t, pointers.slice(1), coordinate, target, beyond);
      else reader.store(p.source, p.samples, target, beyond);
    }
    const operands = perFeature.map(({ dtype, step }, k) =>
      t.counts.map((count, v) => {
        const stride = step * grid.innerStep;
        const address = { base: pointers[1 + leaves.length + k] as Code, offset: v * lanes * stride };
        return loadLanes(h, dtype, settings.wide, address, { stride, count });
      }),
    );
    const nonzero =
      p.panels === null ? null : nonzeroSamples(h, p.panels, pointers.at(-1) as Code, p.samples, settings.wide);
    const registers = new TileRegisters(h, t, settings, constantsOf);
    const rows = (at: number | null) => (at === null ? null : binary("i32.add", scratch, integer(at * bytes)));
    const [stored, copy] = [rows(p.memory.values), rows(p.memory.copy)];
    const columnVectors = new ColumnVectors(registers, reader, p.source, p.samples, stored, nonzero, copy);
    const program = new ProgramPrinter(p.program, registers, columnVectors, p.memory, scratch);
    const results = program.print(operands);
    results.forEach((code, v) => {
      const stride = out.step * grid.innerStep;
      const address = { base: pointers[0] as Code, offset: v * lanes * stride };
      storeLanes(
        h,
        out.dtype,
        settings.wide,
        address,
        { type: settings.wide ? "f64" : "f32", code },
        { stride, count: t.counts[v] as number },
      );
    });
  }
}

/**
 * Stores the values of a source whose parts have different widths: the lanes of a vector then lie at unrelated
 * places. One coordinate after the other is formed in rows of its own and put into its lane.
 */
function storeIrregular(
  f: FunctionBody,
  plan: ColumnPlan,
  tile: Tile,
  pointers: readonly Code[],
  coordinate: Code,
  target: Code,
  work: Code,
): void {
  const { leaves, source, samples } = plan;
  const size = tile.wide ? 8 : 4;
  const bytes = 16 * tile.counts.length;
  const width = tile.counts.reduce((sum, count) => sum + count, 0);
  f.scope(() => {
    const d = f.variable("i32");
    f.set(d, coordinate);
    const lane = f.variable("i32");
    f.set(lane, target);
    f.repeat(width, () => {
      const placed = [...pointers];
      const move = (leaf: number, steps: Code, by: number) => {
        placed[leaf] = f.let("i32", binary("i32.add", pointers[leaf] as Code, binary("i32.mul", steps, integer(by))));
      };
      const place = (s: Source): void => {
        if (s.kind === "dense") move(s.leaf, d.get, (leaves[s.leaf] as Leaf).inner);
        else if (s.kind === "expanded") {
          move(s.delta, binary("i32.div_u", d.get, integer(s.width)), (leaves[s.delta] as Leaf).outer);
          move(s.x, binary("i32.rem_u", d.get, integer(s.width)), (leaves[s.x] as Leaf).inner);
        } else if (s.kind === "mixed") place(s.base);
        else s.parts.forEach(place);
      };
      place(source);
      const still = leaves.map((leaf): Leaf => ({ ...leaf, outer: 0, inner: 0 }));
      const reader = new SourceReader(f, still, placed, { wide: tile.wide, counts: [1] });
      reader.store(source, samples, work, binary("i32.add", work, integer(samples * 16)));
      const from = f.variable("i32");
      f.set(from, work);
      const to = f.variable("i32");
      f.set(to, lane.get);
      f.repeat(samples, () => {
        const name = size === 8 ? "f64" : "f32";
        f.store(`${name}.store`, { base: to.get, offset: 0 }, (g) =>
          g.load(`${name}.load`, { base: from.get, offset: 0 }),
        );
        f.advance(from, 16);
        f.advance(to, bytes);
      });
      f.advance(d, 1);
      f.advance(lane, size);
    });
  });
}
