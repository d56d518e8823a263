import { binary, ternary, unary, type Code, type FunctionBody } from "./assembler.js";
import type { Instruction } from "./opcodes.js";

/** A vector with the same bytes in every lane. */
function repeated(lane: Uint8Array): Code {
  const bytes = new Uint8Array(16);
  for (let at = 0; at < 16; at += lane.length) bytes.set(lane, at);
  return (f) => f.v128(bytes);
}

/** Bytes of typed arrays as a vector. */
export function vectorOf(values: Float32Array | Float64Array | Int32Array | Uint8Array): Code {
  const bytes = new Uint8Array(values.buffer.slice(0, 16));
  return (f) => f.v128(bytes);
}

/** Arithmetic on the lanes of one floating shape. All functions combine code; nothing is emitted until it is asked for. */
export interface FloatLanes {
  readonly shape: "f32x4" | "f64x2";
  /** How many. */
  readonly count: 4 | 2;
  readonly bytes: 4 | 8;
  constant(value: number): Code;
  add(a: Code, b: Code): Code;
  sub(a: Code, b: Code): Code;
  mul(a: Code, b: Code): Code;
  div(a: Code, b: Code): Code;
  /** NaN where either is. */
  max(a: Code, b: Code): Code;
  min(a: Code, b: Code): Code;
  /** a < b ? b : a, one instruction on most machines; keeps a NaN in `a`. */
  pmax(a: Code, b: Code): Code;
  /** b < a ? b : a; keeps a NaN in `a`. */
  pmin(a: Code, b: Code): Code;
  abs(a: Code): Code;
  neg(a: Code): Code;
  sqrt(a: Code): Code;
  floor(a: Code): Code;
  ceil(a: Code): Code;
  trunc(a: Code): Code;
  /** Halves go to the even neighbour. */
  nearest(a: Code): Code;
  /** Masks: all bits of a lane. */
  eq(a: Code, b: Code): Code;
  ne(a: Code, b: Code): Code;
  lt(a: Code, b: Code): Code;
  le(a: Code, b: Code): Code;
  gt(a: Code, b: Code): Code;
  ge(a: Code, b: Code): Code;
  select(mask: Code, a: Code, b: Code): Code;
  /** a · b + c in two roundings. */
  madd(a: Code, b: Code, c: Code): Code;
  /** c₀ + u·(c₁ + u·(c₂ + …)) */
  polynomial(u: Code, coefficients: readonly number[]): Code;
}

function floatLanes(shape: "f32x4" | "f64x2"): FloatLanes {
  const single = shape === "f32x4";
  const constant = (value: number) =>
    repeated(new Uint8Array(single ? new Float32Array([value]).buffer : new Float64Array([value]).buffer));
  const one = (name: string) => (a: Code) => unary(`${shape}.${name}` as Instruction, a);
  const two = (name: string) => (a: Code, b: Code) => binary(`${shape}.${name}` as Instruction, a, b);
  const add = two("add");
  const mul = two("mul");
  return {
    shape,
    count: single ? 4 : 2,
    bytes: single ? 4 : 8,
    constant,
    add,
    sub: two("sub"),
    mul,
    div: two("div"),
    max: two("max"),
    min: two("min"),
    pmax: two("pmax"),
    pmin: two("pmin"),
    abs: one("abs"),
    neg: one("neg"),
    sqrt: one("sqrt"),
    floor: one("floor"),
    ceil: one("ceil"),
    trunc: one("trunc"),
    nearest: one("nearest"),
    eq: two("eq"),
    ne: two("ne"),
    lt: two("lt"),
    le: two("le"),
    gt: two("gt"),
    ge: two("ge"),
    select,
    madd: (a, b, c) => add(mul(a, b), c),
    polynomial: (u, coefficients) =>
      coefficients
        .slice(0, -1)
        .reduceRight((sum, c) => add(mul(sum, u), constant(c)), constant(coefficients.at(-1) as number)),
  };
}

export const f32x4 = floatLanes("f32x4");
export const f64x2 = floatLanes("f64x2");

/** mask ? a : b, bit by bit. */
export function select(mask: Code, a: Code, b: Code): Code {
  return ternary("v128.bitselect", a, b, mask);
}

export const and = (a: Code, b: Code) => binary("v128.and", a, b);
export const or = (a: Code, b: Code) => binary("v128.or", a, b);
export const xor = (a: Code, b: Code) => binary("v128.xor", a, b);
export const not = (a: Code) => unary("v128.not", a);

export function constantI32x4(value: number): Code {
  return repeated(new Uint8Array(new Int32Array([value]).buffer));
}

export function constantI64x2(high: number, low: number): Code {
  return repeated(new Uint8Array(new Int32Array([low, high]).buffer));
}

/** Shifts lanes by a constant. */
export function shift(
  name: "i32x4.shl" | "i32x4.shr_s" | "i32x4.shr_u" | "i64x2.shl" | "i64x2.shr_s" | "i64x2.shr_u",
  a: Code,
  by: number,
): Code {
  return (f) => {
    a(f);
    f.i32(by);
    f.emit(name);
  };
}

/** A rearrangement of the bytes of two vectors. */
export function shuffle(a: Code, b: Code, places: readonly number[]): Code {
  return (f) => {
    a(f);
    b(f);
    f.shuffle(places);
  };
}

const bytesOf = (lanes: readonly number[], width: number) =>
  lanes.flatMap((lane) => Array.from({ length: width }, (_, k) => lane * width + k));

/** Lanes of 32 bits out of a (0 … 3) and b (4 … 7). */
export function pick32(a: Code, b: Code, lanes: readonly number[]): Code {
  return shuffle(a, b, bytesOf(lanes, 4));
}

/** The upper two lanes of 32 bits, moved down. */
export function upperHalf(a: Code): Code {
  return (f) => {
    const kept = f.let("v128", a);
    pick32(kept, kept, [2, 3, 2, 3])(f);
  };
}

/** The low lanes of a, then those of b: two vectors of which only the lower halves count as one. */
export function joinHalves(a: Code, b: Code): Code {
  return pick32(a, b, [0, 1, 4, 5]);
}

/** f32x4 by a function on f64x2, half by half: correctly rounded but for one case in some hundred million. */
export function throughDoubles(
  f: FunctionBody,
  values: readonly Code[],
  body: (halves: readonly Code[]) => Code,
): Code {
  const kept = values.map((v) => f.let("v128", v));
  const low = f.let(
    "v128",
    unary("f32x4.demote_f64x2_zero", body(kept.map((v) => unary("f64x2.promote_low_f32x4", v)))),
  );
  const high = unary(
    "f32x4.demote_f64x2_zero",
    body(kept.map((v) => unary("f64x2.promote_low_f32x4", pick32(v, v, [2, 3, 2, 3])))),
  );
  return joinHalves(low, high);
}
