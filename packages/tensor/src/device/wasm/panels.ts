import { binary, integer, unary, type Code, type FunctionBody } from "./assembler.js";
import type { Grid, Leaf, Source } from "./column-source.js";
import { and, constantI32x4, f32x4, f64x2, or, pick32, vectorOf } from "./lanes.js";
import { loadLanes } from "./transfer.js";

/**
 * Copies of the factors of an outer product in the order in which tiles read them. Of the first factor every output has
 * a list of the samples where it is not 0: behind a ReLU that is half of them, and the others' values are all 0. Of the
 * second the columns of the present tile follow each other sample by sample, with their largest magnitude behind, which
 * bounds the sample's values.
 */
export interface Panels {
  /** Bytes of an output's list, and where in it the places of its samples and the first factor there begin. */
  readonly list: number;
  readonly places: number;
  readonly delta: number;
  /** Bytes between the rows of neighbouring samples in the panel. */
  readonly step: number;
  /** Offsets in scratch memory; behind the lists of all outputs is one with nothing in it. */
  readonly lists: number;
  readonly emptyList: number;
  readonly x: number;
  readonly bytes: number;
  /** Where in a sample's row its largest magnitude is, in every lane of a vector. */
  readonly largest: number;
  /** The leaves as tiles see them. */
  readonly leaves: readonly Leaf[];
}

/** The samples of an output where its factor is not 0. */
export interface NonzeroSamples {
  readonly count: Code;
  /** Of the others, in every lane. */
  readonly zeros: Code;
  /** Addresses: how far a sample's row is from the first in the panel, an i32 each, and the first factor there. */
  readonly places: Code;
  readonly delta: Code;
  /** Where in a sample's row its largest magnitude is. */
  readonly largest: number;
}

/** Panels pay where many tiles read them. */
export function planPanels(
  source: Source,
  grid: Grid,
  leaves: readonly Leaf[],
  samples: number,
  wide: boolean,
  vectors: number,
): Panels | null {
  const lanes = wide ? 2 : 4;
  const size = wide ? 8 : 4;
  if (source.kind !== "expanded" || source.uses !== 1 || grid.lanesAlong !== "x") return null;
  if (samples < 16 || grid.outer < 4 || grid.inner < 2 * lanes || grid.outer * grid.inner < 512) return null;
  const room = Math.ceil(samples / 4) * 4;
  const places = 16;
  const delta = places + 4 * room + 16;
  // Zeros pad the last vectors.
  const list = delta + size * room + 16;
  const emptyList = list * grid.outer;
  const x = emptyList + 16;
  const step = (vectors + 1) * 16;
  const seen = [...leaves];
  seen[source.x] = { ...(leaves[source.x] as Leaf), outer: 0, inner: size, sample: step };
  return {
    list,
    places,
    delta,
    step,
    lists: 0,
    emptyList,
    x,
    bytes: x + samples * step,
    largest: vectors * 16,
    leaves: seen,
  };
}

/** What a tile sees of an output's list and of its own columns. */
export function nonzeroSamples(
  f: FunctionBody,
  panels: Panels,
  list: Code,
  samples: number,
  wide: boolean,
): NonzeroSamples {
  const count = f.let("i32", (g) => g.load("i32.load", { base: list, offset: 0 }));
  const others = unary("i32x4.splat", binary("i32.sub", integer(samples), count));
  return {
    count,
    zeros: f.let("v128", unary(wide ? "f64x2.convert_low_i32x4_s" : "f32x4.convert_i32x4_s", others)),
    places: binary("i32.add", list, integer(panels.places)),
    delta: binary("i32.add", list, integer(panels.delta)),
    largest: panels.largest,
  };
}

/** The first `count` lanes, zeros behind. */
function valid(value: Code, count: number, wide: boolean): Code {
  if (count === (wide ? 2 : 4)) return value;
  return and(value, vectorOf(Int32Array.from({ length: 4 }, (_, k) => (k < (wide ? 2 * count : count) ? -1 : 0))));
}

/**
 * Writes the lists of all outputs. Where the second factor is not finite they hold every sample, for 0 · ∞ is not 0.
 *
 * @param from  Addresses of both factors.
 */
export function packLists(
  f: FunctionBody,
  panels: Panels,
  [delta, x]: readonly [delta: Leaf, x: Leaf],
  from: readonly [delta: Code, x: Code],
  to: Code,
  grid: Grid,
  samples: number,
  wide: boolean,
): void {
  f.scope(() => {
    f.store("i32.store", { base: to, offset: panels.emptyList }, integer(0));
    const all = f.let("i32", (g) => g.call(notFinite(f, x, grid.inner, samples, wide), from[1]));
    const [source, target] = [f.variable("i32"), f.variable("i32")];
    f.set(source, from[0]);
    f.set(target, binary("i32.add", to, integer(panels.lists)));
    f.repeat(grid.outer, () => {
      f.call(packList(f, panels, delta, samples, wide), source.get, target.get, all);
      f.advance(source, delta.outer);
      f.advance(target, panels.list);
    });
  });
}

