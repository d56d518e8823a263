import { factorsShape, type ColumnKernel, type Factors, type View } from "../../kernel/kernel.js";
import { powersOf, printMoments, type CandidateWalk, type Moments } from "./column-moments.js";
import { ColumnProgramPrinter } from "./column-program.js";
import { printSquares } from "./column-squares.js";
import { ColumnValues, type Coordinate } from "./column-values.js";
import { scaleOf, scaleStages, type ScaledFactor, type ScaledOuter } from "./outer-scales.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage } from "./shader.js";

/** A workgroup has 16 × 16 invocations, with `group` × `group` coordinates each; so many samples are brought in at a time. */
const side = 16;
const lanes = side * side;
const depth = 16;

const letters = ["x", "y", "z", "w"] as const;

type Outer = Factors & { readonly kind: "expanded" };

/** True for plain outer products that are wide enough to fill a tile. */
export function takesMoments(factors: Factors): factors is Outer {
  if (factors.kind !== "expanded" || factors.delta.shape[1] !== 1) return false;
  return (factors.delta.shape[2] as number) >= 2 * side && (factors.x.shape[2] as number) >= 2 * side;
}

/**
 * A column program over an outer product by sums of powers, formed as a product of matrices is. Squares of coordinates in
 * which those have lost too many digits are walked afterwards.
 */
export function momentStages(kernel: ColumnKernel, group: 2 | 4, context: PrintContext): readonly Stage[] {
  const outer = kernel.factors as Outer;
  const { stages, scaled } = scaleStages(outer, group, context);
  const [height, breadth] = [outer.delta.shape[2] as number, outer.x.shape[2] as number];
  const doubts = context.scratch("bool", [Math.ceil(height / group), Math.ceil(breadth / group)]);
  return [
    ...stages,
    { lanes, loops: false, print: (shader) => printTiles(shader, kernel, scaled, doubts) },
    { lanes: 128, loops: false, print: (shader) => printSquares(shader, kernel, 2, { doubts, group }) },
  ];
}

