/// <reference types="@webgpu/types" />
import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { hoistInvariants } from "../../kernel/hoist.js";
import { factorsShape, type ColumnKernel, type Factors } from "../../kernel/kernel.js";
import { momentStages, takesMoments } from "./column-sums.js";
import { powersOf } from "./column-moments.js";
import { ColumnProgramPrinter } from "./column-program.js";
import { outerWidth, printSquares } from "./column-squares.js";
import type { Team } from "./column-team.js";
import { ColumnValues, costOf, widthsOf, type Coordinate } from "./column-values.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage } from "./shader.js";

/** How coordinates are shared out among invocations. */
type ColumnLayout =
  /** A team of `lanes / columns` invocations for every coordinate; values are kept in workgroup memory, or formed anew. */
  | { readonly kind: "teams"; readonly columns: number; readonly stored: boolean }
  /** An invocation has `side` × `side` coordinates, so that it reads a factor once for `side` of them. */
  | { readonly kind: "squares"; readonly side: number }
  /** As squares, with sums of powers of the values instead of walks where a reduction is a polynomial. */
  | { readonly kind: "moments"; readonly group: 2 | 4 };

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

const powerBelow = (n: number) => 2 ** Math.floor(Math.log2(Math.max(1, n)));

function planLayout({ program, factors }: ColumnKernel, workgroupMemory: number): ColumnLayout {
  const { samples, features } = factorsShape(factors);
  const printed = printedProgram(program);
  const walks = walksOf(printed.statements);
  const cost = costOf(factors);
  // Teams put their parts together in 16 bytes for every invocation; loops in one shader need some room, too.
  const fitting = Math.floor((workgroupMemory - 16 * 256 - 2048) / 4 / Math.max(1, samples));
  if (walks > 1 && (walks > 4 || cost > 8) && fitting >= 1 && (fitting >= 4 || cost > 64)) {
    return { kind: "teams", columns: powerBelow(Math.min(32, fitting)), stored: true };
  }
  const width = outerWidth(factors);
  if (takesMoments(factors) && features >= 2 ** 12 && samples >= 32) {
    const { degree, reductions } = powersOf(printed);
    if (degree > 1 && reductions > 1 && !orders(printed.statements))
      return { kind: "moments", group: features >= 2 ** 20 ? 4 : 2 };
  }
  if (width !== null && features >= 2 ** 14 && width >= 32) {
    return { kind: "squares", side: features >= 2 ** 20 ? 4 : 2 };
  }
  // As many invocations as keep a processor busy, with a few samples each.
  const rows = Math.min(16, powerBelow(samples / 4), powerBelow((2 * 2 ** 15) / Math.max(1, features)));
  return { kind: "teams", columns: lanes / rows, stored: false };
}

/** Whether there are order statistics in a program, which take walks of their own. */
const orders = (list: readonly ColumnStatement[]): boolean =>
  list.some((s) => s.kind === "quantile" || s.kind === "sorted" || (s.kind === "iterate" && orders(s.body)));

/** Prints out[d] = program(values of coordinate d, operands[d]). Nothing of N × D is formed in memory. */
export function columnStages(given: ColumnKernel, context: PrintContext): readonly Stage[] {
  const layout = planLayout(given, context.limits.maxComputeWorkgroupStorageSize);
  const kernel = { ...given, program: printedProgram(given.program) };
  switch (layout.kind) {
    case "teams":
      return [{ lanes, loops: true, print: (shader) => printTeams(shader, kernel, layout) }];
    case "squares":
      return [{ lanes, loops: true, print: (shader) => printSquares(shader, kernel, layout.side) }];
    case "moments":
      return momentStages(kernel, layout.group, context);
  }
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
  const [result] = new ColumnProgramPrinter(shader, team, 1, read).print(program, samples, given);
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
