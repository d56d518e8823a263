import type { Expression } from "../../scalar/expression.js";
import type { Team } from "./column-team.js";
import { floatOf, keyOf } from "./order-keys.js";
import type { ShaderBuilder } from "./shader.js";

/**
 * What lies between two places of the sorted values: numbers with keys strictly between two, and some repetitions of
 * both. Texts (u32) for every coordinate.
 */
export interface Cut {
  readonly low: readonly string[];
  readonly high: readonly string[];
  readonly lows: readonly string[];
  readonly highs: readonly string[];
}

/**
 * A vector as a rule for walking through its elements: nothing is stored. Order only matters to what slices it, so a
 * sorted vector is its source until it is sliced, and then what lies between two order statistics.
 */
export type Vector =
  | { readonly kind: "values"; readonly start: number; readonly length: number }
  | { readonly kind: "map"; readonly source: Vector; readonly element: number; readonly f: Expression }
  | {
      readonly kind: "sorted";
      readonly source: Vector;
      readonly start: number;
      readonly length: number;
      readonly cut: Cut | null;
    };

export function lengthOf(vector: Vector): number {
  return vector.kind === "map" ? lengthOf(vector.source) : vector.length;
}

/** Elements start … start + length − 1; `select` prints the cut of sorted values. */
export function sliceOf(
  vector: Vector,
  start: number,
  length: number,
  select: (source: Vector, start: number, length: number) => Cut,
): Vector {
  if (length === lengthOf(vector)) return vector;
  switch (vector.kind) {
    case "values":
      return { ...vector, start: vector.start + start, length };
    case "map":
      return { ...vector, source: sliceOf(vector.source, start, length, select) };
    case "sorted": {
      const first = vector.start + start;
      return { ...vector, start: first, length, cut: select(vector.source, first, length) };
    }
  }
}

function cutsOf(vector: Vector): number {
  if (vector.kind === "values") return 0;
  return cutsOf(vector.source) + (vector.kind === "sorted" && vector.cut !== null ? 1 : 0);
}

function baseOf(vector: Vector): { readonly start: number; readonly length: number } {
  return vector.kind === "values" ? vector : baseOf(vector.source);
}

/** An element for every coordinate, and how often it counts; null for once. */
export interface Elements {
  readonly values: readonly string[];
  readonly weights: readonly string[] | null;
}

/** What a walk needs to know of its program. */
export interface WalkContext {
  readonly shader: ShaderBuilder;
  readonly team: Team;
  /** Prints the values of a sample for every coordinate. */
  readonly values: (n: string) => string[];
  /** Prints a formula (f32) of the element `element` = `value` of coordinate j. */
  readonly formula: (f: Expression, j: number, element: number, value: string) => string;
}

/** Sums of so many elements are added up on their own, which keeps the digits of long sums. */
const blockLength = 64;

/** Prints a loop over the elements of a vector; several invocations of a team take turns. */
export function walk(
  context: WalkContext,
  vector: Vector,
  body: (elements: Elements) => void,
  block?: { readonly open: () => void; readonly close: () => void },
): void {
  const { shader, team } = context;
  const base = baseOf(vector);
  const count = base.length + 2 * cutsOf(vector);
  const [n, end] = [shader.name("n"), shader.name()];
  const step = `${n} += ${team.rows}u`;
  const print = () => body(elementsOf(context, vector, n, shader.size(base.start)));
  shader.line(`let ${end} = ${shader.size(count)};`);
  if (block === undefined || count <= 2 * blockLength * team.rows) {
    block?.open();
    shader.line(`for (var ${n} = ${team.row}; ${n} < ${end}; ${step}) {`);
    print();
    shader.line("}");
    block?.close();
    return;
  }
  const stop = shader.name();
  shader.line(`for (var ${n} = ${team.row}; ${n} < ${end}; ) {`);
  shader.line(`let ${stop} = min(${end}, ${n} + ${blockLength * team.rows}u);`);
  block.open();
  shader.line(`for (; ${n} < ${stop}; ${step}) {`);
  print();
  shader.line("}");
  block.close();
  shader.line("}");
}

/** After the samples come, for every cut from the inside out, its lowest number and its highest. */
function elementsOf(context: WalkContext, vector: Vector, n: string, start: string): Elements {
  const { shader } = context;
  switch (vector.kind) {
    case "values":
      return { values: context.values(`(${n} + ${start})`), weights: null };
    case "map": {
      const { values, weights } = elementsOf(context, vector.source, n, start);
      return { values: values.map((value, j) => context.formula(vector.f, j, vector.element, value)), weights };
    }
    case "sorted": {
      const { cut, source } = vector;
      if (cut === null) return elementsOf(context, source, n, start);
      const values = cut.low.map(() => shader.name("e"));
      const weights = cut.low.map(() => shader.name("c"));
      for (const name of values) shader.line(`var ${name}: f32;`);
      for (const name of weights) shader.line(`var ${name}: u32;`);
      const limit = shader.size(baseOf(source).length + 2 * cutsOf(source));
      shader.line(`if (${n} < ${limit}) {`);
      const inner = elementsOf(context, source, n, start);
      inner.values.forEach((value, j) => {
        const key = shader.let({ type: "u32", text: keyOf(shader, value) }).text;
        const inside = `${key} > ${cut.low[j] as string} && ${key} < ${cut.high[j] as string}`;
        shader.line(`${values[j] as string} = ${value};`);
        shader.line(`${weights[j] as string} = select(0u, ${inner.weights?.[j] ?? "1u"}, ${inside});`);
      });
      shader.line("} else {");
      values.forEach((name, j) => {
        const [low, high] = [cut.low[j] as string, cut.high[j] as string];
        shader.line(`${name} = ${floatOf(shader, `select(${high}, ${low}, ${n} == ${limit})`)};`);
        shader.line(
          `${weights[j] as string} = select(${cut.highs[j] as string}, ${cut.lows[j] as string}, ${n} == ${limit});`,
        );
      });
      shader.line("}");
      return { values, weights };
    }
  }
}
