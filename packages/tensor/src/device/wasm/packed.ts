import {
  binary,
  integer,
  shifted,
  ternary,
  unary,
  type Address,
  type Code,
  type FunctionBody,
  type Variable,
} from "./assembler.js";
import {
  blockColumns,
  blockRows,
  copyOf,
  depth,
  finish,
  floatsOf,
  multiplyAdd,
  parts,
  planContract,
  tileRows,
  type ContractPlan,
  type Strides,
} from "./contract.js";
import { asNumbers, type Constants } from "./formula.js";
import { loadLanes } from "./transfer.js";
import { bytesPerElement } from "../../dtype.js";
import type { ReduceKernel } from "../../kernel/kernel.js";
import { pairwiseSquares } from "../../kernel/pairwise-squares.js";

/** Plans sums of squares over all pairs of rows; null for other reductions, and where packing does not pay. */
export function planSquares(kernel: ReduceKernel, relaxed: boolean): ContractPlan | null {
  const squares = pairwiseSquares(kernel);
  if (squares === null) return null;
  const plan = planContract(squares.product, relaxed);
  if (plan.schedule !== "packed") return null;
  return { ...plan, squares: true, ...(squares.symmetric ? { symmetricFrom: 0 } : {}) };
}

/** Tells the functions of one product from those of another in the same module. */
function signature({
  dtype,
  extents,
  out,
  left,
  right,
  operands,
  squares,
  symmetricFrom,
  ...plan
}: ContractPlan): string {
  const { epilogue, settings } = plan;
  return JSON.stringify([dtype, extents, out, left, right, operands, squares, symmetricFrom, epilogue?.key, settings]);
}

/**
 * Panels of both operands are copied into scratch memory, so that the innermost loop reads neighbours: four rows of
 * `left`, two vectors of `right`. Blocks keep a panel of `right` in the first cache and a block of `left` in the second.
 * Of a symmetric matrix only tiles that reach the diagonal or lie right of it are computed.
 * Places: out, left, right, operands.
 */
export function emitPacked(
  f: FunctionBody,
  plan: ContractPlan,
  places: readonly Address[],
  scratch: Address,
  constants: Constants,
): void {
  const { extents, settings, symmetricFrom } = plan;
  const lanes = settings.wide ? 2 : 4;
  const size = bytesPerElement(plan.dtype);
  const width = 2 * lanes;
  const packedLeft = scratch;
  const rowsHeld = Math.ceil(Math.min(extents.m, blockRows) / tileRows) * tileRows;
  const packedRight = shifted(scratch, Math.ceil((Math.min(extents.k, depth) * rowsHeld * size) / 16) * 16);
  const push = ({ base, offset }: Address): Code =>
    base === null ? integer(offset) : offset === 0 ? base : binary("i32.add", base, integer(offset));
  const steps = (extent: number, block: number) =>
    parts(extent, block).flatMap(({ size: count, times }) => Array.from({ length: times }, () => count));
  const constantsUsed = plan.epilogue !== null;
  let column = 0;
  for (const columns of steps(extents.n, blockColumns)) {
    // Rows that begin right of the last column are copied.
    const height = symmetricFrom === undefined ? extents.m : Math.min(extents.m, column + columns - symmetricFrom);
    if (height <= 0) {
      column += columns;
      continue;
    }
    let from = 0;
    for (const deep of steps(extents.k, depth)) {
      const first = from === 0;
      const last = constantsUsed && from + deep === extents.k;
      const packRight = packing(f, plan, "right", width);
      f.call(
        packRight,
        push(shifted(places[2] as Address, column * plan.right.n + from * plan.right.k)),
        push(packedRight),
        integer(deep),
        integer(Math.floor(columns / width)),
        integer(columns % width === 0 ? 0 : 1),
      );
      let row = 0;
      for (const rows of steps(height, blockRows)) {
        f.call(
          packing(f, plan, "left", tileRows),
          push(shifted(places[1] as Address, row * plan.left.m + from * plan.left.k)),
          push(packedLeft),
          integer(deep),
          integer(Math.floor(rows / tileRows)),
          integer(rows % tileRows === 0 ? 0 : 1),
        );
        const edges = { rows: rows % tileRows, columns: columns % width, first, last };
        const written = [places[0] as Address, ...places.slice(3)];
        const strides = [plan.out, ...plan.operands.map((operand) => operand.strides)];
        f.call(
          panels(f, plan, edges, constants),
          push(packedLeft),
          push(packedRight),
          integer(deep),
          integer(Math.floor(rows / tileRows)),
          integer(Math.floor(columns / width)),
          ...(symmetricFrom === undefined ? [] : [integer((column - symmetricFrom - row + width) / tileRows)]),
          ...written.map((place, k) =>
            push(shifted(place, row * (strides[k] as Strides).m + column * (strides[k] as Strides).n)),
          ),
          ...epilogueConstants(plan, constants),
        );
        row += rows;
      }
      from += deep;
    }
    column += columns;
  }
  if (symmetricFrom !== undefined) copyAcross(f, plan, places[0] as Address, symmetricFrom);
}