/** A function (factor) that says 1 if anything in it is not finite. */
export function notFinite(f: FunctionBody, leaf: Leaf, width: number, samples: number, wide: boolean): number {
  const lanes = wide ? 2 : 4;
  const floats = wide ? f64x2 : f32x4;
  const name = `not finite ${JSON.stringify([leaf, width, samples])}`;
  return f.module.named(name, ["i32"], ["i32"], (g, source) => {
    const largest = g.variable("v128");
    g.set(largest, floats.constant(0));
    const p = g.variable("i32");
    const step = (count: number) => {
      const { code } = loadLanes(g, leaf.dtype, wide, { base: p.get, offset: 0 }, { stride: leaf.inner, count });
      g.set(largest, floats.max(largest.get, floats.abs(valid(code, count, wide))));
      g.advance(p, lanes * leaf.inner);
    };
    g.repeat(samples, () => {
      g.set(p, source.get);
      g.repeat(Math.floor(width / lanes), () => step(lanes));
      if (width % lanes > 0) step(width % lanes);
      g.advance(source, leaf.sample);
    });
    const finite = floats.lt(largest.get, floats.constant(Infinity));
    unary("i32.eqz", unary(wide ? "i64x2.all_true" : "i32x4.all_true", finite))(g);
  });
}

/** A function (first factor, list, 1 for zeros too) that writes an output's list. */
function packList(f: FunctionBody, panels: Panels, leaf: Leaf, samples: number, wide: boolean): number {
  const floats = wide ? f64x2 : f32x4;
  const name = `pack list ${JSON.stringify([leaf, panels.step, samples, panels.list])}`;
  return f.module.named(name, ["i32", "i32", "i32"], [], (g, source, list, all) => {
    const [places, values, place] = [g.variable("i32"), g.variable("i32"), g.variable("i32")];
    g.set(places, binary("i32.add", list.get, integer(panels.places)));
    g.set(values, binary("i32.add", list.get, integer(panels.delta)));
    g.set(place, integer(0));
    g.repeat(samples, () => {
      g.scope(() => {
        const address = { base: source.get, offset: 0 };
        const value = g.let("v128", loadLanes(g, leaf.dtype, wide, address, { stride: 0, count: 1 }).code);
        // Written in any case; the next one takes the place of what is not kept.
        g.store("i32.store", { base: places.get, offset: 0 }, place.get);
        g.storeLane(wide ? "v128.store64_lane" : "v128.store32_lane", { base: values.get, offset: 0 }, value, 0);
        const kept = g.let(
          "i32",
          binary("i32.or", all.get, unary("v128.any_true", floats.ne(value, floats.constant(0)))),
        );
        const by = (bytes: number) => binary("i32.mul", kept, integer(bytes));
        g.set(places, binary("i32.add", places.get, by(4)));
        g.set(values, binary("i32.add", values.get, by(floats.bytes)));
      });
      g.advance(source, leaf.sample);
      g.advance(place, panels.step);
    });
    g.store("v128.store", { base: values.get, offset: 0 }, constantI32x4(0));
    g.store("v128.store", { base: places.get, offset: 0 }, constantI32x4(0));
    const bytes = binary("i32.sub", places.get, binary("i32.add", list.get, integer(panels.places)));
    g.store("i32.store", { base: list.get, offset: 0 }, binary("i32.div_u", bytes, integer(4)));
  });
}

/** Writes the columns of one tile of the second factor, and the largest magnitude of every sample; pushes 1 unless all are 0. */
export function packTile(
  f: FunctionBody,
  panels: Panels,
  leaf: Leaf,
  from: Code,
  to: Code,
  counts: readonly number[],
  samples: number,
  wide: boolean,
): Code {
  const lanes = wide ? 2 : 4;
  const floats = wide ? f64x2 : f32x4;
  const pack = f.module.named(
    `pack tile ${JSON.stringify([leaf, samples, panels.x, panels.largest, counts])}`,
    ["i32", "i32"],
    ["i32"],
    (g, source, scratch) => {
      const target = g.variable("i32");
      const any = g.variable("v128");
      g.set(any, constantI32x4(0));
      g.set(target, binary("i32.add", scratch.get, integer(panels.x)));
      g.repeat(samples, () => {
        g.scope(() => {
          const columns = counts.map((count, v) => {
            const address = { base: source.get, offset: v * lanes * leaf.inner };
            const { code } = loadLanes(g, leaf.dtype, wide, address, { stride: leaf.inner, count });
            const vector = g.let("v128", valid(code, count, wide));
            g.store("v128.store", { base: target.get, offset: 16 * v }, vector);
            return floats.abs(vector);
          });
          const largest = overLanes(g, floats.max, columns.reduce(floats.max), wide);
          g.store("v128.store", { base: target.get, offset: panels.largest }, largest);
          g.set(any, or(any.get, largest));
        });
        g.advance(source, leaf.sample);
        g.advance(target, panels.step);
      });
      unary("v128.any_true", any.get)(g);
    },
  );
  return (g) => g.call(pack, from, to);
}

/** The lanes of a vector combined, in every lane. */
export function overLanes(f: FunctionBody, combine: (a: Code, b: Code) => Code, vector: Code, wide: boolean): Code {
  let value = f.let("v128", vector);
  for (const lanes of wide
    ? [[2, 3, 0, 1]]
    : [
        [2, 3, 0, 1],
        [1, 0, 3, 2],
      ])
    value = f.let("v128", combine(value, pick32(value, value, lanes)));
  return value;
}
