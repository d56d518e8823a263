import { binary, integer, type FunctionBody } from "./assembler.js";
import { cell, rowBytes, type Rows } from "./rows.js";
import { i32x4, i64x2 } from "./whole-lanes.js";

/**
 * Sorts the whole numbers of every column in place by merge exchange: a fixed network, so that all lanes do the same.
 *
 * @see  D. Knuth, The Art of Computer Programming, vol. 3, algorithm 5.2.2M (Batcher).
 */
export function sortRows(f: FunctionBody, rows: Rows & { readonly length: number }): void {
  const { length, wide, vectors } = rows;
  const bytes = rowBytes(rows);
  const exchange = f.module.named(
    `exchange ${vectors} ${wide}`,
    ["i32", "i32", "i32"],
    [],
    (g, row, distance, count) => {
      g.loop(() => {
        g.scope(() => {
          const other = g.let("i32", binary("i32.add", row.get, distance.get));
          for (let v = 0; v < vectors; v++) {
            const a = g.let("v128", cell(row.get, v));
            const b = g.let("v128", cell(other, v));
            const lanes = wide ? i64x2 : i32x4;
            const [small, large] = [lanes.min(a, b), lanes.max(a, b)];
            g.store("v128.store", { base: row.get, offset: 16 * v }, small);
            g.store("v128.store", { base: other, offset: 16 * v }, large);
          }
        });
        g.advance(row, bytes);
        g.set(count, binary("i32.sub", count.get, integer(1)));
        g.branchIf(0, count.get);
      });
    },
  );
  /** Exchanges rows i and i + distance for i from … with the bit `period` equal to that of `first`. */
  const stage = (first: number, distance: number, period: number) => {
    const last = length - distance;
    const blocks = Math.max(0, Math.floor((last - first + period) / (2 * period)));
    f.scope(() => {
      const row = f.variable("i32");
      f.set(row, binary("i32.add", rows.address, integer(first * bytes)));
      f.repeat(blocks, () => {
        f.call(exchange, row.get, integer(distance * bytes), integer(period));
        f.advance(row, 2 * period * bytes);
      });
      const left = last - (first + blocks * 2 * period);
      if (left > 0) f.call(exchange, row.get, integer(distance * bytes), integer(Math.min(left, period)));
    });
  };
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(length)) - 1);
  for (let p = top; p >= 1 && length > 1; p /= 2) {
    let first = 0;
    let distance = p;
    for (let q = top; ; q /= 2) {
      if (length - distance > first) stage(first, distance, p);
      if (q === p) break;
      distance = q - p;
      first = p;
    }
  }
}
