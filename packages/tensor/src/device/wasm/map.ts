import type { FunctionBody } from "./assembler.js";
import { printFormula, type Constants, type FormulaSettings, type Lane } from "./formula.js";
import { Cursors, laneDisplacement, laneLoop, nest, type Level, type Start } from "./loops.js";
import { byteStrides, kindOf, laneScore, operandLanes, settingsOf, type OperandKind } from "./operands.js";
import { storeLanes } from "./transfer.js";
import type { DType } from "../../dtype.js";
import { mergeAxes } from "../../kernel/access.js";
import type { MapKernel } from "../../kernel/kernel.js";
import { normalize, type Normalized } from "../../scalar/expression.js";

/** A map without its addresses and constants. Operand 0 of every level is what is written. */
export interface MapPlan {
  readonly out: DType;
  readonly operands: readonly OperandKind[];
  readonly f: Normalized;
  readonly settings: FormulaSettings;
  /** Loops around the lanes, outermost first. */
  readonly outer: readonly Level[];
  readonly lane: Level;
}

export function planMap({ out, f, operands }: MapKernel, relaxed: boolean): MapPlan {
  const normal = normalize(f);
  const kinds = operands.map(kindOf);
  const rank = out.shape.length;
  const all = [byteStrides(out, rank), ...operands.map((operand) => byteStrides(operand, rank))];
  const { extents, strides } = mergeAxes(out.shape, all);
  const settings = settingsOf(out.dtype, kinds, [normal], relaxed);
  const lanes = settings.wide ? 2 : 4;
  const levels = extents.map((extent, axis): Level => ({ extent, strides: strides.map((s) => s[axis] as number) }));
  let best = levels.length - 1;
  const score = (level: Level) => laneScore(level.extent, lanes, level.strides, [out.dtype, ...kinds]);
  levels.forEach((level, axis) => {
    if (score(level) > score(levels[best] as Level)) best = axis;
  });
  const lane = levels[best] ?? { extent: 1, strides: all.map(() => 0) };
  return {
    out: out.dtype,
    operands: kinds,
    f: normal,
    settings,
    outer: levels.filter((_, axis) => axis !== best),
    lane,
  };
}

/**
 * Prints out[i] = f(operands[i]) into a function.
 *
 * @param starts  Addresses of the first elements: what is written, then the operands (index operands start at 0).
 */
export function emitMap(f: FunctionBody, plan: MapPlan, starts: readonly Start[], constants: Constants): void {
  const { out, operands, settings, outer, lane } = plan;
  const lanes = settings.wide ? 2 : 4;
  f.scope(() => {
    const cursors = new Cursors(f, starts, [...outer, lane]);
    nest(
      f,
      cursors,
      outer,
      () => {
        // What repeats along the lanes is loaded before they are walked.
        const repeated = operands.map((kind, k): Lane | null => {
          if (lane.strides[k + 1] !== 0 || kind === "index") return null;
          const value = operandLanes(f, cursors, k + 1, kind, settings.wide, { stride: 0, count: lanes });
          return { type: value.type, code: f.let("v128", value.code) };
        });
        laneLoop(f, cursors, lane, lanes, (count) => {
          const spread = (k: number) => ({ stride: lane.strides[k] as number, count });
          const load = (k: number) =>
            repeated[k] ?? operandLanes(f, cursors, k + 1, operands[k] as OperandKind, settings.wide, spread(k + 1));
          const value = printFormula(f, plan.f, load, constants, settings);
          storeLanes(f, out, settings.wide, cursors.address(0), value, spread(0));
        });
      },
      (k) => laneDisplacement(lane, lanes, k),
    );
  });
}

/** Addresses of index operands are numbers that count from 0. */
export const indexStart: Start = { base: null, offset: 0 };
