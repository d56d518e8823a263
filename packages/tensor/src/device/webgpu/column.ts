/// <reference types="@webgpu/types" />
import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { hoistInvariants } from "../../kernel/hoist.js";
import { factorsShape, type ColumnKernel, type Factors } from "../../kernel/kernel.js";
import { ColumnProgramPrinter } from "./column-program.js";
import type { Team } from "./column-team.js";
import { ColumnValues, costOf, widthsOf, type Coordinate } from "./column-values.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage } from "./shader.js";

/** How coordinates are shared out among invocations. */
export type ColumnLayout =
  /** A team of `lanes / columns` invocations for every coordinate; values are kept in workgroup memory, or formed anew. */
  | { readonly kind: "teams"; readonly columns: number; readonly stored: boolean }
  /** An invocation has `side` × `side` coordinates, so that it reads a factor once for `side` of them. */
  | { readonly kind: "squares"; readonly side: number };

/** Coordinates that run beside each other along an input. */
const across = 16;
const lanes = 128;

const hoisted = new WeakMap<ColumnTrace, ColumnTrace>();

function printedProgram(program: ColumnTrace): ColumnTrace {
  let known = hoisted.get(program);
  if (known === undefined) hoisted.set(program, (known = hoistInvariants(program)));
  return known;
}

/** Walks through the values that a program makes, about. */
function walksOf(list: readonly ColumnStatement[]): number {
  let walks = 0;
  for (const s of list) {
    if (s.kind === "reduce") walks++;
    else if (s.kind === "quantile" || s.kind === "slice") walks += 17;
    else if (s.kind === "iterate") walks += walksOf(s.body) * Math.min(s.maximum, 10);
  }
  return walks;
}

/** The one width of a source that is made of outer products only. */
function outerWidth(factors: Factors): number | null {
  const products = (part: Factors): boolean =>
    part.kind === "expanded" || (part.kind === "summed" && part.parts.every(products));
  const widths = widthsOf(factors);
  return widths.length === 1 && products(factors) ? (widths[0] as number) : null;
}

const powerBelow = (n: number) => 2 ** Math.floor(Math.log2(Math.max(1, n)));

function planLayout({ program, factors }: ColumnKernel, workgroupMemory: number): ColumnLayout {
  const { samples, features } = factorsShape(factors);
  const walks = walksOf(printedProgram(program).statements);
  const cost = costOf(factors);
  // Teams put their parts together in 16 bytes for every invocation; loops in one shader need some room, too.
  const fitting = Math.floor((workgroupMemory - 16 * 256 - 2048) / 4 / Math.max(1, samples));
  if (walks > 1 && (walks > 4 || cost > 8) && fitting >= 1 && (fitting >= 4 || cost > 64)) {
    return { kind: "teams", columns: powerBelow(Math.min(32, fitting)), stored: true };
  }
  const width = outerWidth(factors);
  if (width !== null && features >= 2 ** 14 && width >= 2 * across) {
    return { kind: "squares", side: features >= 2 ** 20 ? 4 : 2 };
  }
  // As many invocations as keep a processor busy, with a few samples each.
  const rows = Math.min(16, powerBelow(samples / 4), powerBelow((2 * 2 ** 15) / Math.max(1, features)));
  return { kind: "teams", columns: lanes / rows, stored: false };
}

/**
 * Prints out[d] = program(values of coordinate d, operands[d]). Nothing of N × D is formed in memory.
 *
 * @param layout  Chosen from the sizes unless given.
 */
export function columnStage(
  kernel: ColumnKernel,
  { limits }: PrintContext,
  layout: ColumnLayout = planLayout(kernel, limits.maxComputeWorkgroupStorageSize),
): Stage {
  return {
    lanes,
    loops: true,
    print: (shader) =>
      layout.kind === "teams" ? printTeams(shader, kernel, layout) : printSquares(shader, kernel, layout),
  };
}

