import { binary, FunctionBody, unary, type Address, type Code, type Variable } from "./assembler.js";
import {
  asNumbers,
  printFormula,
  type Constants,
  type FormulaSettings,
  type Lane,
  type NumberType,
} from "./formula.js";
import { and, constantI32x4, f32x4, f64x2, or, pick32, select, upperHalf, vectorOf } from "./lanes.js";
import { Cursors, displacement, laneDisplacement, laneLoop, nest, type Level, type Start } from "./loops.js";
import { byteStrides, kindOf, laneScore, operandLanes, settingsOf, type OperandKind } from "./operands.js";
import type { Instruction } from "./opcodes.js";
import { storeLanes } from "./transfer.js";
import type { DType } from "../../dtype.js";
import { mergeAxes } from "../../kernel/access.js";
import type { Monoid, ReduceKernel } from "../../kernel/kernel.js";
import { normalize, type Normalized } from "../../scalar/expression.js";
import { literal } from "./constants.js";

/**
 * A reduction without its addresses and constants. Operand 0 of every level is what is written (it stands still on
 * reduced axes). Lanes are either outputs (`lane` is a kept axis) or terms of one output (a reduced axis).
 */
export interface ReducePlan {
  readonly out: DType;
  readonly operands: readonly OperandKind[];
  readonly monoid: Monoid;
  readonly f: Normalized;
  readonly epilogue: Normalized | null;
  readonly settings: FormulaSettings;
  readonly kept: readonly Level[];
  readonly reduced: readonly Level[];
  readonly lane: Level;
  readonly lanesAre: "outputs" | "terms";
}

export function planReduce(kernel: ReduceKernel, relaxed: boolean): ReducePlan {
  const { out, shape, axes, monoid, operands } = kernel;
  const f = normalize(kernel.f);
  const epilogue = kernel.epilogue && normalize(kernel.epilogue);
  const kinds = operands.map(kindOf);
  const winner = monoid === "argmax" || monoid === "argmin";
  const settings = settingsOf(winner ? "int32" : out.dtype, kinds, epilogue === null ? [f] : [f, epilogue], relaxed);
  const rank = shape.length;
  const all = operands.map((operand) => byteStrides(operand, rank));
  const keptAxes = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const levelsOf = (order: readonly number[], written: readonly number[]): Level[] => {
    const pick = (numbers: readonly number[]) => order.map((axis) => numbers[axis] as number);
    const { extents, strides } = mergeAxes(pick(shape), [written, ...all.map(pick)]);
    return extents.map((extent, axis) => ({ extent, strides: strides.map((s) => s[axis] as number) }));
  };
  const kept = levelsOf(keptAxes, byteStrides(out, keptAxes.length));
  const reduced = levelsOf(
    axes,
    axes.map(() => 0),
  );
  const lanes = settings.wide ? 2 : 4;
  const still: Level = { extent: 1, strides: [0, ...operands.map(() => 0)] };
  let best: Level = still;
  let lanesAre: ReducePlan["lanesAre"] = "outputs";
  let highest = -1;
  const consider = (levels: readonly Level[], as: ReducePlan["lanesAre"]) => {
    for (const level of levels) {
      // An output on a reduced axis stands still, which says nothing about the axis.
      const from = as === "outputs" ? 0 : 1;
      const score =
        laneScore(level.extent, lanes, level.strides.slice(from), [out.dtype, ...kinds].slice(from)) /
        (operands.length + 1 - from || 1);
      if (score > highest) {
        highest = score;
        best = level;
        lanesAre = as;
      }
    }
  };
  consider(kept, "outputs");
  if (!winner) consider(reduced, "terms");
  const others = (levels: readonly Level[]) => levels.filter((level) => level !== best);
  return {
    out: out.dtype,
    operands: kinds,
    monoid,
    f,
    epilogue,
    settings,
    kept: others(kept),
    reduced: others(reduced),
    lane: best,
    lanesAre,
  };
}

