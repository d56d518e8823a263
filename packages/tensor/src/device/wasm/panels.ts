import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import type { Grid, Leaf, Source } from "./column-source.js";
import { and, f32x4, f64x2, vectorOf } from "./lanes.js";
import { loadLanes } from "./transfer.js";

/**
 * Copies of the factors of an outer product in the order in which tiles read them: the first factor transposed once,
 * so that the samples of one output follow each other, and of the second the columns of the present tile, with the
 * largest magnitude in every row.
 */
export interface Panels {
  /** Bytes of one row of the transposed first factor, padded to whole vectors of zeros. */
  readonly row: number;
  /** Offsets in scratch memory. */
  readonly delta: number;
  readonly x: number;
  readonly largest: number;
  readonly bytes: number;
  /** The leaves as tiles see them. */
  readonly leaves: readonly Leaf[];
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
  const row = Math.ceil(samples / lanes) * 16;
  const x = row * grid.outer;
  const largest = x + samples * vectors * 16;
  const [delta, second] = [leaves[source.delta] as Leaf, leaves[source.x] as Leaf];
  const seen = [...leaves];
  seen[source.delta] = { ...delta, outer: row, inner: 0, sample: size };
  seen[source.x] = { ...second, outer: 0, inner: size, sample: vectors * 16 };
  return { row, delta: 0, x, largest, bytes: largest + row, leaves: seen };
}

/** Writes the first factor, output by output. */
export function packDelta(
  f: FunctionBody,
  panels: Panels,
  leaf: Leaf,
  from: Code,
  to: Code,
  outputs: number,
  samples: number,
  wide: boolean,
): void {
  const lanes = wide ? 2 : 4;
  const pack = f.module.named(
    `pack outputs ${JSON.stringify(leaf)} ${samples} ${panels.row}`,
    ["i32", "i32"],
    [],
    (g, source, target) => {
      const step = (count: number) => {
        const { code } = loadLanes(
          g,
          leaf.dtype,
          wide,
          { base: source.get, offset: 0 },
          { stride: leaf.sample, count },
        );
        g.store("v128.store", { base: target.get, offset: 0 }, valid(code, count, wide));
        g.advance(source, lanes * leaf.sample);
        g.advance(target, 16);
      };
      g.repeat(Math.floor(samples / lanes), () => step(lanes));
      if (samples % lanes > 0) step(samples % lanes);
    },
  );
  f.scope(() => {
    const [source, target] = [f.variable("i32"), f.variable("i32")];
    f.set(source, from);
    f.set(target, binary("i32.add", to, integer(panels.delta)));
    f.repeat(outputs, () => {
      f.call(pack, source.get, target.get);
      f.advance(source, leaf.outer);
      f.advance(target, panels.row);
    });
  });
}

/** The first `count` lanes, zeros behind. */
function valid(value: Code, count: number, wide: boolean): Code {
  if (count === (wide ? 2 : 4)) return value;
  return and(value, vectorOf(Int32Array.from({ length: 4 }, (_, k) => (k < (wide ? 2 * count : count) ? -1 : 0))));
}

/** Writes the columns of one tile of the second factor, and the largest magnitude of each row. */
export function packTile(
  f: FunctionBody,
  panels: Panels,
  leaf: Leaf,
  from: Code,
  to: Code,
  counts: readonly number[],
  vectors: number,
  samples: number,
  wide: boolean,
): void {
  const lanes = wide ? 2 : 4;
  const floats = wide ? f64x2 : f32x4;
  const name = wide ? "f64" : "f32";
  const pack = f.module.named(
    `pack tile ${JSON.stringify([leaf, samples, panels.x, panels.largest, counts])}`,
    ["i32", "i32"],
    [],
    (g, source, scratch) => {
      const target = g.variable("i32");
      const largest = g.variable("i32");
      g.set(target, binary("i32.add", scratch.get, integer(panels.x)));
      g.set(largest, binary("i32.add", scratch.get, integer(panels.largest)));
      g.repeat(samples, () => {
        g.scope(() => {
          const loaded = counts.map((count, v) => {
            const address = { base: source.get, offset: v * lanes * leaf.inner };
            const { code } = loadLanes(g, leaf.dtype, wide, address, { stride: leaf.inner, count });
            return g.let("v128", valid(code, count, wide));
          });
          loaded.forEach((vector, v) => g.store("v128.store", { base: target.get, offset: 16 * v }, vector));
          const most = g.let(
            "v128",
            loaded.map((vector) => floats.abs(vector)).reduce((a, b) => floats.max(a, b)),
          );
          const lane =
            (k: number): Code =>
            (h) => {
              most(h);
              h.lane(wide ? "f64x2.extract_lane" : "f32x4.extract_lane", k);
            };
          const total = Array.from({ length: lanes }, (_, k) => lane(k)).reduce((a, b) => binary(`${name}.max`, a, b));
          g.store(`${name}.store`, { base: largest.get, offset: 0 }, total);
        });
        g.advance(source, leaf.sample);
        g.advance(target, 16 * vectors);
        g.advance(largest, wide ? 8 : 4);
      });
      // Rows that pad the last vector bound nothing.
      for (let k = samples; k % lanes !== 0; k++) {
        g.store(
          `${name}.store`,
          { base: largest.get, offset: 0 },
          floats.count === 2
            ? (h) => h.f64(0)
            : (h) => {
                h.f64(0);
                h.emit("f32.demote_f64");
              },
        );
        g.advance(largest, wide ? 8 : 4);
      }
    },
  );
  f.call(pack, from, to);
}