function printTeams(
  shader: ShaderBuilder,
  { out, program, factors, operands }: ColumnKernel,
  layout: ColumnLayout & { readonly kind: "teams" },
): number {
  const { samples, features } = factorsShape(factors);
  const columns = Math.min(layout.columns, shader.lanes);
  const rows = shader.lanes / columns;
  const tiles = Math.ceil(features / columns);
  const [column, row] = [`(lane % ${columns}u)`, `(lane / ${columns}u)`].map(
    (text) => shader.let({ type: "u32", text }).text,
  ) as [string, string];
  const team: Team = { columns, rows, column, row };
  const values = new ColumnValues(shader, factors);
  const target = shader.view(out, true);
  const perFeature = operands.map((view) => shader.view(view));
  const extent = shader.size(features);
  const [tile, place] = [shader.name("tile"), shader.name("d")];
  shader.line(`for (var ${tile} = group; ${tile} < ${shader.size(tiles)}; ${tile} += groups) {`);
  shader.line(`let ${place} = ${tile} * ${columns}u + ${column};`);
  // Those beyond the last coordinate do its work once more: all have to get to the barriers.
  const d = shader.let({ type: "u32", text: `min(${place}, ${extent} - 1u)` }).text;
  values.place([coordinateOf(shader, factors, d)]);
  let read = (n: string) => values.print(n);
  if (layout.stored) {
    const memory = shader.shared("f32", samples * columns);
    const n = shader.name("n");
    shader.line("workgroupBarrier();");
    shader.line(`for (var ${n} = ${row}; ${n} < ${shader.size(samples)}; ${n} += ${rows}u) {`);
    shader.line(`${memory}[${n} * ${columns}u + ${column}] = ${values.print(n)[0] as string};`);
    shader.line("}");
    shader.line("workgroupBarrier();");
    read = (at) => [shader.let({ type: "f32", text: `${memory}[${at} * ${columns}u + ${column}]` }).text];
  } else if (rows > 1) shader.line("workgroupBarrier();");
  const given = perFeature.map((view) => [
    shader.let({ type: "f32", text: convert(view.load(view.at(d)), "f32") }).text,
  ]);
  const [result] = new ColumnProgramPrinter(shader, team, 1, read).print(printedProgram(program), samples, given);
  const store = target.store(target.at(place), { type: "f32", text: result as string });
  shader.line(`if (${place} < ${extent} && ${row} == 0u) { ${store} }`);
  shader.line("}");
  return tiles;
}

function coordinateOf(shader: ShaderBuilder, factors: Factors, d: string): Coordinate {
  const pairs = widthsOf(factors).map((width) => {
    const p = shader.size(width);
    const [q, rest] = [`${d} / ${p}`, `${d} % ${p}`].map((text) => shader.let({ type: "u32", text }).text);
    return [width, { q: q as string, p: rest as string }] as const;
  });
  return { d, pairs: new Map(pairs) };
}

function printSquares(
  shader: ShaderBuilder,
  { out, program, factors, operands }: ColumnKernel,
  { side }: ColumnLayout & { readonly kind: "squares" },
): number {
  const { samples, features } = factorsShape(factors);
  const width = outerWidth(factors) as number;
  const height = features / width;
  const down = shader.lanes / across;
  const [wide, high] = [Math.ceil(width / (across * side)), Math.ceil(height / (down * side))];
  const values = new ColumnValues(shader, factors);
  const target = shader.view(out, true);
  const perFeature = operands.map((view) => shader.view(view));
  const [Q, P] = [shader.size(height), shader.size(width)];
  const tile = shader.name("tile");
  shader.line(`for (var ${tile} = group; ${tile} < ${shader.size(wide * high)}; ${tile} += groups) {`);
  const u32 = (text: string) => shader.let({ type: "u32", text }).text;
  const [row, column] = [u32(`${tile} / ${shader.size(wide)}`), u32(`${tile} % ${shader.size(wide)}`)];
  const list = Array.from({ length: side }, (_, k) => k);
  const qs = list.map((k) => u32(`(${row} * ${side}u + ${k}u) * ${down}u + lane / ${across}u`));
  const ps = list.map((k) => u32(`(${column} * ${side}u + ${k}u) * ${across}u + lane % ${across}u`));
  const [heldQ, heldP] = [qs.map((q) => u32(`min(${q}, ${Q} - 1u)`)), ps.map((p) => u32(`min(${p}, ${P} - 1u)`))];
  const held = heldQ.flatMap((q) =>
    heldP.map((p): Coordinate => ({ d: u32(`${q} * ${P} + ${p}`), pairs: new Map([[width, { q, p }]]) })),
  );
  values.place(held);
  const given = perFeature.map((view) =>
    held.map(({ d }) => shader.let({ type: "f32", text: convert(view.load(view.at(d)), "f32") }).text),
  );
  const team: Team = { columns: shader.lanes, rows: 1, column: "lane", row: "0u" };
  const results = new ColumnProgramPrinter(shader, team, side * side, (n) => values.print(n)).print(
    printedProgram(program),
    samples,
    given,
  );
  results.forEach((result, j) => {
    const [q, p] = [qs[Math.floor(j / side)] as string, ps[j % side] as string];
    const store = target.store(target.at((held[j] as Coordinate).d), { type: "f32", text: result });
    shader.line(`if (${q} < ${Q} && ${p} < ${P}) { ${store} }`);
  });
  shader.line("}");
  return wide * high;
}
