import {
  binary,
  integer,
  shifted,
  ternary,
  type Address,
  type Code,
  type FunctionBody,
  type Variable,
} from "./assembler.js";
import { printFormula, type Constants, type FormulaSettings, type Lane } from "./formula.js";
import { and, f32x4, f64x2, joinHalves, pick32, upperHalf, vectorOf, type FloatLanes } from "./lanes.js";
import { Cursors, nest, type Start } from "./loops.js";
import { settingsOf } from "./operands.js";
import { Part } from "./part.js";
import type { Instruction } from "./opcodes.js";
import { loadLanes, storeLanes } from "./transfer.js";
import { bytesPerElement, type DType } from "../../dtype.js";
import type { ContractKernel, ReduceKernel, View } from "../../kernel/kernel.js";
import { normalize, type Normalized } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";

const packed = new Part("large products", () => import("./packed.js"));

/** Bytes between neighbours of an operand along the four axes of a product. */
export interface Strides {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * out[b, m, n] = epilogue(Σₖ left[b, m, k] · right[b, k, n], operands). Lanes run along n, or along k under "dot".
 * Where the operands have exchanged places, m and n have too; nothing is ever transposed.
 */
export interface ContractPlan {
  readonly dtype: "float32" | "float64";
  readonly extents: { readonly batch: number; readonly m: number; readonly n: number; readonly k: number };
  readonly out: Strides;
  readonly left: Strides;
  readonly right: Strides;
  readonly operands: readonly { readonly dtype: DType; readonly strides: Strides }[];
  /** True when the kernel's second operand is `left`. */
  readonly swapped: boolean;
  /** True where squared differences are added up, not products; under the `packed` schedule only. */
  readonly squares?: boolean;
  /** Where out[m, n] = out[n, m]: the number of the plan's first row; what is left of the diagonal is copied. */
  readonly symmetricFrom?: number;
  readonly epilogue: Normalized | null;
  readonly settings: FormulaSettings;
  /** `packed` copies panels into scratch memory; `direct` and `dot` read the operands where they are. */
  readonly schedule: "packed" | "direct" | "dot";
  /** Bytes of scratch memory. */
  readonly scratch: number;
}

/** Terms that are added up before they join the total: errors grow with this and with K over this, not with K. */
export const depth = 256;
/** Rows of a tile; columns are two vectors. */
export const tileRows = 4;
export const blockRows = 128;
export const blockColumns = 1024;
/** Terms from which it pays to pack panels. */
const leastPacked = 32 ** 3;

export function planContract({ out, a, b, epilogue, operands }: ContractKernel, relaxed: boolean): ContractPlan {
  const size = bytesPerElement(out.dtype);
  const placed = (view: View): Strides => {
    const [batch, m, n] = view.strides as [number, number, number];
    const bytes = bytesPerElement(view.dtype);
    return { batch: batch * bytes, m: m * bytes, n: n * bytes, k: 0 };
  };
  const [batch, rows, columns] = out.shape as [number, number, number];
  const k = a.shape[2] as number;
  const [a0, a1, a2] = a.strides as [number, number, number];
  const [b0, b1, b2] = b.strides as [number, number, number];
  const first: Strides = { batch: a0 * size, m: a1 * size, n: 0, k: a2 * size };
  const second: Strides = { batch: b0 * size, m: 0, n: b2 * size, k: b1 * size };
  const normal = epilogue && normalize(epilogue);
  const settings = settingsOf(
    out.dtype,
    [out.dtype, ...operands.map(({ dtype }) => dtype)],
    normal === null ? [] : [normal],
    relaxed,
  );
  const lanes = settings.wide ? 2 : 4;

  // Lanes along n unless only the other side has neighbours there, or n is too short to fill them.
  const fill = (extent: number) => extent / (Math.ceil(extent / lanes) * lanes);
  const along = (near: boolean, stored: boolean, extent: number) =>
    fill(extent) * (2 + (near ? 2 : 0) + (stored ? 1 : 0));
  const written = placed(out);
  const dots = first.k === size && second.k === size;
  const forwards = along(second.n === size, written.n === size, columns);
  const backwards = along(first.m === size, written.m === size, rows);
  const large = rows >= 8 && columns >= 8 && k >= 8 && rows * columns * k >= leastPacked;
  const swapped = large ? written.n !== size && written.m === size : backwards > forwards;
  const turn = (s: Strides): Strides => (swapped ? { ...s, m: s.n, n: s.m } : s);
  const near = swapped ? first.m === size : second.n === size;
  const schedule = large ? "packed" : dots && !near && k >= lanes ? "dot" : "direct";
  const extents = { batch, m: swapped ? columns : rows, n: swapped ? rows : columns, k };
  const width = 2 * lanes;
  const panel = (extent: number, block: number, step: number) => Math.ceil(Math.min(extent, block) / step) * step;
  const scratch =
    schedule === "packed"
      ? Math.min(k, depth) * size * (panel(extents.m, blockRows, tileRows) + panel(extents.n, blockColumns, width)) + 16
      : 0;
  return {
    dtype: out.dtype as ContractPlan["dtype"],
    extents,
    out: turn(written),
    left: turn(swapped ? second : first),
    right: turn(swapped ? first : second),
    operands: operands.map((view) => ({ dtype: view.dtype, strides: turn(placed(view)) })),
    swapped,
    epilogue: normal,
    settings,
    schedule,
    scratch,
  };
}

/** Plans sums of squares over all pairs of rows as a large product; null for other reductions and for small ones. */
export function planSquares(kernel: ReduceKernel, relaxed: boolean): ContractPlan | null {
  const { shape, operands } = kernel;
  const may = operands.length === 2 && shape.length === 3 && sizeOf(shape) >= leastPacked;
  return may ? packed.module.planSquares(kernel, relaxed) : null;
}

/**
 * Prints a matrix product into a function.
 *
 * @param starts   What is written, then the kernel's operands in the kernel's order.
 * @param scratch  Memory of {@link ContractPlan.scratch} bytes, 16-byte aligned.
 */
export function emitContract(
  f: FunctionBody,
  plan: ContractPlan,
  starts: readonly Start[],
  scratch: Start,
  constants: Constants,
): void {
  const { extents, swapped } = plan;
  if (extents.batch * extents.m * extents.n === 0) return;
  f.scope(() => {
    const [out, a, b, ...operands] = starts as readonly [Start, Start, Start, ...Start[]];
    const all = swapped ? [out, b, a, ...operands] : starts;
    const strides = [plan.out, plan.left, plan.right, ...plan.operands.map((operand) => operand.strides)];
    const batch = { extent: extents.batch, strides: strides.map((s) => s.batch) };
    const cursors = new Cursors(f, all, [batch]);
    nest(f, cursors, [batch], () => {
      const places = all.map((_, k) => cursors.address(k));
      if (plan.schedule === "packed") packed.module.emitPacked(f, plan, places, scratch, constants);
      else emitTiles(f, plan, places, constants);
    });
  });
}

export const floatsOf = ({ settings }: ContractPlan): FloatLanes => (settings.wide ? f64x2 : f32x4);

/** total ← total + a · b */
export function multiplyAdd(f: FunctionBody, plan: ContractPlan, total: Variable, a: Code, b: Code): void {
  const floats = floatsOf(plan);
  if (plan.settings.relaxed) f.set(total, ternary(`${floats.shape}.relaxed_madd` as Instruction, a, b, total.get));
  else f.set(total, floats.add(total.get, floats.mul(a, b)));
}

/** Applies the epilogue to `count` neighbouring sums and stores them. Places: out, then operands. */
export function finish(
  f: FunctionBody,
  plan: ContractPlan,
  out: Address,
  operands: readonly Address[],
  sums: Code,
  count: number,
  constants: Constants,
  along: "m" | "n" = "n",
): void {
  const { settings, epilogue, dtype } = plan;
  let value: Lane = { type: settings.wide ? "f64" : "f32", code: sums };
  if (epilogue !== null) {
    const total: Lane = { type: value.type, code: f.let("v128", sums) };
    const load = (k: number): Lane => {
      if (k === 0) return total;
      const { dtype: kind, strides } = plan.operands[k - 1] as ContractPlan["operands"][number];
      return loadLanes(f, kind, settings.wide, operands[k - 1] as Address, { stride: strides[along], count });
    };
    value = printFormula(f, epilogue, load, constants, settings);
  }
  storeLanes(f, dtype, settings.wide, out, value, { stride: plan.out[along], count });
}

/** The parts a loop over tiles has: whole tiles first, then what is left. */
export function parts(extent: number, tile: number): { readonly size: number; readonly times: number }[] {
  const whole = Math.floor(extent / tile);
  const left = extent - whole * tile;
  return [...(whole > 0 ? [{ size: tile, times: whole }] : []), ...(left > 0 ? [{ size: left, times: 1 }] : [])];
}

/** Walks tiles of rows and columns over operands in place. Places: out, left, right, operands. */
function emitTiles(f: FunctionBody, plan: ContractPlan, places: readonly Address[], constants: Constants): void {
  const { extents } = plan;
  const lanes = plan.settings.wide ? 2 : 4;
  const dot = plan.schedule === "dot";
  const [tall, broad] = dot ? [2, lanes] : extents.n <= lanes ? [4, lanes] : [4, 2 * lanes];
  const strides = [plan.out, plan.left, plan.right, ...plan.operands.map((operand) => operand.strides)];
  const pointers = places.map(({ base, offset }) => {
    const variable = f.variable("i32");
    f.set(variable, base === null ? integer(offset) : offset === 0 ? base : binary("i32.add", base, integer(offset)));
    return variable;
  });
  const move = (axis: "m" | "n", by: number) => {
    pointers.forEach((pointer, k) => f.advance(pointer, by * (strides[k] as Strides)[axis]));
  };
  const at = (k: number): Address => ({ base: (pointers[k] as Variable).get, offset: 0 });
  for (const rows of parts(extents.m, tall)) {
    f.repeat(rows.times, () => {
      for (const columns of parts(extents.n, broad)) {
        f.repeat(columns.times, () => {
          f.scope(() => {
            if (dot) dotTile(f, plan, at, rows.size, columns.size, constants);
            else directTile(f, plan, at, rows.size, columns.size, constants);
          });
          move("n", columns.size);
        });
      }
      move("n", -extents.n);
      move("m", rows.size);
    });
  }
}

/** A loop over k in blocks of {@link depth}: `step` adds to the totals it is given. */
function overDepth(
  f: FunctionBody,
  plan: ContractPlan,
  length: number,
  block: number,
  count: number,
  step: (totals: readonly Variable[]) => void,
  tail: ((totals: readonly Variable[]) => void) | null,
): readonly Variable[] {
  const floats = floatsOf(plan);
  const make = () => Array.from({ length: count }, () => f.variable("v128"));
  const reset = (totals: readonly Variable[]) => {
    for (const total of totals) f.set(total, floats.constant(0));
  };
  const totals = make();
  reset(totals);
  const blocks = length > block ? Math.floor(length / block) : 0;
  if (blocks > 0) {
    const partial = make();
    f.repeat(blocks, () => {
      reset(partial);
      f.repeat(block, () => step(partial));
      partial.forEach((part, i) => f.set(totals[i] as Variable, floats.add((totals[i] as Variable).get, part.get)));
    });
    if (length > blocks * block || tail !== null) {
      reset(partial);
      f.repeat(length - blocks * block, () => step(partial));
      tail?.(partial);
      partial.forEach((part, i) => f.set(totals[i] as Variable, floats.add((totals[i] as Variable).get, part.get)));
    }
  } else {
    f.repeat(length, () => step(totals));
    tail?.(totals);
  }
  return totals;
}

export function copyOf(f: FunctionBody, { base, offset }: Address): Variable {
  const variable = f.variable("i32");
  f.set(variable, base === null ? integer(offset) : offset === 0 ? base : binary("i32.add", base, integer(offset)));
  return variable;
}

/** rows × columns outputs with lanes along n: each element of `left` meets whole vectors of `right`. */
function directTile(
  f: FunctionBody,
  plan: ContractPlan,
  at: (k: number) => Address,
  rows: number,
  columns: number,
  constants: Constants,
): void {
  const lanes = plan.settings.wide ? 2 : 4;
  const size = bytesPerElement(plan.dtype);
  const counts = parts(columns, lanes).flatMap(({ size: count, times }) => Array.from({ length: times }, () => count));
  const p = copyOf(f, at(1));
  const q = copyOf(f, at(2));
  const totals = overDepth(
    f,
    plan,
    plan.extents.k,
    depth,
    rows * counts.length,
    (sums) => {
      f.scope(() => {
        const vectors = counts.map((count, c) => {
          const address = { base: q.get, offset: c * lanes * plan.right.n };
          const lane = loadLanes(f, plan.dtype, plan.settings.wide, address, { stride: plan.right.n, count });
          return f.let("v128", lane.code);
        });
        for (let r = 0; r < rows; r++) {
          const splat: Code = (g) =>
            g.load(size === 8 ? "v128.load64_splat" : "v128.load32_splat", { base: p.get, offset: r * plan.left.m });
          const value = vectors.length > 1 ? f.let("v128", splat) : splat;
          vectors.forEach((vector, c) => multiplyAdd(f, plan, sums[r * counts.length + c] as Variable, value, vector));
        }
      });
      f.advance(p, plan.left.k);
      f.advance(q, plan.right.k);
    },
    null,
  );
  const shift = (k: number, r: number, c: number, strides: Strides) =>
    shifted(at(k), r * strides.m + c * lanes * strides.n);
  for (let r = 0; r < rows; r++) {
    counts.forEach((count, c) => {
      const others = plan.operands.map(({ strides }, k) => shift(k + 3, r, c, strides));
      finish(
        f,
        plan,
        shift(0, r, c, plan.out),
        others,
        (totals[r * counts.length + c] as Variable).get,
        count,
        constants,
      );
    });
  }
}

/** rows × columns outputs with lanes along k, summed by shuffles at the end. */
function dotTile(
  f: FunctionBody,
  plan: ContractPlan,
  at: (k: number) => Address,
  rows: number,
  columns: number,
  constants: Constants,
): void {
  const { dtype, extents } = plan;
  const floats = floatsOf(plan);
  const lanes = floats.count;
  const size = bytesPerElement(dtype);
  const p = copyOf(f, at(1));
  const q = copyOf(f, at(2));
  const step = (count: number) => (sums: readonly Variable[]) => {
    f.scope(() => {
      const vector = (pointer: Variable, offset: number) =>
        f.let("v128", (g) => g.load("v128.load", { base: pointer.get, offset }));
      const right = Array.from({ length: columns }, (_, c) => vector(q, c * plan.right.n));
      for (let r = 0; r < rows; r++) {
        const left = vector(p, r * plan.left.m);
        right.forEach((other, c) => {
          const sum = sums[r * columns + c] as Variable;
          if (count === lanes) multiplyAdd(f, plan, sum, left, other);
          else {
            const words = Int32Array.from({ length: 4 }, (_, k) => (k < (count * 4) / lanes ? -1 : 0));
            f.set(sum, floats.add(sum.get, and(floats.mul(left, other), vectorOf(words))));
          }
        });
      }
    });
    for (const pointer of [p, q]) f.advance(pointer, lanes * size);
  };
  const whole = Math.floor(extents.k / lanes);
  const left = extents.k - whole * lanes;
  const totals = overDepth(f, plan, whole, depth, rows * columns, step(lanes), left > 0 ? step(left) : null);
  for (let r = 0; r < rows; r++) {
    const sums = Array.from({ length: columns }, (_, c) => (totals[r * columns + c] as Variable).get);
    const others = plan.operands.map(({ strides }, k) => shifted(at(k + 3), r * strides.m));
    finish(f, plan, shifted(at(0), r * plan.out.m), others, horizontalSums(f, floats, sums), columns, constants);
  }
}

/** The sum over the lanes of vector c in lane c. */
function horizontalSums(f: FunctionBody, floats: FloatLanes, vectors: readonly Code[]): Code {
  const zero = floats.constant(0);
  if (floats.count === 2) {
    const [a, b = zero] = vectors as [Code, Code | undefined];
    const low = pick32(a, b, [0, 1, 4, 5]);
    return floats.add(low, pick32(a, b, [2, 3, 6, 7]));
  }
  const pair = (a: Code, b: Code) => f.let("v128", floats.add(pick32(a, b, [0, 4, 1, 5]), pick32(a, b, [2, 6, 3, 7])));
  const [a, b = zero, c = zero, d = zero] = vectors as [Code, Code?, Code?, Code?];
  // pair gives a₀₂ b₀₂ a₁₃ b₁₃: sums of alternate lanes.
  const left = pair(a, b);
  const right = vectors.length > 2 ? pair(c, d) : zero;
  const low = joinHalves(left, right);
  return floats.add(low, joinHalves(upperHalf(left), upperHalf(right)));
}
