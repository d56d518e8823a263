import { shifted } from "../assembler.js";
import type { ColumnPlan } from "../column.js";
import { emitContract, planContract, planSquares, type ContractPlan } from "../contract.js";
import type { Level, Start } from "../loops.js";
import { emitMap, planMap } from "../map.js";
import {
  columns,
  constantsFrom,
  kernelConstants,
  operandStarts,
  type KernelPrinter,
  type PrintedKernel,
} from "../print-kernel.js";
import { emitReduce, planReduce } from "../reduce.js";
import { normalize } from "../../../scalar/expression.js";
import { sizeOf } from "../../../shape.js";

/** A kernel cut into parts that write different elements and may run at the same time. */
export interface Parts {
  /** Bytes of working memory, for every part that runs at the same time. */
  readonly scratch: number;
  /** Each prints its part, given the addresses of the whole. */
  readonly prints: readonly KernelPrinter["print"][];
}

/** Parts begin at multiples of this many elements: no two write into one cache line of neighbours. */
const grain = 16;

interface Range {
  readonly from: number;
  readonly extent: number;
}

/** An extent in at most `count` ranges of about equal size, which begin at multiples of `step`. */
function ranges(extent: number, count: number, step: number): Range[] {
  const steps = Math.ceil(extent / step);
  const bounds = Array.from({ length: count + 1 }, (_, p) => Math.min(extent, Math.round((p * steps) / count) * step));
  return bounds
    .slice(1)
    .map((to, p) => ({ from: bounds[p] as number, extent: to - (bounds[p] as number) }))
    .filter((range) => range.extent > 0);
}

/** Where the loop stands that is best cut: the outermost one with enough turns, else the longest. */
function cutOf(levels: readonly Level[], count: number): number {
  const enough = levels.findIndex(({ extent }) => extent >= 4 * count);
  if (enough >= 0) return enough;
  return levels.reduce((best, { extent }, k) => (extent > (levels[best] as Level).extent ? k : best), 0);
}

const replaced = (levels: readonly Level[], at: number, by: Level) => levels.map((level, k) => (k === at ? by : level));

const moved = (starts: readonly Start[], by: (k: number) => number) => starts.map((start, k) => shifted(start, by(k)));

function productParts(plan: ContractPlan, values: readonly number[], count: number): Parts {
  const { batch, m, n } = plan.extents;
  // Each part packs the operand that is not cut anew: that should be the smaller one.
  const axis: keyof ContractPlan["extents"] = batch >= 4 * count ? "batch" : m >= n ? "m" : "n";
  return {
    scratch: plan.scratch,
    prints: ranges(plan.extents[axis], count, axis === "batch" ? 1 : grain).map(
      ({ from, extent }) =>
        (f, starts, scratch, constants) => {
          const [left, right] = plan.swapped ? [plan.right, plan.left] : [plan.left, plan.right];
          const strides = [plan.out, left, right, ...plan.operands.map((operand) => operand.strides)];
          const places = moved(starts, (k) => from * (strides[k] as ContractPlan["out"])[axis]);
          const cut: ContractPlan = {
            ...plan,
            extents: { ...plan.extents, [axis]: extent },
            ...(plan.symmetricFrom === undefined ? {} : { symmetricFrom: from }),
          };
          emitContract(f, cut, places, scratch, constantsFrom(constants, values));
        },
    ),
  };
}

/**
 * Cuts a kernel. Every decision that shows in the numbers (schedule, blocks, tiles) is the whole kernel's: plans are
 * cut, not kernels, so that results do not depend on how many parts there are.
 *
 * @returns  null for a kernel that is better left whole.
 */
export function kernelParts(kernel: PrintedKernel, relaxed: boolean, count: number): Parts | null {
  if (sizeOf(kernel.out.shape) < 2) return null;
  const values = kernelConstants(kernel);
  switch (kernel.form) {
    case "map": {
      const plan = planMap(kernel, relaxed);
      const levels = [...plan.outer, plan.lane];
      const at = cutOf(levels, count);
      const level = levels[at] as Level;
      const onLane = at === plan.outer.length;
      return {
        scratch: 0,
        prints: ranges(level.extent, count, onLane ? grain : 1).map(
          ({ from, extent }) =>
            (f, [out, ...views], _, constants) => {
              const part = { ...level, extent };
              const cut = onLane ? { ...plan, lane: part } : { ...plan, outer: replaced(plan.outer, at, part) };
              const starts = [out as Start, ...operandStarts(kernel.operands, views)];
              emitMap(
                f,
                cut,
                moved(starts, (k) => from * (level.strides[k] as number)),
                constantsFrom(constants, values),
              );
            },
        ),
      };
    }
    case "reduce": {
      const squares = planSquares(kernel, relaxed);
      if (squares !== null) return productParts(squares, values, count);
      const plan = planReduce(kernel, relaxed);
      const levels = plan.lanesAre === "outputs" ? [...plan.kept, plan.lane] : plan.kept;
      if (levels.length === 0) return null;
      const at = cutOf(levels, count);
      const level = levels[at] as Level;
      const onLane = at === plan.kept.length;
      const own = normalize(kernel.f).constants.length;
      return {
        scratch: 0,
        prints: ranges(level.extent, count, onLane ? grain : 1).map(
          ({ from, extent }) =>
            (f, [out, ...views], _, constants) => {
              const part = { ...level, extent };
              const cut = onLane ? { ...plan, lane: part } : { ...plan, kept: replaced(plan.kept, at, part) };
              const starts = [out as Start, ...operandStarts(kernel.operands, views)];
              const all = constantsFrom(constants, values);
              emitReduce(
                f,
                cut,
                moved(starts, (k) => from * (level.strides[k] as number)),
                all,
                (slot, type) => all(own + slot, type),
              );
            },
        ),
      };
    }
    case "contract":
      return productParts(planContract(kernel, relaxed), values, count);
    case "column": {
      const { emitColumn, planColumn } = columns.module;
      const plan = planColumn(kernel, relaxed);
      const { grid, leaves, out, panels, perFeature } = plan;
      // Lanes of such a source find their own way, from coordinate 0.
      if (grid.irregular) return null;
      // What panels hold depends on all inner coordinates.
      const axis = panels !== null || grid.outer >= 4 * count ? "outer" : "inner";
      const step = axis === "outer" ? 1 : plan.vectors * (plan.settings.wide ? 2 : 4);
      const along = (bytes: number) => bytes * grid[`${axis}Step`];
      const strides = [along(out.step), ...leaves.map((leaf) => leaf[axis]), ...perFeature.map((p) => along(p.step))];
      return {
        scratch: plan.scratch,
        prints: ranges(grid[axis], count, step).map(({ from, extent }) => (f, starts, scratch, constants) => {
          const before = axis === "outer" ? from : 0;
          const cut: ColumnPlan = { ...plan, grid: { ...grid, [axis]: extent }, whole: { outer: grid.outer, before } };
          const passed = constants === "printed" ? { values } : { parameters: constants.parameters };
          emitColumn(
            f,
            cut,
            moved(starts, (k) => from * (strides[k] as number)),
            scratch,
            passed,
          );
        }),
      };
    }
  }
}