const identities: Record<Exclude<Monoid, "argmax" | "argmin">, Record<NumberType, number>> = {
  sum: { f32: 0, f64: 0, i32: 0, u32: 0 },
  product: { f32: 1, f64: 1, i32: 1, u32: 1 },
  max: { f32: -Infinity, f64: -Infinity, i32: -0x80000000, u32: 0 },
  min: { f32: Infinity, f64: Infinity, i32: 0x7fffffff, u32: 0xffffffff },
};

/** Numbers without a sign, NaN above ∞, are in the order of their bits: one instruction where floats take several. */
type Combination = Exclude<Monoid, "argmax" | "argmin"> | "max of bits";

/** a ⊕ b on lanes. */
function combine(monoid: Combination, type: NumberType, a: Code, b: Code): Code {
  if (monoid === "max of bits") return binary("i32x4.max_s", a, b);
  const float = type === "f64" ? "f64x2" : "f32x4";
  if (type === "f32" || type === "f64") {
    const name = { sum: "add", product: "mul", max: "max", min: "min" }[monoid];
    return binary(`${float}.${name}` as Instruction, a, b);
  }
  const sign = type === "i32" ? "s" : "u";
  const name = { sum: "add", product: "mul", max: `max_${sign}`, min: `min_${sign}` }[monoid];
  return binary(`i32x4.${name}` as Instruction, a, b);
}

/** Running totals: sums and products of float32 lanes are carried in two vectors of float64. */
interface Accumulator {
  reset(): void;
  /** Takes up the first `count` lanes, or all of them. */
  push(value: Lane, count: number): void;
  /** Totals as vectors with the lanes they start at. */
  totals(): { readonly lane: Lane; readonly from: number; readonly wide: boolean }[];
  /** All lanes of all vectors as one total in lane 0. */
  horizontal(): { readonly lane: Lane; readonly wide: boolean };
}

/** Lanes from `count` on replaced by the identity. */
function masked(value: Code, type: NumberType, identity: number, count: number): Code {
  const lanes = type === "f64" ? 2 : 4;
  if (count === lanes) return value;
  const words = Int32Array.from({ length: 4 }, (_, k) => (k < (count * 4) / lanes ? -1 : 0));
  return identity === 0 ? and(value, vectorOf(words)) : select(vectorOf(words), value, literal(identity, type));
}

function accumulator(
  f: FunctionBody,
  monoid: Exclude<Monoid, "argmax" | "argmin">,
  type: NumberType,
  body: Normalized,
): Accumulator {
  const identity = identities[monoid][type];
  const last = body.nodes.at(-1);
  const unsigned = last?.kind === "apply" && last.operation === "abs";
  const combination = monoid === "max" && type === "f32" && unsigned ? "max of bits" : monoid;
  const double = type === "f32" && (monoid === "sum" || monoid === "product");
  if (double) {
    const low = f.variable("v128");
    const high = f.variable("v128");
    const add = (variable: Variable, half: Code) =>
      f.set(variable, combine(monoid, "f64", variable.get, unary("f64x2.promote_low_f32x4", half)));
    return {
      reset() {
        for (const variable of [low, high]) f.set(variable, f64x2.constant(identity));
      },
      push(value, count) {
        const kept = f.let("v128", masked(asNumbers(f, value, "f32"), "f32", identity, count));
        add(low, kept);
        if (count > 2) add(high, upperHalf(kept));
      },
      totals: () => [
        { lane: { type: "f64", code: low.get }, from: 0, wide: true },
        { lane: { type: "f64", code: high.get }, from: 2, wide: true },
      ],
      horizontal() {
        const both = f.let("v128", combine(monoid, "f64", low.get, high.get));
        return { lane: { type: "f64", code: combine(monoid, "f64", both, upperHalf(both)) }, wide: true };
      },
    };
  }
  const wide = type === "f64";
  const total = f.variable("v128");
  return {
    reset: () => f.set(total, literal(identity, type)),
    push(value, count) {
      f.set(total, combine(combination, type, total.get, masked(asNumbers(f, value, type), type, identity, count)));
    },
    totals: () => [{ lane: { type, code: total.get }, from: 0, wide }],
    horizontal() {
      let code = f.let("v128", combine(combination, type, total.get, upperHalf(total.get)));
      if (!wide) code = f.let("v128", combine(combination, type, code, pick32(code, code, [1, 0, 3, 2])));
      return { lane: { type, code }, wide };
    },
  };
}

