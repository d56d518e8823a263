import { factorsShape, type ColumnKernel, type Factors, type View } from "../../kernel/kernel.js";
import { powersOf, printMoments, type CandidateWalk, type Moments } from "./column-moments.js";
import { ColumnProgramPrinter } from "./column-program.js";
import { printSquares } from "./column-squares.js";
import { ColumnValues, type Coordinate } from "./column-values.js";
import { scaleOf, scaleStages, type ScaledFactor, type ScaledOuter } from "./outer-scales.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage, type ViewText } from "./shader.js";

/** A workgroup has 16 × 16 invocations, with `group` × `group` coordinates each; so many samples are brought in at a time. */
const side = 16;
const lanes = side * side;
const depth = 16;

/** So many samples have their bits in workgroup memory. */
const mostSamples = 4096;

const letters = ["x", "y", "z", "w"] as const;

type Outer = Factors & { readonly kind: "expanded" };

/** True for plain outer products that are wide enough to fill a tile. */
export function takesMoments(factors: Factors): factors is Outer {
  if (factors.kind !== "expanded" || factors.delta.shape[1] !== 1) return false;
  if ((factors.delta.shape[0] as number) > mostSamples) return false;
  return (factors.delta.shape[2] as number) >= 2 * side && (factors.x.shape[2] as number) >= 2 * side;
}

/**
 * A column program over an outer product by sums of powers, formed as a product of matrices is. Squares of coordinates in
 * which those have lost too many digits are walked afterwards.
 */
export function momentStages(kernel: ColumnKernel, group: 2 | 4, context: PrintContext): readonly Stage[] {
  const outer = kernel.factors as Outer;
  const { stages, scaled } = scaleStages(outer, group, side, context);
  const [height, breadth] = [outer.delta.shape[2] as number, outer.x.shape[2] as number];
  const doubts = context.scratch("bool", [Math.ceil(height / group), Math.ceil(breadth / group)]);
  return [
    ...stages,
    { lanes, loops: false, print: (shader) => printTiles(shader, kernel, scaled, doubts) },
    { lanes: 128, loops: false, print: (shader) => printSquares(shader, kernel, 2, { doubts, group }) },
  ];
}

/** An invocation's part in bringing one factor, scaled, into workgroup memory: the next samples while others are used. */
class Bringing {
  readonly tile: string;
  readonly #shader: ShaderBuilder;
  readonly #view: ViewText;
  readonly #vector: string;
  readonly #loaded: readonly { readonly base: string; readonly scale: string }[];
  readonly #next: string;

  constructor(shader: ShaderBuilder, factor: ScaledFactor, tile: string, first: string) {
    const { group } = factor;
    this.tile = tile;
    this.#shader = shader;
    this.#view = shader.view(factor.view);
    this.#vector = `vec${group}<f32>`;
    const largest = shader.view(factor.largest);
    this.#loaded = columnsOf(shader, factor, first, `(lane % ${side}u)`).map((column) => {
      const base = shader.let({ type: "u32", text: this.#view.at("0u", "0u", column) }).text;
      const text = scaleOf(shader, convert(largest.load(largest.at(column)), "f32"), "down");
      return { base, scale: shader.let({ type: "f32", text }).text };
    });
    this.#next = shader.name("next");
    shader.line(`var ${this.#next}: ${this.#vector};`);
  }

  /** Loads sample n, or zeros where there is none. */
  load(n: string, samples: string): void {
    this.#shader.line(`${this.#next} = ${this.#vector}();`);
    this.#shader.line(`if (${n} < ${samples}) {`);
    const values = this.#loaded.map(({ base }) =>
      convert(this.#view.load(`${base} + ${n} * ${this.#view.stride(0)}`), "f32"),
    );
    this.#shader.line(`${this.#next} = ${this.#vector}(${values.join(", ")});`);
    this.#shader.line("}");
  }

  keep(memory: string): void {
    const scales = this.#loaded.map(({ scale }) => scale).join(", ");
    this.#shader.line(`${memory}[${this.tile} + lane] = ${this.#next} * ${this.#vector}(${scales});`);
  }
}