/** out[n, m] ← out[m, n] for the plan's rows m and all n > m. */
function copyAcross(f: FunctionBody, { dtype, extents, out }: ContractPlan, place: Address, from: number): void {
  const [load, store] =
    dtype === "float64" ? (["f64.load", "f64.store"] as const) : (["f32.load", "f32.store"] as const);
  f.scope(() => {
    const diagonal = copyOf(f, shifted(place, from * out.n));
    const left = f.variable("i32");
    f.set(left, integer(extents.n - from));
    f.repeat(extents.m, () => {
      f.scope(() => {
        f.advance(left, -1);
        const p = copyOf(f, { base: diagonal.get, offset: 0 });
        const q = copyOf(f, { base: diagonal.get, offset: 0 });
        f.repeatTimes(left.get, () => {
          f.advance(p, out.n);
          f.advance(q, out.m);
          f.store(store, { base: q.get, offset: 0 }, (g) => g.load(load, { base: p.get, offset: 0 }));
        });
      });
      f.advance(diagonal, out.m + out.n);
    });
  });
}

/** Constants of an epilogue travel to the tiles as vectors. */
function epilogueConstants(plan: ContractPlan, constants: Constants): Code[] {
  const type = plan.settings.wide ? "f64" : "f32";
  return plan.epilogue === null ? [] : plan.epilogue.constants.map((_, slot) => constants(slot, type));
}

/** A function (source, target, deep, whole panels, 1 if a partial one follows) that copies panels of rows or columns. */
function packing(f: FunctionBody, plan: ContractPlan, side: "left" | "right", width: number): number {
  const { settings, extents, dtype } = plan;
  const lanes = settings.wide ? 2 : 4;
  const size = bytesPerElement(dtype);
  const along = side === "left" ? plan.left.m : plan.right.n;
  const step = side === "left" ? plan.left.k : plan.right.k;
  const edge = (side === "left" ? extents.m : extents.n) % width;
  return f.module.named(
    `pack ${side} ${signature(plan)}`,
    ["i32", "i32", "i32", "i32", "i32"],
    [],
    (g, source, target, deep, whole, partial) => {
      const panel = (count: number) => {
        g.scope(() => {
          const p = copyOf(g, { base: source.get, offset: 0 });
          const left = copyOf(g, { base: deep.get, offset: 0 });
          g.loop(() => {
            g.scope(() => {
              for (let c = 0; c * lanes < width; c++) {
                const wanted = Math.min(lanes, count - c * lanes);
                // Lanes nobody stores may hold anything.
                const address = { base: p.get, offset: wanted > 0 ? c * lanes * along : 0 };
                const { code } = loadLanes(g, dtype, settings.wide, address, {
                  stride: along,
                  count: Math.max(1, wanted),
                });
                g.store("v128.store", { base: target.get, offset: c * lanes * size }, code);
              }
            });
            g.advance(p, step);
            g.advance(target, width * size);
            g.set(left, binary("i32.sub", left.get, integer(1)));
            g.branchIf(0, left.get);
          });
          g.advance(source, count * along);
        });
      };
      whileCounting(g, whole, () => panel(width));
      if (edge > 0) g.if(partial.get, () => panel(edge));
    },
  );
}

/** Repeats while a count lasts; the count is used up. */
function whileCounting(f: FunctionBody, count: Variable, body: () => void): void {
  f.block(() => {
    f.branchIf(0, unary("i32.eqz", count.get));
    f.loop(() => {
      body();
      f.set(count, binary("i32.sub", count.get, integer(1)));
      f.branchIf(0, count.get);
    });
  });
}

interface Edges {
  /** Rows and columns beyond the whole tiles. */
  readonly rows: number;
  readonly columns: number;
  /** The first block of k starts the sums, the last applies the epilogue. */
  readonly first: boolean;
  readonly last: boolean;
}

/**
 * A function (left, right, deep, whole tiles down, whole tiles across, out, operands…, constants…) over packed panels. For
 * a symmetric matrix, behind the tiles across: how many tiles down reach the diagonal, or lie right of it, in the first
 * column of tiles, which may be more than there are, or fewer than 0.
 */
