import { binary, unary, type Code, type FunctionBody } from "./assembler.js";
import { and, constantI32x4, constantI64x2, f32x4, f64x2, pick32, select, shift, xor } from "./lanes.js";
import type { Instruction } from "./opcodes.js";

/** Arithmetic on whole numbers as wide as the floats of a tile, a lane each. */
export interface WholeLanes {
  readonly bits: 32 | 64;
  /** From a whole number of JavaScript. */
  constant(value: number): Code;
  /** The largest and the smallest there are. */
  readonly most: Code;
  readonly least: Code;
  add(a: Code, b: Code): Code;
  sub(a: Code, b: Code): Code;
  /** Masks: all bits of a lane, which is −1. */
  eq(a: Code, b: Code): Code;
  lt(a: Code, b: Code): Code;
  le(a: Code, b: Code): Code;
  gt(a: Code, b: Code): Code;
  /** Their operands are emitted more than once. */
  min(a: Code, b: Code): Code;
  max(a: Code, b: Code): Code;
  /** ⌊a/2⌋ of a as a number without a sign. */
  half(a: Code): Code;
  /** An i32: 1 if no lane of a mask is 0. */
  all(mask: Code): Code;
  /** Numbers below 2³¹ as floats. */
  float(f: FunctionBody, a: Code): Code;
}

function wholeLanes(wide: boolean): WholeLanes {
  const shape = wide ? "i64x2" : "i32x4";
  const two = (name: string) => (a: Code, b: Code) => binary(`${shape}.${name}` as Instruction, a, b);
  const gt = two("gt_s");
  return {
    bits: wide ? 64 : 32,
    constant: (value) => (wide ? constantI64x2(value < 0 ? -1 : 0, value) : constantI32x4(value)),
    most: wide ? constantI64x2(0x7fffffff, -1) : constantI32x4(0x7fffffff),
    least: wide ? constantI64x2(-0x80000000, 0) : constantI32x4(-0x80000000),
    add: two("add"),
    sub: two("sub"),
    eq: two("eq"),
    lt: two("lt_s"),
    le: two("le_s"),
    gt,
    min: wide ? (a, b) => select(gt(a, b), b, a) : two("min_s"),
    max: wide ? (a, b) => select(gt(a, b), a, b) : two("max_s"),
    half: (a) => shift(wide ? "i64x2.shr_u" : "i32x4.shr_u", a, 1),
    all: (mask) => unary(`${shape}.all_true`, mask),
    float: (f, a) => {
      if (!wide) return unary("f32x4.convert_i32x4_s", a);
      const kept = f.let("v128", a);
      return unary("f64x2.convert_low_i32x4_s", pick32(kept, kept, [0, 2, 0, 2]));
    },
  };
}

export const i32x4 = wholeLanes(false);
export const i64x2 = wholeLanes(true);

/** Whole numbers in the order of floats, and back: the same exchange both ways. */
export function ordered(f: FunctionBody, wide: boolean, value: Code): Code {
  const kept = f.let("v128", value);
  const sign = wide ? shift("i64x2.shr_s", kept, 63) : shift("i32x4.shr_s", kept, 31);
  return xor(kept, and(sign, (wide ? i64x2 : i32x4).most));
}

/** Whole numbers in the order of floats, NaN of any kind last. */
export function orderedNumber(f: FunctionBody, wide: boolean, value: Code): Code {
  const floats = wide ? f64x2 : f32x4;
  const kept = f.let("v128", value);
  return ordered(f, wide, select(floats.eq(kept, kept), kept, floats.constant(NaN)));
}

/** The same with one key for zeros of either sign; what it is of a NaN has no meaning. */
export function keyOf(f: FunctionBody, wide: boolean, value: Code): Code {
  const floats = wide ? f64x2 : f32x4;
  return ordered(f, wide, floats.add(value, floats.constant(0)));
}

/** a, but no bit of b. */
export const andNot = (a: Code, b: Code) => binary("v128.andnot", a, b);