/** One factor as an invocation sees it once the sums are known: a group of columns of its own. */
class Side {
  readonly columns: readonly string[];
  /** What its columns are multiplied by to be near 1, and back. */
  readonly down: readonly string[];
  readonly up: readonly string[];
  /** The largest scaled magnitudes. */
  readonly most: readonly string[];
  /** Weights of scaled numbers. */
  readonly weights: readonly string[];
  readonly #shader: ShaderBuilder;
  readonly #group: string;
  readonly #tile: string;
  readonly #view: ViewText;
  readonly #peaks: ViewText;
  readonly #tilePeaks: ViewText;

  /**
   * @param first  The first column of the tile.
   * @param place  Which group of the tile is the invocation's own (u32).
   */
  constructor(shader: ShaderBuilder, factor: ScaledFactor, first: string, place: string) {
    this.#shader = shader;
    const { group } = factor;
    this.#view = shader.view(factor.view);
    this.#peaks = shader.view(factor.peaks);
    this.#tilePeaks = shader.view(factor.tilePeaks);
    const [largest, weights] = [shader.view(factor.largest), shader.view(factor.weights)];
    this.columns = columnsOf(shader, factor, first, place);
    const sizes = this.columns.map((column) => this.#let("f32", convert(largest.load(largest.at(column)), "f32")));
    this.down = sizes.map((size) => this.#let("f32", scaleOf(shader, size, "down")));
    this.up = sizes.map((size) => this.#let("f32", scaleOf(shader, size, "up")));
    this.most = sizes.map((size, k) => this.#let("f32", `${size} * ${this.down[k] as string}`));
    this.weights = this.columns.map((column, k) =>
      this.#let("f32", `${this.up[k] as string} * ${convert(weights.load(weights.at(column)), "f32")}`),
    );
    this.#group = this.#let("u32", `${this.columns[0] as string} / ${group}u`);
    this.#tile = this.#let("u32", `${first} / ${group * side}u`);
  }

  /** Scaled values of sample n. */
  values(n: string): string[] {
    return this.columns.map((column, k) =>
      this.#let(
        "f32",
        `${convert(this.#view.load(this.#view.at(n, "0u", column)), "f32")} * ${this.down[k] as string}`,
      ),
    );
  }

  /** The largest weighted magnitude of sample n among the columns. */
  peak(n: string): string {
    return convert(this.#peaks.load(this.#peaks.at(n, this.#group)), "f32");
  }

  /** The same among the columns of the whole tile. */
  tilePeak(n: string): string {
    return convert(this.#tilePeaks.load(this.#tilePeaks.at(n, this.#tile)), "f32");
  }

  #let(type: "f32" | "u32", text: string): string {
    return this.#shader.let({ type, text }).text;
  }
}

function columnsOf(shader: ShaderBuilder, { view, group }: ScaledFactor, first: string, place: string): string[] {
  const extent = shader.size(view.shape[2] as number);
  return Array.from({ length: group }, (_, k) => {
    const text = `min(${first} + ${place} * ${group}u + ${k}u, ${extent} - 1u)`;
    return shader.let({ type: "u32", text }).text;
  });
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
  const bringing = [
    new Bringing(shader, scaled.delta, "0u", firstQ),
    new Bringing(shader, scaled.x, `${depth * side}u`, firstP),
  ] as const;
  const sums = printSums(shader, bringing, memory, { row, column, N, own }, degree);
  const delta = new Side(shader, scaled.delta, firstQ, row);
  const x = new Side(shader, scaled.x, firstP, column);
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
    weight: `(${delta.weights[i] as string} * ${x.weights[j] as string})`,
  }));
  const candidates: CandidateWalk = {
    print: (bound, body) =>
      printCandidates(shader, { delta, x, samples, bound }, (n) => {
        const [deltas, xs] = [delta.values(n), x.values(n)];
        body(
          pairs.map(([i, j]) => shader.let({ type: "f32", text: `${deltas[i] as string} * ${xs[j] as string}` }).text),
        );
      }),
  };
  const given = perFeature.map((view) =>
    held.map(({ d }) => shader.let({ type: "f32", text: convert(view.load(view.at(d)), "f32") }).text),
  );
  const trusted = shader.name("trusted");
  shader.line(`var ${trusted} = true;`);
  const printer = new ColumnProgramPrinter(
    shader,
    { columns: lanes, rows: 1, column: "lane", row: "0u", together: true },
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

/**
 * Prints a loop over the samples in which some weighted product may reach an invocation's bound. Those in which one of
 * the tile may reach the least of the bounds are noted as bits in workgroup memory first, so that few are looked at.
 */
function printCandidates(
  shader: ShaderBuilder,
  {
    delta,
    x,
    samples,
    bound,
  }: { readonly delta: Side; readonly x: Side; readonly samples: number; readonly bound: string },
  body: (n: string) => void,
): void {
  const words = Math.ceil(samples / 32);
  const memory = shader.shared("atomic<u32>", mostSamples / 32 + 1);
  const least = `${memory}[${mostSamples / 32}u]`;
  const [n, word, bits] = [shader.name("n"), shader.name("w"), shader.name("bits")];
  const [N, W] = [shader.size(samples), shader.size(words)];
  shader.line("workgroupBarrier();");
  shader.line(`if (lane < ${W}) { atomicStore(&${memory}[lane], 0u); }`);
  shader.line(`if (lane == 0u) { atomicStore(&${least}, 0x7f800000u); }`);
  shader.line("workgroupBarrier();");
  // Bits of numbers that are not below 0 have their order.
  shader.line(`atomicMin(&${least}, bitcast<u32>(${bound}));`);
  shader.line("workgroupBarrier();");
  const lowest = shader.let({ type: "f32", text: `bitcast<f32>(atomicLoad(&${least}))` }).text;
  shader.line(`for (var ${n} = lane; ${n} < ${N}; ${n} += ${lanes}u) {`);
  // Written so that NaN is looked at.
  shader.line(`if (!(${delta.tilePeak(n)} * ${x.tilePeak(n)} < ${lowest})) {`);
  shader.line(`atomicOr(&${memory}[${n} / 32u], 1u << (${n} % 32u));`);
  shader.line("}}");
  shader.line("workgroupBarrier();");
  shader.line(`for (var ${word} = 0u; ${word} < ${W}; ${word}++) {`);
  shader.line(`var ${bits} = atomicLoad(&${memory}[${word}]);`);
  shader.line(`while (${bits} != 0u) {`);
  const at = shader.let({ type: "u32", text: `${word} * 32u + countTrailingZeros(${bits})` }).text;
  shader.line(`${bits} &= ${bits} - 1u;`);
  shader.line(`if (!(${delta.peak(at)} * ${x.peak(at)} < ${bound})) {`);
  body(at);
  shader.line("}}}");
}

/** Prints the sums of powers of all products: names of vectors along the inputs, by power and output. */
function printSums(
  shader: ShaderBuilder,
  bringing: readonly [Bringing, Bringing],
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
  const [n, reached, k] = [shader.name("n"), shader.name("n"), shader.name("k")];
  shader.line(`var ${n} = lane / ${side}u;`);
  for (const factor of bringing) factor.load(n, N);
  shader.line(`for (var ${reached} = 0u; ${reached} < ${N}; ${reached} += ${depth}u) {`);
  shader.line("workgroupBarrier();");
  for (const factor of bringing) factor.keep(memory);
  shader.line("workgroupBarrier();");
  shader.line(`${n} += ${depth}u;`);
  for (const factor of bringing) factor.load(n, N);
  shader.line(`for (var ${k} = 0u; ${k} < ${depth}u; ${k}++) {`);
  const load = (factor: Bringing, place: string) => {
    const name = shader.name();
    shader.line(`let ${name} = ${memory}[${factor.tile} + ${k} * ${side}u + ${place}];`);
    return name;
  };
  const [a, b] = [load(bringing[0], row), load(bringing[1], column)];
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
