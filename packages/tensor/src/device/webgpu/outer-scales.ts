import type { Factors, View } from "../../kernel/kernel.js";
import { joinTeam, type Team } from "./column-team.js";
import { eachElement } from "./elements.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage } from "./shader.js";

/** What is known of the columns of one factor [N, 1, columns] of an outer product. */
export interface ScaledFactor {
  readonly view: View;
  /** Columns whose largest magnitudes in a sample are known together. */
  readonly group: number;
  /** The largest magnitude in every column, [columns]. */
  readonly largest: View;
  /**
   * What every column is multiplied by where columns are compared, so that mean(√|v|)² is 1, [columns]: of a column of
   * small numbers that has a large one or two, as a softmax leaves it, it is the size of the small ones.
   */
  readonly weights: View;
  /** The largest weighted magnitude in every sample and group of columns, [N, groups]. */
  readonly peaks: View;
  /** The same of so many groups together as a tile has, [N, tiles]. */
  readonly tilePeaks: View;
}

export interface ScaledOuter {
  readonly delta: ScaledFactor;
  readonly x: ScaledFactor;
}

/** Stages that look at both factors before products of them are summed in tiles of `side` groups. */
export function scaleStages(
  { delta, x }: Factors & { readonly kind: "expanded" },
  group: number,
  side: number,
  { scratch }: PrintContext,
): { readonly stages: readonly Stage[]; readonly scaled: ScaledOuter } {
  const scaledFactor = (view: View): ScaledFactor => {
    const [samples, , columns] = view.shape as unknown as readonly [number, number, number];
    return {
      view,
      group,
      largest: scratch("float32", [columns]),
      weights: scratch("float32", [columns]),
      peaks: scratch("float32", [samples, Math.ceil(columns / group)]),
      tilePeaks: scratch("float32", [samples, Math.ceil(columns / group / side)]),
    };
  };
  const scaled = { delta: scaledFactor(delta), x: scaledFactor(x) };
  const stages = [scaled.delta, scaled.x].flatMap((factor) => [
    columnsStage(factor),
    peaksStage(factor),
    tilePeaksStage(factor, side),
  ]);
  return { stages, scaled };
}

/**
 * Text of the power of two that brings a column near 1, or back: multiplying by it is exact. Columns of zeros, of numbers
 * out of reach and of what is not finite are left alone.
 */
export function scaleOf(shader: ShaderBuilder, largest: string, which: "down" | "up"): string {
  const name = shader.declare(
    `scale_${which}`,
    `fn scale_${which}(largest: f32) -> f32 {
      let exponent = bitcast<u32>(largest) & 0x7f800000u;
      let known = exponent >= 0x0d800000u && exponent <= 0x71800000u;
      return bitcast<f32>(select(0x3f800000u, ${which === "up" ? "exponent" : "0x7f000000u - exponent"}, known));
    }`,
  );
  return `${name}(${largest})`;
}

/** Magnitudes by their bits, so that NaN is the largest of all. */
const magnitude = (text: string) => `bitcast<u32>(${text}) & 0x7fffffffu`;
const larger = (a: string, b: string) => `max(${a}, ${b})`;

function columnsStage({ view, largest, weights }: ScaledFactor): Stage {
  const [samples, , columns] = view.shape as unknown as readonly [number, number, number];
  const [beside, rows] = [32, 8];
  return {
    lanes: beside * rows,
    loops: false,
    print: (shader) => {
      const [source, most, weight] = [shader.view(view), shader.view(largest, true), shader.view(weights, true)];
      const tiles = Math.ceil(columns / beside);
      const [bits, roots, n, tile] = ["bits", "roots", "n", "tile"].map((prefix) => shader.name(prefix)) as [
        string,
        string,
        string,
        string,
      ];
      const team: Team = { columns: beside, rows, column: `(lane % ${beside}u)`, row: `(lane / ${beside}u)` };
      const [count, extent] = [shader.size(samples), shader.size(columns)];
      shader.line(`for (var ${tile} = group; ${tile} < ${shader.size(tiles)}; ${tile} += groups) {`);
      const place = shader.let({ type: "u32", text: `${tile} * ${beside}u + ${team.column}` }).text;
      const column = shader.let({ type: "u32", text: `min(${place}, ${extent} - 1u)` }).text;
      shader.line(`var ${bits} = 0u; var ${roots} = 0.0;`);
      shader.line(`for (var ${n} = ${team.row}; ${n} < ${count}; ${n} += ${rows}u) {`);
      const text = convert(source.load(source.at(n, "0u", column)), "f32");
      const value = shader.let({ type: "f32", text }).text;
      shader.line(`${bits} = max(${bits}, ${magnitude(value)}); ${roots} += sqrt(abs(${value}));`);
      shader.line("}");
      const whole = joinTeam(shader, team, [
        { type: "u32", text: bits, join: larger },
        { type: "f32", text: roots, join: (a, b) => `${a} + ${b}` },
      ]) as [string, string];
      const size = shader.let({ type: "f32", text: `bitcast<f32>(${whole[0]})` }).text;
      shader.line(`if (${team.row} == 0u && ${place} < ${extent}) {`);
      shader.line(most.store(most.at(column), { type: "f32", text: size }));
      const known = (number: string, inverse: string, otherwise: string) =>
        `select(${otherwise}, ${inverse}, ${number} > 1e-30 && ${number} < 1e30)`;
      const byLargest = shader.let({ type: "f32", text: known(size, `1.0 / ${size}`, "1.0") }).text;
      const root = shader.let({ type: "f32", text: `${whole[1]} / f32(${count})` }).text;
      const inverse = `1.0 / (${root} * ${root})`;
      shader.line(
        weight.store(weight.at(column), { type: "f32", text: known(`(${root} * ${root})`, inverse, byLargest) }),
      );
      shader.line("}}");
      return tiles;
    },
  };
}

function peaksStage({ view, group, weights, peaks }: ScaledFactor): Stage {
  return {
    lanes: 64,
    loops: false,
    print: (shader) => {
      const [source, weight] = [shader.view(view), shader.view(weights)];
      return printPeaks(shader, peaks, view.shape[2] as number, group, (n, column) => {
        const value = convert(source.load(source.at(n, "0u", column)), "f32");
        return `${value} * ${convert(weight.load(weight.at(column)), "f32")}`;
      });
    },
  };
}

function tilePeaksStage({ peaks, tilePeaks }: ScaledFactor, side: number): Stage {
  return {
    lanes: 64,
    loops: false,
    print: (shader) => {
      const source = shader.view(peaks);
      return printPeaks(shader, tilePeaks, peaks.shape[1] as number, side, (n, at) =>
        convert(source.load(source.at(n, at)), "f32"),
      );
    },
  };
}

/** Prints the largest magnitudes [N, groups] of so many neighbours each. */
function printPeaks(
  shader: ShaderBuilder,
  peaks: View,
  extent: number,
  group: number,
  load: (n: string, at: string) => string,
): number {
  const target = shader.view(peaks, true);
  const end = shader.size(extent);
  return eachElement(shader, peaks.shape, (...at) => {
    const [n, first] = at as readonly string[] as [string, string];
    const bits = shader.name("bits");
    shader.line(`var ${bits} = 0u;`);
    for (let k = 0; k < group; k++) {
      const place = shader.let({ type: "u32", text: `min(${first} * ${group}u + ${k}u, ${end} - 1u)` }).text;
      shader.line(`${bits} = max(${bits}, ${magnitude(load(n, place))});`);
    }
    shader.line(target.store(target.at(...at), { type: "f32", text: `bitcast<f32>(${bits})` }));
  });
}
