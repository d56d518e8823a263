import { factorsShape, type ColumnKernel, type Factors, type View } from "../../kernel/kernel.js";
import { ColumnProgramPrinter } from "./column-program.js";
import type { Team } from "./column-team.js";
import { ColumnValues, widthsOf, type Coordinate } from "./column-values.js";
import { convert, type ShaderBuilder } from "./shader.js";

/** Invocations that run beside each other along an input. */
const across = 16;

/** The one width of a source that is made of outer products only. */
export function outerWidth(factors: Factors): number | null {
  const products = (part: Factors): boolean =>
    part.kind === "expanded" || (part.kind === "summed" && part.parts.every(products));
  const widths = widthsOf(factors);
  return widths.length === 1 && products(factors) ? (widths[0] as number) : null;
}

/** Which squares of `group` × `group` coordinates there is still something to do for. */
export interface Doubts {
  readonly doubts: View;
  readonly group: number;
}

/**
 * Prints a program for `side` × `side` coordinates of an invocation.
 *
 * @returns  How many workgroups there should be.
 */
export function printSquares(
  shader: ShaderBuilder,
  { out, program, factors, operands }: ColumnKernel,
  side: number,
  only: Doubts | null = null,
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
  const qs = list.map((k) => u32(`(${row} * ${down}u + lane / ${across}u) * ${side}u + ${k}u`));
  const ps = list.map((k) => u32(`(${column} * ${across}u + lane % ${across}u) * ${side}u + ${k}u`));
  const [heldQ, heldP] = [qs.map((q) => u32(`min(${q}, ${Q} - 1u)`)), ps.map((p) => u32(`min(${p}, ${P} - 1u)`))];
  if (only !== null) {
    const doubts = shader.view(only.doubts);
    const [q, p] = [heldQ[0], heldP[0]].map((first) => `(${first as string} / ${only.group}u)`) as [string, string];
    shader.line(`if (${doubts.load(doubts.at(q, p)).text}) {`);
  }
  const held = heldQ.flatMap((q) =>
    heldP.map((p): Coordinate => ({ d: u32(`${q} * ${P} + ${p}`), pairs: new Map([[width, { q, p }]]) })),
  );
  values.place(held);
  const given = perFeature.map((view) =>
    held.map(({ d }) => shader.let({ type: "f32", text: convert(view.load(view.at(d)), "f32") }).text),
  );
  const team: Team = { columns: shader.lanes, rows: 1, column: "lane", row: "0u" };
  const results = new ColumnProgramPrinter(shader, team, side * side, (n) => values.print(n)).print(
    program,
    samples,
    given,
  );
  results.forEach((result, j) => {
    const [q, p] = [qs[Math.floor(j / side)] as string, ps[j % side] as string];
    const store = target.store(target.at((held[j] as Coordinate).d), { type: "f32", text: result });
    shader.line(`if (${q} < ${Q} && ${p} < ${P}) { ${store} }`);
  });
  if (only !== null) shader.line("}");
  shader.line("}");
  return wide * high;
}