/** One factor as an invocation sees it: a group of columns of its own. */
class Side {
  readonly columns: readonly string[];
  /** What its columns are multiplied by to be near 1, and back. */
  readonly down: readonly string[];
  readonly up: readonly string[];
  /** The largest scaled magnitudes. */
  readonly most: readonly string[];
  readonly #shader: ShaderBuilder;
  readonly #peak: string;
  readonly #vector: string;
  readonly #texts: {
    readonly view: ReturnType<ShaderBuilder["view"]>;
    readonly peaks: ReturnType<ShaderBuilder["view"]>;
  };
  readonly tile: string;
  readonly #loaded: readonly { readonly column: string; readonly scale: string }[];

  /**
   * @param first  The first column of the tile.
   * @param place  Which group of the tile is the invocation's own (u32).
   */
  constructor(shader: ShaderBuilder, factor: ScaledFactor, tile: string, first: string, place: string) {
    this.#shader = shader;
    const { group } = factor;
    this.#vector = `vec${group}<f32>`;
    this.tile = tile;
    const [view, peaks, largest] = [shader.view(factor.view), shader.view(factor.peaks), shader.view(factor.largest)];
    this.#texts = { view, peaks };
    const extent = shader.size(factor.view.shape[2] as number);
    const columnsAt = (which: string) =>
      Array.from({ length: group }, (_, k) =>
        this.#let("u32", `min(${first} + ${which} * ${group}u + ${k}u, ${extent} - 1u)`),
      );
    const largestAt = (column: string) => this.#let("f32", convert(largest.load(largest.at(column)), "f32"));
    this.columns = columnsAt(place);
    const sizes = this.columns.map(largestAt);
    this.down = sizes.map((size) => this.#let("f32", scaleOf(shader, size, "down")));
    this.up = sizes.map((size) => this.#let("f32", scaleOf(shader, size, "up")));
    this.most = sizes.map((size, k) => this.#let("f32", `${size} * ${this.down[k] as string}`));
    this.#peak = this.#let("u32", `${this.columns[0] as string} / ${group}u`);
    this.#loaded = columnsAt(`(lane % ${side}u)`).map((column) => ({
      column,
      scale: this.#let("f32", scaleOf(shader, largestAt(column), "down")),
    }));
  }

  /** Prints the invocation's part in bringing scaled samples into workgroup memory: sample n, where there is one. */
  bring(n: string, samples: string, memory: string): void {
    const values = this.#loaded.map(({ column, scale }) => {
      const { view } = this.#texts;
      return `${convert(view.load(view.at(`min(${n}, ${samples} - 1u)`, "0u", column)), "f32")} * ${scale}`;
    });
    this.#shader.line(
      `${memory}[${this.tile} + lane] = select(${this.#vector}(), ${this.#vector}(${values.join(", ")}), ${n} < ${samples});`,
    );
  }

  /** Scaled values of sample n. */
  values(n: string): string[] {
    const { view } = this.#texts;
    return this.columns.map((column, k) =>
      this.#let("f32", `${convert(view.load(view.at(n, "0u", column)), "f32")} * ${this.down[k] as string}`),
    );
  }

  /** The largest scaled magnitude of sample n among the columns. */
  peak(n: string): string {
    const { peaks } = this.#texts;
    return convert(peaks.load(peaks.at(n, this.#peak)), "f32");
  }

  #let(type: "f32" | "u32", text: string): string {
    return this.#shader.let({ type, text }).text;
  }
}

function printTiles(shader: ShaderBuilder, kernel: ColumnKernel, scaled: ScaledOuter, doubts: View): number {
  const { out, program, factors, operands } = kernel;
  const { samples } = factorsShape(factors);
  const [height, breadth] = [(factors as Outer).delta.shape[2] as number, (factors as Outer).x.shape[2] as number];
  const { group } = scaled.delta;
  const width = side * group;
  const own = letters.slice(0, group);
  const [high, wide] = [Math.ceil(height / width), Math.ceil(breadth / width)];
  const { degree } = powersOf(program);
  const values = new ColumnValues(shader, factors);
  const target = shader.view(out, true);
  const doubted = shader.view(doubts, true);
  const perFeature = operands.map((view) => shader.view(view));
  const memory = shader.shared(`vec${group}<f32>`, 2 * depth * side);
  const [Q, P, N] = [shader.size(height), shader.size(breadth), shader.size(samples)];
  const u32 = (text: string) => shader.let({ type: "u32", text }).text;
  const tile = shader.name("tile");
  shader.line(`for (var ${tile} = group; ${tile} < ${shader.size(high * wide)}; ${tile} += groups) {`);
  const [row, column] = [u32(`lane / ${side}u`), u32(`lane % ${side}u`)];
  const [firstQ, firstP] = [
    u32(`(${tile} / ${shader.size(wide)}) * ${width}u`),
    u32(`(${tile} % ${shader.size(wide)}) * ${width}u`),
  ];
  const delta = new Side(shader, scaled.delta, "0u", firstQ, row);
  const x = new Side(shader, scaled.x, `${depth * side}u`, firstP, column);

  const sums = printSums(shader, delta, x, memory, { row, column, N, own }, degree);
  const pairs = own.flatMap((_, i) => own.map((_, j) => [i, j] as const));
  const held = pairs.map(([i, j]): Coordinate => {
    const [q, p] = [delta.columns[i] as string, x.columns[j] as string];
    return { d: u32(`${q} * ${P} + ${p}`), pairs: new Map([[breadth, { q, p }]]) };
  });
  values.place(held);
  const moments = pairs.map(([i, j]): Moments => ({
    sums: sums.map((power) => `${power[i] as string}.${letters[j] as string}`),
    most: `(${delta.most[i] as string} * ${x.most[j] as string})`,
    down: (text) => `(${text}) * ${delta.down[i] as string} * ${x.down[j] as string}`,
    up: (text) => `(${text}) * ${delta.up[i] as string} * ${x.up[j] as string}`,
  }));
  const candidates: CandidateWalk = {
    print: (bound, body) => {
      const n = shader.name("n");
      shader.line(`for (var ${n} = 0u; ${n} < ${N}; ${n}++) {`);
      // Written so that NaN is looked at.
      shader.line(`if (!(${delta.peak(n)} * ${x.peak(n)} < ${bound})) {`);
      const [deltas, xs] = [delta.values(n), x.values(n)];
      body(
        pairs.map(([i, j]) => shader.let({ type: "f32", text: `${deltas[i] as string} * ${xs[j] as string}` }).text),
      );
      shader.line("}}");
    },
  };
  const given = perFeature.map((view) =>
    held.map(({ d }) => shader.let({ type: "f32", text: convert(view.load(view.at(d)), "f32") }).text),
  );
  const trusted = shader.name("trusted");
  shader.line(`var ${trusted} = true;`);
  const printer = new ColumnProgramPrinter(
    shader,
    { columns: lanes, rows: 1, column: "lane", row: "0u" },
    pairs.length,
    (n) => values.print(n),
    (s, register) => printMoments(shader, s, samples, moments, candidates, trusted, register),
  );
  printer.print(program, samples, given).forEach((result, at) => {
    const [i, j] = pairs[at] as readonly [number, number];
    const inside = `${firstQ} + ${row} * ${group}u + ${i}u < ${Q} && ${firstP} + ${column} * ${group}u + ${j}u < ${P}`;
    const store = target.store(target.at((held[at] as Coordinate).d), { type: "f32", text: result });
    shader.line(`if (${inside}) { ${store} }`);
    if (at > 0) return;
    const place = doubted.at(`(${delta.columns[0] as string} / ${group}u)`, `(${x.columns[0] as string} / ${group}u)`);
    shader.line(`if (${inside}) { ${doubted.store(place, { type: "bool", text: `!${trusted}` })} }`);
  });
  shader.line("}");
  return high * wide;
}

/** Prints the sums of powers of all products: names of vectors along the inputs, by power and output. */
function printSums(
  shader: ShaderBuilder,
  delta: Side,
  x: Side,
  memory: string,
  {
    row,
    column,
    N,
    own,
  }: { readonly row: string; readonly column: string; readonly N: string; readonly own: readonly string[] },
  degree: number,
): string[][] {
  const vector = `vec${own.length}<f32>`;
  const powers = Array.from({ length: degree }, (_, k) => k);
  const sums = powers.map(() =>
    own.map(() => {
      const name = shader.name("s");
      shader.line(`var ${name} = ${vector}();`);
      return name;
    }),
  );
  const [first, k] = [shader.name("n"), shader.name("k")];
  shader.line(`for (var ${first} = 0u; ${first} < ${N}; ${first} += ${depth}u) {`);
  shader.line("workgroupBarrier();");
  const n = shader.let({ type: "u32", text: `${first} + lane / ${side}u` }).text;
  for (const factor of [delta, x]) factor.bring(n, N, memory);
  shader.line("workgroupBarrier();");
  shader.line(`for (var ${k} = 0u; ${k} < ${depth}u; ${k}++) {`);
  const load = (factor: Side, place: string) => {
    const name = shader.name();
    shader.line(`let ${name} = ${memory}[${factor.tile} + ${k} * ${side}u + ${place}];`);
    return name;
  };
  const [a, b] = [load(delta, row), load(x, column)];
  let [left, right] = [a, b];
  for (const power of powers) {
    if (power > 0) {
      const [nextLeft, nextRight] = [shader.name(), shader.name()];
      shader.line(`let ${nextLeft} = ${left} * ${a}; let ${nextRight} = ${right} * ${b};`);
      [left, right] = [nextLeft, nextRight];
    }
    own.forEach((letter, i) => {
      const sum = sums[power]?.[i] as string;
      shader.line(`${sum} = fma(${vector}(${left}.${letter}), ${right}, ${sum});`);
    });
  }
  shader.line("}");
  shader.line("}");
  return sums;
}
