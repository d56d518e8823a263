import { binary, integer, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { f32x4, f64x2, joinHalves, upperHalf, type FloatLanes } from "./lanes.js";
import type { NonzeroSamples } from "./panels.js";
import { loadLanes } from "./transfer.js";
import { bytesPerElement, type DType } from "../../dtype.js";
import { factorsShape, type Factors, type View } from "../../kernel/kernel.js";

/**
 * How the coordinates of a factor source are walked: `outer` times `inner` of them, lanes along the inner ones.
 * `irregular` sources have parts of different widths, and lanes that find their own way.
 */
export interface Grid {
  readonly outer: number;
  readonly inner: number;
  /** Coordinates between neighbours along either axis. */
  readonly outerStep: number;
  readonly innerStep: number;
  /** Which factor of an outer product the inner axis is. */
  readonly lanesAlong: "delta" | "x";
  readonly irregular: boolean;
}

/** Widths of the outer products in a factor source. */
function widths(factors: Factors): number[] {
  switch (factors.kind) {
    case "dense":
      return [];
    case "expanded":
      return [factors.x.shape[2] as number];
    case "mixed":
      return widths(factors.base);
    case "summed":
      return factors.parts.flatMap(widths);
  }
}

const bytesOf = (view: View, axis: number) => (view.strides[axis] as number) * bytesPerElement(view.dtype);

export function planGrid(factors: Factors, lanes: number): Grid {
  const { features } = factorsShape(factors);
  const all = [...new Set(widths(factors))];
  const flat: Grid = {
    outer: 1,
    inner: features,
    outerStep: features,
    innerStep: 1,
    lanesAlong: "x",
    irregular: all.length > 1,
  };
  if (all.length !== 1) return flat;
  const p = all[0] as number;
  const q = p === 0 ? 0 : features / p;
  const fill = (extent: number) => extent / (Math.ceil(extent / lanes) * lanes || 1);
  // Lanes along the second factor write neighbours; along the first they serve narrow inputs.
  if (fill(p) >= 0.75 * fill(q))
    return { outer: q, inner: p, outerStep: p, innerStep: 1, lanesAlong: "x", irregular: false };
  return { outer: p, inner: q, outerStep: 1, innerStep: p, lanesAlong: "delta", irregular: false };
}

/** One view of a factor source, with the bytes by which it moves. */
export interface Leaf {
  readonly dtype: DType;
  /** Between neighbours along the grid; 0 stands still. */
  readonly outer: number;
  readonly inner: number;
  readonly sample: number;
  /** Between uses t of one sample. */
  readonly use: number;
}

/** A factor source whose views are numbered leaves. */
export type Source =
  | { readonly kind: "dense"; readonly leaf: number }
  | {
      readonly kind: "expanded";
      readonly delta: number;
      readonly x: number;
      readonly uses: number;
      readonly width: number;
    }
  | {
      readonly kind: "mixed";
      readonly weights: number;
      readonly base: Source;
      /** How many samples come out, and how many go in. */
      readonly samples: number;
      readonly from: number;
    }
  | { readonly kind: "summed"; readonly parts: readonly Source[] };

/** Leaves in the order of the kernel's views. */
export function planSource(factors: Factors, grid: Grid, leaves: Leaf[]): Source {
  switch (factors.kind) {
    case "dense": {
      const { rows } = factors;
      const step = bytesOf(rows, 1);
      const leaf = {
        dtype: rows.dtype,
        outer: grid.outerStep * step,
        inner: grid.innerStep * step,
        sample: bytesOf(rows, 0),
        use: 0,
      };
      return { kind: "dense", leaf: leaves.push(leaf) - 1 };
    }
    case "expanded": {
      const { delta, x } = factors;
      const alongX = grid.lanesAlong === "x";
      const place = (view: View, lanes: boolean): number =>
        leaves.push({
          dtype: view.dtype,
          outer: lanes ? 0 : bytesOf(view, 2),
          inner: lanes ? bytesOf(view, 2) : 0,
          sample: bytesOf(view, 0),
          use: bytesOf(view, 1),
        }) - 1;
      const first = place(delta, !alongX);
      return {
        kind: "expanded",
        delta: first,
        x: place(x, alongX),
        uses: delta.shape[1] as number,
        width: x.shape[2] as number,
      };
    }
    case "mixed": {
      const { weights } = factors;
      const leaf =
        leaves.push({
          dtype: weights.dtype,
          outer: 0,
          inner: 0,
          sample: bytesOf(weights, 0),
          use: bytesOf(weights, 1),
        }) - 1;
      const base = planSource(factors.base, grid, leaves);
      return {
        kind: "mixed",
        weights: leaf,
        base,
        samples: weights.shape[0] as number,
        from: weights.shape[1] as number,
      };
    }
    case "summed":
      return { kind: "summed", parts: factors.parts.map((part) => planSource(part, grid, leaves)) };
  }
}

/** True where an element is so cheap that every pass may form it anew. */
export function isCheap(source: Source): boolean {
  switch (source.kind) {
    case "dense":
      return true;
    case "expanded":
      return source.uses === 1;
    case "mixed":
      return false;
    case "summed":
      return source.parts.length <= 2 && source.parts.every(isCheap);
  }
}

/** The vectors of a tile: how many lanes of each are wanted. */
export interface Tile {
  readonly counts: readonly number[];
  readonly wide: boolean;
}

const floatsOf = (wide: boolean): FloatLanes => (wide ? f64x2 : f32x4);

/** Reads the elements of a source, sample by sample. Pointers stand at sample 0 of the tile. */
export class SourceReader {
  readonly #f: FunctionBody;
  readonly #leaves: readonly Leaf[];
  readonly #pointers: readonly Code[];
  readonly #tile: Tile;

  constructor(f: FunctionBody, leaves: readonly Leaf[], pointers: readonly Code[], tile: Tile) {
    this.#f = f;
    this.#leaves = leaves;
    this.#pointers = pointers;
    this.#tile = tile;
  }

  /** Calls `body` at every turn of `repeat`, from sample `start` on, with code for the vectors of a cheap source's element. */
  each(
    source: Source,
    start: number,
    repeat: (step: () => void) => void,
    body: (vectors: readonly Code[]) => void,
  ): void {
    const f = this.#f;
    const used = leavesOf(source);
    const pointers = new Map(
      used.map((leaf) => {
        const variable = f.variable("i32");
        const moved = start * (this.#leaves[leaf] as Leaf).sample;
        f.set(
          variable,
          moved === 0
            ? (this.#pointers[leaf] as Code)
            : binary("i32.add", this.#pointers[leaf] as Code, integer(moved)),
        );
        return [leaf, variable] as const;
      }),
    );
    repeat(() => {
      f.scope(() => body(this.#element(source, pointers)));
      for (const [leaf, variable] of pointers) f.advance(variable, (this.#leaves[leaf] as Leaf).sample);
    });
  }

  /** The same for the samples of an output's list. */
  eachNonzero(
    source: Extract<Source, { kind: "expanded" }>,
    { places, delta }: NonzeroSamples,
    repeat: (step: () => void) => void,
    body: (vectors: readonly Code[]) => void,
  ): void {
    const f = this.#f;
    const [place, value] = [f.variable("i32"), f.variable("i32")];
    f.set(place, places);
    f.set(value, delta);
    repeat(() => {
      f.scope(() => body(this.atPlace(source, place.get, value.get)));
      f.advance(place, 4);
      f.advance(value, floatsOf(this.#tile.wide).bytes);
    });
  }

  /** The vectors of the element of a list's sample: addresses of its place and of its first factor. */
  atPlace(source: Extract<Source, { kind: "expanded" }>, place: Code, value: Code): Code[] {
    const f = this.#f;
    const { wide } = this.#tile;
    const floats = floatsOf(wide);
    const row = f.let("i32", this.#rowAt(source, place, 0));
    const splat = wide ? "v128.load64_splat" : "v128.load32_splat";
    const delta = f.let("v128", (g) => g.load(splat, { base: value, offset: 0 }));
    return this.#vectors(source.x, row).map((x) => floats.mul(delta, x));
  }

  /** One number of each sample's row in a panel, `at` bytes from its beginning, of as many samples as a vector has lanes. */
  gather(source: Extract<Source, { kind: "expanded" }>, places: Code, at: number): Code {
    const { wide } = this.#tile;
    const [splat, single] = wide
      ? (["v128.load64_splat", "v128.load64_lane"] as const)
      : (["v128.load32_splat", "v128.load32_lane"] as const);
    let vector: Code = (g) => g.load(splat, { base: this.#rowAt(source, places, 0), offset: at });
    for (let k = 1; k < floatsOf(wide).count; k++) {
      const before = vector;
      vector = (g) => g.loadLane(single, { base: this.#rowAt(source, places, k), offset: at }, before, k);
    }
    return vector;
  }

  #rowAt(source: Extract<Source, { kind: "expanded" }>, places: Code, sample: number): Code {
    const place: Code = (g) => g.load("i32.load", { base: places, offset: 4 * sample });
    return binary("i32.add", this.#pointers[source.x] as Code, place);
  }

  #load(leaf: number, pointer: Code, vector: number): Code {
    const { dtype, inner } = this.#leaves[leaf] as Leaf;
    const { counts, wide } = this.#tile;
    const lanes = wide ? 2 : 4;
    const address = { base: pointer, offset: vector * lanes * inner };
    return loadLanes(this.#f, dtype, wide, address, {
      stride: inner,
      count: inner === 0 ? lanes : (counts[vector] as number),
    }).code;
  }

  /** What the vectors of one leaf have; loaded once where they all repeat one number. */
  #vectors(leaf: number, pointer: Code): Code[] {
    const f = this.#f;
    if ((this.#leaves[leaf] as Leaf).inner === 0) {
      const value = f.let("v128", this.#load(leaf, pointer, 0));
      return this.#tile.counts.map(() => value);
    }
    return this.#tile.counts.map((_, v) => this.#load(leaf, pointer, v));
  }

  #element(source: Source, pointers: ReadonlyMap<number, Variable>): Code[] {
    const floats = floatsOf(this.#tile.wide);
    const at = (leaf: number) => (pointers.get(leaf) as Variable).get;
    switch (source.kind) {
      case "dense":
        return this.#vectors(source.leaf, at(source.leaf));
      case "expanded": {
        const delta = this.#vectors(source.delta, at(source.delta));
        const x = this.#vectors(source.x, at(source.x));
        return delta.map((d, v) => floats.mul(d, x[v] as Code));
      }
      case "summed":
        return source.parts
          .map((part) => this.#element(part, pointers))
          .reduce((sums, values) => sums.map((sum, v) => floats.add(sum, values[v] as Code)));
      case "mixed":
        throw new Error("a mixed source is stored before it is read");
    }
  }

  /**
   * Stores all samples of a source as rows of vectors at `target`; `work` is free memory for what lies beneath.
   */
  store(source: Source, samples: number, target: Code, work: Code): void {
    const f = this.#f;
    const floats = floatsOf(this.#tile.wide);
    const { counts } = this.#tile;
    const bytes = 16 * counts.length;
    f.scope(() => {
      const row = f.variable("i32");
      f.set(row, target);
      const put = (vectors: readonly Code[]) => {
        vectors.forEach((vector, v) => f.store("v128.store", { base: row.get, offset: 16 * v }, vector));
        f.advance(row, bytes);
      };
      if (isCheap(source)) {
        this.each(source, 0, (step) => f.repeat(samples, step), put);
        return;
      }
      switch (source.kind) {
        case "expanded": {
          const pointers = [source.delta, source.x].map((leaf) => {
            const variable = f.variable("i32");
            f.set(variable, this.#pointers[leaf] as Code);
            return variable;
          }) as [Variable, Variable];
          const moved = [source.delta, source.x].map((leaf) => this.#leaves[leaf] as Leaf) as [Leaf, Leaf];
          const sums = counts.map(() => f.variable("v128"));
          f.repeat(samples, () => {
            for (const sum of sums) f.set(sum, floats.constant(0));
            f.repeat(source.uses, () => {
              f.scope(() => {
                const delta = this.#vectors(source.delta, pointers[0].get);
                const x = this.#vectors(source.x, pointers[1].get);
                sums.forEach((sum, v) => f.set(sum, floats.add(sum.get, floats.mul(delta[v] as Code, x[v] as Code))));
              });
              pointers.forEach((pointer, k) => f.advance(pointer, (moved[k] as Leaf).use));
            });
            put(sums.map((sum) => sum.get));
            pointers.forEach((pointer, k) =>
              f.advance(pointer, (moved[k] as Leaf).sample - source.uses * (moved[k] as Leaf).use),
            );
          });
          return;
        }
        case "mixed":
          this.#mix(source, work, put);
          return;
        case "summed": {
          source.parts.forEach((part, k) => {
            if (k === 0) {
              this.store(part, samples, target, work);
              return;
            }
            const beyond = binary("i32.add", work, integer(samples * bytes));
            this.store(part, samples, work, beyond);
            const other = f.variable("i32");
            f.set(other, work);
            f.set(row, target);
            f.repeat(samples, () => {
              const at =
                (pointer: Variable, v: number): Code =>
                (g) =>
                  g.load("v128.load", { base: pointer.get, offset: 16 * v });
              put(counts.map((_, v) => floats.add(at(row, v), at(other, v))));
              f.advance(other, bytes);
            });
          });
          return;
        }
        case "dense":
          return;
      }
    });
  }

  /** Σₙ weights[m, n] · base[n], added in float64; a weight of 0 leaves even a non-finite value out. */
  #mix(source: Extract<Source, { kind: "mixed" }>, work: Code, put: (vectors: readonly Code[]) => void): void {
    const f = this.#f;
    const { counts, wide } = this.#tile;
    const weights = this.#leaves[source.weights] as Leaf;
    const bytes = 16 * counts.length;
    const single = bytesPerElement(weights.dtype) === 4;
    const stored = !isCheap(source.base);
    if (stored) this.store(source.base, source.from, work, binary("i32.add", work, integer(source.from * bytes)));
    const weight = f.variable("i32");
    f.set(weight, this.#pointers[source.weights] as Code);
    const halves = wide ? [0] : [0, 1];
    const sums = counts.map(() => halves.map(() => f.variable("v128")));
    const take = (vectors: readonly Code[]) => {
      const value = f.let(single ? "f32" : "f64", (g) =>
        g.load(single ? "f32.load" : "f64.load", { base: weight.get, offset: 0 }),
      );
      const nonzero: Code = (g) => {
        value(g);
        if (single) {
          g.emit("f64.promote_f32");
        }
        g.f64(0);
        g.emit("f64.ne");
      };
      f.if(nonzero, () => {
        const splat = f.let("v128", (g) => {
          value(g);
          if (single) g.emit("f64.promote_f32");
          g.emit("f64x2.splat");
        });
        sums.forEach((pair, v) => {
          const vector = f.let("v128", vectors[v] as Code);
          pair.forEach((sum, half) => {
            const part = half === 0 ? vector : upperHalf(vector);
            const term = f64x2.mul(splat, wide ? part : unary("f64x2.promote_low_f32x4", part));
            f.set(sum, f64x2.add(sum.get, term));
          });
        });
      });
      f.advance(weight, weights.use);
    };
    f.repeat(source.samples, () => {
      for (const sum of sums.flat()) f.set(sum, f64x2.constant(0));
      if (stored) {
        const row = f.variable("i32");
        f.set(row, work);
        f.repeat(source.from, () => {
          f.scope(() =>
            take(counts.map((_, v) => (g: FunctionBody) => g.load("v128.load", { base: row.get, offset: 16 * v }))),
          );
          f.advance(row, bytes);
        });
      } else this.each(source.base, 0, (step) => f.repeat(source.from, step), take);
      const narrow = (half: Variable) => f.let("v128", unary("f32x4.demote_f64x2_zero", half.get));
      put(
        sums.map(([low, high]) =>
          high === undefined ? (low as Variable).get : joinHalves(narrow(low as Variable), narrow(high)),
        ),
      );
      f.advance(weight, weights.sample - source.from * weights.use);
    });
  }
}

export function leavesOf(source: Source): number[] {
  switch (source.kind) {
    case "dense":
      return [source.leaf];
    case "expanded":
      return [source.delta, source.x];
    case "mixed":
      return [source.weights, ...leavesOf(source.base)];
    case "summed":
      return source.parts.flatMap(leavesOf);
  }
}

/** Rows of vectors that {@link SourceReader.store} needs beneath its target. */
export function workRows(source: Source, samples: number): number {
  if (isCheap(source)) return 0;
  switch (source.kind) {
    case "mixed":
      return isCheap(source.base) ? 0 : source.from + workRows(source.base, source.from);
    case "summed":
      return Math.max(0, ...source.parts.map((part, k) => (k === 0 ? 0 : samples) + workRows(part, samples)));
    default:
      return 0;
  }
}
