import { factorViews } from "../../kernel/column-structure.js";
import { factorsShape, type Factors, type View } from "../../kernel/kernel.js";
import { convert, type ShaderBuilder, type ViewText } from "./shader.js";

/** A coordinate as texts (u32): its number and, for a factor of P columns, its output and its input. */
export interface Coordinate {
  readonly d: string;
  /** By P. */
  readonly pairs: ReadonlyMap<number, { readonly q: string; readonly p: string }>;
}

/** A factor source as the shader reads it: the address of sample 0 for every coordinate, and steps from there. */
type Source =
  | { readonly kind: "dense"; readonly view: ViewText; readonly bases: readonly string[] }
  | {
      readonly kind: "expanded";
      readonly delta: ViewText;
      readonly x: ViewText;
      readonly deltas: readonly string[];
      readonly xs: readonly string[];
      /** How many terms; null for one. */
      readonly steps: string | null;
    }
  | { readonly kind: "mixed"; readonly weights: ViewText; readonly samples: string; readonly base: Source }
  | { readonly kind: "summed"; readonly parts: readonly Source[] };

/** Numbers of columns of the expanded parts of a factor source, each once. */
export function widthsOf(factors: Factors): number[] {
  switch (factors.kind) {
    case "dense":
      return [];
    case "expanded":
      return [factors.x.shape[2] as number];
    case "mixed":
      return widthsOf(factors.base);
    case "summed":
      return [...new Set(factors.parts.flatMap(widthsOf))];
  }
}

/** Loads that form one value, about. */
export function costOf(factors: Factors): number {
  switch (factors.kind) {
    case "dense":
      return 1;
    case "expanded":
      return 2 * (factors.delta.shape[1] as number);
    case "mixed":
      return factorsShape(factors.base).samples * (1 + costOf(factors.base));
    case "summed":
      return factors.parts.reduce((sum, part) => sum + costOf(part), 0);
  }
}

/** Prints the values of coordinates, formed from factors where they are needed. */
export class ColumnValues {
  readonly #shader: ShaderBuilder;
  readonly #views: ReadonlyMap<View, ViewText>;
  readonly #factors: Factors;
  #source: Source | null = null;

  constructor(shader: ShaderBuilder, factors: Factors) {
    this.#shader = shader;
    this.#factors = factors;
    this.#views = new Map(factorViews(factors).views.map((view) => [view, shader.view(view)]));
  }

  /** Prints the addresses of the coordinates that the next values are of. */
  place(coordinates: readonly Coordinate[]): void {
    const known = new Map<string, string>();
    const base = (view: ViewText, index: string, axis: number): string => {
      const text = `${view.offset} + ${index} * ${view.stride(axis)}`;
      let name = known.get(text);
      if (name === undefined) known.set(text, (name = this.#let("u32", text)));
      return name;
    };
    const place = (factors: Factors): Source => {
      switch (factors.kind) {
        case "dense": {
          const view = this.#text(factors.rows);
          return { kind: "dense", view, bases: coordinates.map(({ d }) => base(view, d, 1)) };
        }
        case "expanded": {
          const [delta, x] = [this.#text(factors.delta), this.#text(factors.x)];
          const width = factors.x.shape[2] as number;
          const pairs = coordinates.map((c) => c.pairs.get(width) as { q: string; p: string });
          const steps = factors.delta.shape[1] as number;
          return {
            kind: "expanded",
            delta,
            x,
            deltas: pairs.map(({ q }) => base(delta, q, 2)),
            xs: pairs.map(({ p }) => base(x, p, 2)),
            steps: steps === 1 ? null : this.#shader.size(steps),
          };
        }
        case "mixed": {
          const samples = this.#shader.size(factors.weights.shape[1] as number);
          return { kind: "mixed", weights: this.#text(factors.weights), samples, base: place(factors.base) };
        }
        case "summed":
          return { kind: "summed", parts: factors.parts.map(place) };
      }
    };
    this.#source = place(this.#factors);
  }

  /** Prints the values of sample `n` (a name, u32) and returns their names (f32), one for every placed coordinate. */
  print(n: string): string[] {
    return this.#print(this.#source as Source, n).map((text) => this.#let("f32", text));
  }

  #print(source: Source, n: string): string[] {
    const shader = this.#shader;
    switch (source.kind) {
      case "dense":
        return this.#loads(source.view, source.bases, n, null);
      case "expanded": {
        const products = (t: string | null) => {
          const deltas = this.#loads(source.delta, source.deltas, n, t);
          const xs = this.#loads(source.x, source.xs, n, t);
          return deltas.map((delta, j) => `${delta} * ${xs[j] as string}`);
        };
        if (source.steps === null) return products(null);
        const sums = this.#zeros(source.deltas.length);
        const t = shader.name("t");
        shader.line(`for (var ${t} = 0u; ${t} < ${source.steps}; ${t}++) {`);
        products(t).forEach((product, j) => shader.line(`${sums[j] as string} += ${product};`));
        shader.line("}");
        return sums;
      }
      case "mixed": {
        const sums = this.#zeros(this.#placed(source.base));
        const k = shader.name("k");
        shader.line(`for (var ${k} = 0u; ${k} < ${source.samples}; ${k}++) {`);
        const weight = this.#let("f32", convert(source.weights.load(source.weights.at(n, k)), "f32"));
        // By its bits: a weight of 0 excludes whatever the value is, NaN as a weight does not.
        shader.line(`if ((bitcast<u32>(${weight}) & 0x7fffffffu) != 0u) {`);
        this.#print(source.base, k).forEach((value, j) =>
          shader.line(`${sums[j] as string} += ${weight} * (${value});`),
        );
        shader.line("}}");
        return sums;
      }
      case "summed": {
        const parts = source.parts.map((part) => this.#print(part, n).map((text) => this.#let("f32", text)));
        return (parts[0] as string[]).map((_, j) => parts.map((part) => part[j]).join(" + "));
      }
    }
  }

  /** Names of the elements of sample n, loading each address once. */
  #loads(view: ViewText, bases: readonly string[], n: string, t: string | null): string[] {
    const known = new Map<string, string>();
    return bases.map((base) => {
      let name = known.get(base);
      if (name === undefined) {
        const step = t === null ? "" : ` + ${t} * ${view.stride(1)}`;
        const value = view.load(`${base} + ${n} * ${view.stride(0)}${step}`);
        known.set(base, (name = this.#let("f32", convert(value, "f32"))));
      }
      return name;
    });
  }

  #placed(source: Source): number {
    switch (source.kind) {
      case "dense":
        return source.bases.length;
      case "expanded":
        return source.deltas.length;
      case "mixed":
        return this.#placed(source.base);
      case "summed":
        return this.#placed(source.parts[0] as Source);
    }
  }

  #zeros(count: number): string[] {
    return Array.from({ length: count }, () => {
      const name = this.#shader.name("s");
      this.#shader.line(`var ${name} = 0.0;`);
      return name;
    });
  }

  #text(view: View): ViewText {
    return this.#views.get(view) as ViewText;
  }

  #let(type: "f32" | "u32", text: string): string {
    return this.#shader.let({ type, text }).text;
  }
}