function panels(f: FunctionBody, plan: ContractPlan, edges: Edges, constants: Constants): number {
  const { settings } = plan;
  const lanes = settings.wide ? 2 : 4;
  const width = 2 * lanes;
  const size = bytesPerElement(plan.dtype);
  const strides = [plan.out, ...plan.operands.map((operand) => operand.strides)];
  const extra = epilogueConstants(plan, constants).length;
  const symmetric = plan.symmetricFrom !== undefined;
  const types = [
    ...Array.from({ length: 5 + Number(symmetric) + strides.length }, () => "i32" as const),
    ...Array.from({ length: extra }, () => "v128" as const),
  ];
  const name = `panels ${edges.rows} ${edges.columns} ${edges.first} ${edges.last} ${signature(plan)}`;
  return f.module.named(name, types, [], (g, left, right, deep, down, across, ...others) => {
    const reach = symmetric ? (others[0] as Variable) : null;
    const rest = symmetric ? others.slice(1) : others;
    const written = rest.slice(0, strides.length);
    const held = rest.slice(strides.length).map((variable) => variable.get);
    /** Tiles of a column from the top. */
    const wanted: Code =
      reach === null
        ? down.get
        : ternary(
            "select",
            ternary("select", reach.get, integer(0), binary("i32.gt_s", reach.get, integer(0))),
            down.get,
            binary("i32.lt_s", reach.get, down.get),
          );
    const column = (columns: number) => {
      g.scope(() => {
        const p = copyOf(g, { base: left.get, offset: 0 });
        const places = written.map((variable) => copyOf(g, { base: variable.get, offset: 0 }));
        const tile = (rows: number) => {
          g.call(
            tileFunction(g, plan, rows, columns, edges.first, edges.last),
            p.get,
            right.get,
            deep.get,
            ...places.map((place) => place.get),
            ...held,
          );
        };
        const remaining = copyOf(g, { base: wanted, offset: 0 });
        whileCounting(g, remaining, () => {
          tile(tileRows);
          g.set(p, binary("i32.add", p.get, binary("i32.mul", deep.get, integer(tileRows * size))));
          places.forEach((place, k) => g.advance(place, tileRows * (strides[k] as Strides).m));
        });
        if (edges.rows > 0) {
          if (reach === null) tile(edges.rows);
          else g.if(binary("i32.gt_s", reach.get, down.get), () => tile(edges.rows));
        }
      });
      if (reach !== null) g.advance(reach, width / tileRows);
    };
    whileCounting(g, across, () => {
      column(width);
      g.set(right, binary("i32.add", right.get, binary("i32.mul", deep.get, integer(width * size))));
      written.forEach((place, k) => g.advance(place, width * (strides[k] as Strides).n));
    });
    if (edges.columns > 0) column(edges.columns);
  });
}

/** total ← total + a · b, or (a − b)² */
function addTerm(f: FunctionBody, plan: ContractPlan, total: Variable, a: Code, b: Code): void {
  if (plan.squares !== true) {
    multiplyAdd(f, plan, total, a, b);
    return;
  }
  const floats = floatsOf(plan);
  f.scope(() => {
    const difference = f.let("v128", floats.sub(a, b));
    multiplyAdd(f, plan, total, difference, difference);
  });
}

/** A function (left, right, deep, out, operands…, constants…): one tile of sums over packed panels. */
function tileFunction(
  f: FunctionBody,
  plan: ContractPlan,
  rows: number,
  columns: number,
  first: boolean,
  last: boolean,
): number {
  const { settings, dtype } = plan;
  const floats = floatsOf(plan);
  const lanes = floats.count;
  const size = floats.bytes;
  const strides = [plan.out, ...plan.operands.map((operand) => operand.strides)];
  const extra = plan.epilogue?.constants.length ?? 0;
  const types = [
    ...Array.from({ length: 3 + strides.length }, () => "i32" as const),
    ...Array.from({ length: extra }, () => "v128" as const),
  ];
  return f.module.named(
    `tile ${rows} ${columns} ${first} ${last} ${signature(plan)}`,
    types,
    [],
    (g, p, q, deep, ...rest) => {
      const vectors = Math.ceil(columns / lanes);
      const totals = Array.from({ length: rows * vectors }, () => g.variable("v128"));
      for (const total of totals) g.set(total, floats.constant(0));
      g.loop(() => {
        g.scope(() => {
          const right = Array.from({ length: vectors }, (_, c) =>
            g.let("v128", (h) => h.load("v128.load", { base: q.get, offset: c * lanes * size })),
          );
          for (let r = 0; r < rows; r++) {
            const left = g.let("v128", (h) =>
              h.load(size === 8 ? "v128.load64_splat" : "v128.load32_splat", { base: p.get, offset: r * size }),
            );
            right.forEach((vector, c) => addTerm(g, plan, totals[r * vectors + c] as Variable, left, vector));
          }
        });
        g.advance(p, tileRows * size);
        g.advance(q, 2 * lanes * size);
        g.set(deep, binary("i32.sub", deep.get, integer(1)));
        g.branchIf(0, deep.get);
      });
      const held: Constants = (slot) => (rest[strides.length + slot] as Variable).get;
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < vectors; c++) {
          const count = Math.min(lanes, columns - c * lanes);
          const places = strides.map((s, k): Address => ({
            base: (rest[k] as Variable).get,
            offset: r * s.m + c * lanes * s.n,
          }));
          const out = places[0] as Address;
          let sum = (totals[r * vectors + c] as Variable).get;
          if (!first) {
            const before = loadLanes(g, dtype, settings.wide, out, { stride: plan.out.n, count });
            sum = floats.add(asNumbers(g, before, settings.wide ? "f64" : "f32"), sum);
          }
          const value: ContractPlan = last ? plan : { ...plan, epilogue: null };
          finish(g, value, out, places.slice(1), sum, count, held);
        }
      }
    },
  );
}
