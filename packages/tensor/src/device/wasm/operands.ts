import { binary, unary, type FunctionBody } from "./assembler.js";
import { staysIntegral, type FormulaSettings, type Lane, type NumberType } from "./formula.js";
import { vectorOf } from "./lanes.js";
import type { Cursors } from "./loops.js";
import { loadLanes, type Spread } from "./transfer.js";
import { bytesPerElement, type DType } from "../../dtype.js";
import { isIndex, type Operand } from "../../kernel/kernel.js";
import type { Normalized } from "../../scalar/expression.js";

/** What an operand holds: elements of a dtype, or the coordinate itself. */
export type OperandKind = DType | "index";

export const kindOf = (operand: Operand): OperandKind => (isIndex(operand) ? "index" : operand.dtype);

/** Bytes between neighbours along every axis; an index operand is a pointer that counts. */
export function byteStrides(operand: Operand, rank: number): number[] {
  if (isIndex(operand)) return Array.from({ length: rank }, (_, axis) => (axis === operand.axis ? 1 : 0));
  const size = bytesPerElement(operand.dtype);
  return operand.strides.map((stride) => stride * size);
}

/** Bytes of an element; 1 for an index. */
export const elementBytes = (kind: OperandKind) => (kind === "index" ? 1 : bytesPerElement(kind));

/** How wide the lanes of a kernel are, and what numbers its constants are by default. */
export function settingsOf(
  out: DType,
  operands: readonly OperandKind[],
  formulas: readonly Normalized[],
  relaxed: boolean,
): FormulaSettings {
  const views = operands.filter((kind) => kind !== "index");
  const integral = formulas.every(staysIntegral);
  const strict = formulas.some(({ constants }) => constants.some(Number.isNaN));
  const of = (numbers: NumberType): FormulaSettings => ({ wide: numbers === "f64", numbers, strict, relaxed });
  if (out === "float64" || views.includes("float64")) return of("f64");
  if (views.includes("float32")) return of("f32");
  for (const [dtype, type] of [
    ["int32", "i32"],
    ["uint32", "u32"],
  ] as const) {
    if (views.includes(dtype)) return of(integral ? type : "f64");
  }
  if (out === "float32") return of(operands.includes("index") ? "f64" : "f32");
  return of(integral ? (out === "uint32" ? "u32" : "i32") : "f64");
}

/** The lanes of an operand where its cursor stands. */
export function operandLanes(
  f: FunctionBody,
  cursors: Cursors,
  k: number,
  kind: OperandKind,
  wide: boolean,
  spread: Spread,
): Lane {
  if (kind !== "index") return loadLanes(f, kind, wide, cursors.address(k), spread);
  const first = unary("i32x4.splat", cursors.value(k));
  const steps = vectorOf(Int32Array.from([0, 1, 2, 3], (lane) => lane * spread.stride));
  const places = spread.stride === 0 ? first : binary("i32x4.add", first, steps);
  return wide ? { type: "f64", code: unary("f64x2.convert_low_i32x4_s", places) } : { type: "i32", code: places };
}

/**
 * How well an axis serves as lanes: whole vectors, neighbours in memory. `strides` in bytes, the written operand first.
 */
export function laneScore(
  extent: number,
  lanes: number,
  strides: readonly number[],
  kinds: readonly OperandKind[],
): number {
  const used = extent / (Math.ceil(extent / lanes) * lanes);
  let score = 0;
  strides.forEach((stride, k) => {
    const near = stride === elementBytes(kinds[k] as OperandKind);
    score += near || kinds[k] === "index" ? 4 : stride === 0 ? 3 : 1;
  });
  return score * used;
}