/** The number type a formula's values are reduced in. */
function reducedType({ type }: Lane, out: DType, wide: boolean): NumberType {
  if (type !== "mask") return type;
  return wide ? "f64" : out === "float32" ? "f32" : "i32";
}

/**
 * Prints out[kept] = epilogue(⊕ f(operands)) into a function. Float32 sums are carried in float64, so that their error
 * is that of one rounding and no order of addition shows.
 *
 * @param starts    Addresses of the first elements: what is written, then the operands (index operands start at 0).
 * @param constants Those of f.
 * @param after     Those of the epilogue.
 */
export function emitReduce(
  f: FunctionBody,
  plan: ReducePlan,
  starts: readonly Start[],
  constants: Constants,
  after: Constants,
): void {
  f.scope(() => {
    if (plan.monoid === "argmax" || plan.monoid === "argmin") emitWinner(f, plan, starts, constants, after);
    else if (plan.lanesAre === "outputs") emitOutputs(f, plan, plan.monoid, starts, constants, after);
    else emitTerms(f, plan, plan.monoid, starts, constants, after);
  });
}

function load(
  f: FunctionBody,
  plan: ReducePlan,
  cursors: Cursors,
  constants: Constants,
  count: number,
  held: readonly (Lane | null)[] = [],
): Lane {
  const { operands, settings, lane } = plan;
  return printFormula(
    f,
    plan.f,
    (k) =>
      held[k] ??
      operandLanes(f, cursors, k + 1, operands[k] as OperandKind, settings.wide, {
        stride: lane.strides[k + 1] as number,
        count,
      }),
    constants,
    settings,
  );
}

/** Operands that stand still while the terms of one output are walked, loaded before. */
function loadStill(f: FunctionBody, { operands, settings, lane, reduced }: ReducePlan, cursors: Cursors) {
  const count = settings.wide ? 2 : 4;
  return operands.map((kind, k): Lane | null => {
    if (kind === "index" || [lane, ...reduced].some(({ strides }) => strides[k + 1] !== 0)) return null;
    const { type, code } = operandLanes(f, cursors, k + 1, kind, settings.wide, { stride: 0, count });
    return { type, code: f.let("v128", code) };
  });
}

/** Finds the type of the values by printing one into a function that is thrown away. */
function typeOfValues(f: FunctionBody, plan: ReducePlan, cursors: Cursors, constants: Constants): NumberType {
  const rehearsal = new FunctionBody(
    f.module,
    f.parameters.map(({ type }) => type),
  );
  return reducedType(
    load(rehearsal, plan, cursors, constants, plan.settings.wide ? 2 : 4),
    plan.out,
    plan.settings.wide,
  );
}

function store(
  f: FunctionBody,
  plan: ReducePlan,
  address: Address,
  lane: Lane,
  wide: boolean,
  after: Constants,
  count: number,
): void {
  const { epilogue, settings, out } = plan;
  const value =
    epilogue === null
      ? lane
      : printFormula(f, epilogue, () => lane, after, {
          ...settings,
          wide,
          numbers: lane.type === "mask" ? settings.numbers : lane.type,
        });
  storeLanes(f, out, wide, address, value, {
    stride: plan.lanesAre === "outputs" ? (plan.lane.strides[0] as number) : 0,
    count,
  });
}

