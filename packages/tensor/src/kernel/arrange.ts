import type { Layout } from "../layout.js";
import type { Storage } from "../storage.js";
import { isWhole } from "./compose.js";
import { isIndex, type Factors, type Kernel, type View } from "./kernel.js";
import { mapViews, viewsOf } from "./views.js";

/** Rows wider than this fill vectors by themselves. */
const widestRow = 16;
const fewestRows = 16;

/** N rows of F elements. */
interface Rows {
  readonly rows: number;
  readonly width: number;
}

/** Kernels whose narrow matrices lie column by column, and the layouts that changed. */
export interface Arranged {
  readonly kernels: readonly Kernel[];
  /** Where the elements of a storage lie that were looked at through `layout`. */
  readonly layoutOf: (storage: Storage, layout: Layout) => Layout;
}

/**
 * Stores narrow matrices that are factors of products, [N, F] with few F, column by column, so that vectors run along the
 * samples: no lane is wasted at F = 2, 3 or 10, weights are read as single numbers, and nothing is transposed. What meets
 * such a matrix element by element lies as it does. The values are the same; sums over samples are added in another order.
 *
 * @param free  Storages that may be laid out anew: nobody outside of the kernels looks at them but through `layoutOf`.
 */
export function arrange(kernels: readonly Kernel[], free: (storage: Storage) => boolean): Arranged {
  const found = narrowMatrices(kernels, free);
  for (const kernel of kernels) {
    const { reads, writes } = viewsOf(kernel);
    const fixed = new Set(kernel.form === "column" ? factorStorages(kernel.factors) : []);
    for (const view of [...reads, ...writes]) {
      const rows = found.get(view.storage);
      if (rows === undefined) continue;
      if (kernel.form === "routine" || fixed.has(view.storage) || columnwise(view, rows) === null)
        found.delete(view.storage);
    }
  }
  const chosen = factorsAndTheirLike(kernels, found);
  const layoutOf = (storage: Storage, layout: Layout): Layout => {
    const rows = chosen.get(storage);
    return rows === undefined ? layout : (columnwise(layout, rows) as Layout);
  };
  const move = (view: View): View => ({ ...view, ...layoutOf(view.storage, view) });
  return { kernels: chosen.size === 0 ? kernels : kernels.map((kernel) => mapViews(kernel, move, move)), layoutOf };
}

/** Storages that some kernel looks at as a whole narrow matrix. */
function narrowMatrices(kernels: readonly Kernel[], free: (storage: Storage) => boolean): Map<Storage, Rows> {
  const found = new Map<Storage, Rows>();
  for (const kernel of kernels) {
    const { reads, writes } = viewsOf(kernel);
    for (const view of [...writes, ...reads]) {
      const { storage } = view;
      if (found.has(storage) || !free(storage) || !isWhole(view)) continue;
      const [rows, width, ...more] = view.shape.filter((extent) => extent !== 1);
      if (rows === undefined || width === undefined || more.length > 0) continue;
      if (width <= widestRow && rows >= fewestRows && rows >= 2 * width) found.set(storage, { rows, width });
    }
  }
  return found;
}

/** A layout over row-major elements as one over the same elements column by column; null where there is none. */
function columnwise({ shape, strides, offset }: Layout, { rows, width }: Rows): Layout | null {
  let row = Math.floor(offset / width);
  let column = offset % width;
  const moved = [column * rows + row];
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = strides[axis] as number;
    const last = (shape[axis] as number) - 1;
    if (last <= 0 || stride === 0) moved.push(0);
    else if (stride % width === 0) {
      row += (stride / width) * last;
      moved.push(stride / width);
    } else if (stride > 0 && stride < width) {
      column += stride * last;
      moved.push(stride * rows);
    } else return null;
  }
  const [from, ...steps] = moved as [number, ...number[]];
  return row < rows && column < width ? { shape, strides: steps, offset: from } : null;
}

function factorStorages(factors: Factors): Storage[] {
  switch (factors.kind) {
    case "dense":
      return [factors.rows.storage];
    case "expanded":
      return [factors.delta.storage, factors.x.storage];
    case "mixed":
      return [factors.weights.storage, ...factorStorages(factors.base)];
    case "summed":
      return factors.parts.flatMap(factorStorages);
  }
}

/** Those that are factors of products, and those that meet them, or each other, element by element. */
function factorsAndTheirLike(kernels: readonly Kernel[], found: ReadonlyMap<Storage, Rows>): Map<Storage, Rows> {
  const chosen = new Map<Storage, Rows>();
  const choose = (storage: Storage): void => {
    const rows = found.get(storage);
    if (rows === undefined || chosen.has(storage)) return;
    chosen.set(storage, rows);
    for (const other of met.get(storage) ?? []) choose(other);
  };
  const met = new Map<Storage, Set<Storage>>();
  const factors: Storage[] = [];
  for (const kernel of kernels) {
    if (kernel.form !== "map" && kernel.form !== "reduce" && kernel.form !== "contract") continue;
    if (kernel.form === "contract") factors.push(kernel.a.storage, kernel.b.storage);
    const views = [kernel.out, ...kernel.operands].flatMap((operand) => (isIndex(operand) ? [] : [operand.storage]));
    const like = views.filter((storage) => found.has(storage));
    for (const storage of like) {
      const others = met.get(storage) ?? new Set();
      for (const other of like) {
        const [a, b] = [found.get(storage), found.get(other)] as [Rows, Rows];
        if (a.rows === b.rows && a.width === b.width) others.add(other);
      }
      met.set(storage, others);
    }
  }
  factors.forEach(choose);
  return chosen;
}