function emitOutputs(
  f: FunctionBody,
  plan: ReducePlan,
  monoid: Exclude<Monoid, "argmax" | "argmin">,
  starts: readonly Start[],
  constants: Constants,
  after: Constants,
): void {
  const { kept, reduced, lane, settings } = plan;
  const lanes = settings.wide ? 2 : 4;
  const cursors = new Cursors(f, starts, [...kept, lane, ...reduced]);
  const totals = accumulator(f, monoid, typeOfValues(f, plan, cursors, constants), plan.f);
  nest(
    f,
    cursors,
    kept,
    () =>
      laneLoop(f, cursors, lane, lanes, (count) => {
        totals.reset();
        nest(f, cursors, reduced, () => totals.push(load(f, plan, cursors, constants, count), lanes));
        cursors.move((k) => -displacement(reduced, k));
        for (const { lane: total, from, wide } of totals.totals()) {
          const { base, offset } = cursors.address(0);
          const left = Math.min(count - from, wide ? 2 : 4);
          if (left > 0)
            store(f, plan, { base, offset: offset + from * (lane.strides[0] as number) }, total, wide, after, left);
        }
      }),
    (k) => laneDisplacement(lane, lanes, k),
  );
}

function emitTerms(
  f: FunctionBody,
  plan: ReducePlan,
  monoid: Exclude<Monoid, "argmax" | "argmin">,
  starts: readonly Start[],
  constants: Constants,
  after: Constants,
): void {
  const { kept, reduced, lane, settings } = plan;
  const lanes = settings.wide ? 2 : 4;
  const cursors = new Cursors(f, starts, [...kept, ...reduced, lane]);
  const totals = accumulator(f, monoid, typeOfValues(f, plan, cursors, constants), plan.f);
  const inner = (k: number) => laneDisplacement(lane, lanes, k);
  nest(f, cursors, kept, () => {
    totals.reset();
    const held = loadStill(f, plan, cursors);
    nest(
      f,
      cursors,
      reduced,
      () =>
        laneLoop(f, cursors, lane, lanes, (count) => {
          totals.push(load(f, plan, cursors, constants, count, held), count);
        }),
      inner,
    );
    cursors.move((k) => -(reduced.length === 0 ? inner(k) : displacement(reduced, k)));
    const { lane: total, wide } = totals.horizontal();
    store(f, plan, cursors.address(0), total, wide, after, 1);
  });
}

/** argmax and argmin: the lowest place of the winner in every lane; NaN wins. */
function emitWinner(
  f: FunctionBody,
  plan: ReducePlan,
  starts: readonly Start[],
  constants: Constants,
  after: Constants,
): void {
  const { kept, reduced, lane, settings, monoid } = plan;
  const { wide } = settings;
  const lanes = wide ? 2 : 4;
  const cursors = new Cursors(f, starts, [...kept, lane, ...reduced]);
  const type = typeOfValues(f, plan, cursors, constants);
  const float = type === "f32" || type === "f64";
  const floats = wide ? f64x2 : f32x4;
  const best = f.variable("v128");
  const winner = f.variable("v128");
  const place = f.variable("v128");
  const one = wide ? f64x2.constant(1) : constantI32x4(1);
  const zero = wide ? f64x2.constant(0) : constantI32x4(0);
  nest(
    f,
    cursors,
    kept,
    () =>
      laneLoop(f, cursors, lane, lanes, (count) => {
        // The first element holds until a later one beats it.
        f.set(best, asNumbers(f, load(f, plan, cursors, constants, count), type));
        f.set(winner, zero);
        f.set(place, zero);
        nest(f, cursors, reduced, () => {
          const value = f.let("v128", asNumbers(f, load(f, plan, cursors, constants, count), type));
          const order = monoid === "argmax" ? "gt" : "lt";
          const better = float
            ? or(floats[order](value, best.get), and(floats.ne(value, value), floats.eq(best.get, best.get)))
            : binary(`i32x4.${order}_${type === "i32" ? "s" : "u"}` as Instruction, value, best.get);
          const wins = f.let("v128", better);
          f.set(best, select(wins, value, best.get));
          f.set(winner, select(wins, place.get, winner.get));
          f.set(place, binary(wide ? "f64x2.add" : "i32x4.add", place.get, one));
        });
        cursors.move((k) => -displacement(reduced, k));
        store(f, plan, cursors.address(0), { type: wide ? "f64" : "i32", code: winner.get }, wide, after, count);
      }),
    (k) => laneDisplacement(lane, lanes, k),
  );
}
