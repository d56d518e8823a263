import { binary, unary, type Code, type FunctionBody, type Variable } from "./assembler.js";
import { and, constantI32x4, constantI64x2, f32x4 as s, f64x2 as d, or, shift, throughDoubles, xor } from "./lanes.js";
import { angles } from "./angles.js";
import {
  exp32,
  keep,
  logCore32,
  laneByLane,
  logEdges,
  outlined,
  powerOfTwo32,
  reduceExp32,
  shortFunctions,
  sigmoidOf,
  sign64,
  viaDoubles,
  within,
  type Printer,
} from "./short-math.js";

/**
 * Transcendental functions on lanes. Every one holds for all arguments: ±0, denormals, ±∞ and NaN as in `Math`.
 * `ulps` states the largest error in units of the last place; `test/wasm/math.test.ts` measures it.
 *
 * The polynomials in float64 are those of fdlibm (Sun Microsystems, 1993) and Cephes (S. Moshier) for the arc tangent,
 * those in float32 of Cephes. Where float32 is not worth a polynomial of its own it goes through float64, half by half.
 * Arguments of sin, cos and tan beyond 2²⁰ are handed to JavaScript, lane by lane, and so is `pow` in float64.
 */
export interface LaneFunction {
  readonly ulps: { readonly float32: number; readonly float64: number };
  readonly float32: Printer;
  readonly float64: Printer;
}

export type LaneFunctionName =
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sin"
  | "cos"
  | "tan"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "sigmoid"
  | "softplus"
  | "logCosh";

// ---- float64 ----

const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
const log2e = 1.4426950408889634;

/** 2ⁿ for whole n in [−1022, 1023], given as float64 lanes. */
function powerOfTwo(n: Code): Code {
  const whole = unary("i64x2.extend_low_i32x4_s", unary("i32x4.trunc_sat_f64x2_s_zero", n));
  return shift("i64x2.shl", binary("i64x2.add", whole, constantI64x2(0, 1023)), 52);
}

/** n and eʳ − 1 with x = n·ln 2 + r, |r| ≤ ½ ln 2. */
function reduceExp(f: FunctionBody, x: Code): { readonly n: Code; readonly fraction: Code } {
  const n = keep(f, d.nearest(d.mul(x, d.constant(log2e))));
  const high = keep(f, d.sub(x, d.mul(n, d.constant(ln2High))));
  const low = keep(f, d.mul(n, d.constant(ln2Low)));
  const r = keep(f, d.sub(high, low));
  const r2 = keep(f, d.mul(r, r));
  const p = d.polynomial(
    r2,
    [
      0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252,
      4.1381367970572385e-8,
    ],
  );
  const c = keep(f, d.sub(r, d.mul(r2, p)));
  const quotient = d.div(d.mul(r, c), d.sub(d.constant(2), c));
  return { n, fraction: keep(f, d.add(d.sub(quotient, low), high)) };
}

function exp64(f: FunctionBody, x: Code): Code {
  const u = keep(f, within(d, x, -746, 710));
  const { n, fraction } = reduceExp(f, u);
  // Two factors, so that results below 2⁻¹⁰²² and above 2¹⁰²³ are reached.
  const half = keep(f, d.floor(d.mul(n, d.constant(0.5))));
  return d.mul(d.mul(d.add(fraction, d.constant(1)), powerOfTwo(half)), powerOfTwo(d.sub(n, half)));
}

function expm164(f: FunctionBody, x: Code): Code {
  const u = keep(f, within(d, x, -60, 710));
  const { n, fraction } = reduceExp(f, u);
  const half = keep(f, powerOfTwo(d.sub(n, d.constant(1))));
  const scaled = keep(f, d.add(d.mul(half, fraction), d.sub(half, d.constant(0.5))));
  // −0 and the smallest numbers pass unchanged.
  return d.select(d.lt(d.abs(x), d.constant(1e-300)), x, d.add(scaled, scaled));
}

/** k·ln 2 + ln m for finite u > 0, u = m·2ᵏ, m in [√½, √2); `correction` is added at the smallest scale. */
function logCore64(f: FunctionBody, u: Code, correction: Code | null): Code {
  const tiny = keep(f, d.lt(u, d.constant(2 ** -1022)));
  const normal = keep(f, d.select(tiny, d.mul(u, d.constant(2 ** 54)), u));
  // Adding the distance between √½ and 1 to the bits makes the exponent round to the nearest.
  const bits = keep(f, binary("i64x2.add", normal, constantI64x2(0x3ff00000 - 0x3fe6a09e, 0)));
  const exponent = keep(f, binary("i64x2.sub", shift("i64x2.shr_u", bits, 52), constantI64x2(0, 1023)));
  const mantissa = binary("i64x2.add", and(bits, constantI64x2(0x000fffff, -1)), constantI64x2(0x3fe6a09e, 0));
  const k = keep(
    f,
    d.sub(
      unary("f64x2.convert_low_i32x4_s", (g) => {
        exponent(g);
        exponent(g);
        g.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
      }),
      and(tiny, d.constant(54)),
    ),
  );
  const fr = keep(f, d.sub(mantissa, d.constant(1)));
  const sq = keep(f, d.div(fr, d.add(fr, d.constant(2))));
  const z = keep(f, d.mul(sq, sq));
  const r = d.mul(
    z,
    d.polynomial(
      z,
      [
        0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
        0.15313837699209373, 0.14798198605116586,
      ],
    ),
  );
  const half = keep(f, d.mul(d.constant(0.5), d.mul(fr, fr)));
  const low = d.mul(k, d.constant(ln2Low));
  const tail = d.add(d.mul(sq, d.add(half, r)), correction === null ? low : d.add(low, correction));
  return d.sub(d.mul(k, d.constant(ln2High)), d.sub(d.sub(half, tail), fr));
}

function log64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  return logEdges(f, d, u, keep(f, logCore64(f, u, null)));
}

function log1p64(f: FunctionBody, x: Code): Code {
  const v = keep(f, x);
  const u = keep(f, d.add(v, d.constant(1)));
  // What rounding 1 + x lost, over 1 + x.
  const lost = d.select(d.ge(v, d.constant(1)), d.sub(d.constant(1), d.sub(u, v)), d.sub(v, d.sub(u, d.constant(1))));
  const correction = keep(f, d.select(d.lt(u, d.constant(2 ** 54)), d.div(lost, u), d.constant(0)));
  const result = keep(f, logEdges(f, d, u, keep(f, logCore64(f, u, correction))));
  return d.select(d.lt(d.abs(v), d.constant(2 ** -54)), v, result);
}

function atan64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const a = keep(f, d.abs(u));
  const large = keep(f, d.gt(a, d.constant(2.414213562373095)));
  const middle = keep(f, d.gt(a, d.constant(0.66)));
  const one = d.constant(1);
  const reduced = keep(
    f,
    d.select(large, d.div(d.constant(-1), a), d.select(middle, d.div(d.sub(a, one), d.add(a, one)), a)),
  );
  const z = keep(f, d.mul(reduced, reduced));
  const p = d.polynomial(
    z,
    [-64.85021904942025, -122.88666844901361, -75.00855792314705, -16.157537187333652, -0.8750608600031904],
  );
  const q = d.polynomial(
    z,
    [194.5506571482614, 485.3903996359137, 432.88106049129027, 165.02700983169885, 24.858464901423062, 1],
  );
  const series = d.add(d.mul(reduced, d.div(d.mul(z, p), q)), reduced);
  const base = d.select(large, d.constant(Math.PI / 2), and(middle, d.constant(Math.PI / 4)));
  const rest = d.select(large, d.constant(6.123233995736766e-17), and(middle, d.constant(3.061616997868383e-17)));
  const result = keep(f, d.add(base, d.add(series, rest)));
  return d.select(d.lt(a, d.constant(1e-100)), u, or(result, and(u, sign64)));
}

const call = (name: LaneFunctionName, f: FunctionBody, x: Code): Code => laneFunction(f, name, true, x);

function tanh64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const t = keep(f, call("expm1", f, d.mul(d.abs(u), d.constant(-2))));
  const result = d.div(d.neg(t), d.add(t, d.constant(2)));
  return or(and(u, sign64), keep(f, result));
}

function sinh64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const a = keep(f, d.abs(u));
  const t = keep(f, call("expm1", f, a));
  const quotient = keep(f, d.div(t, d.add(t, d.constant(1))));
  const small = d.sub(d.add(t, t), d.mul(t, quotient));
  const medium = d.mul(d.constant(0.5), d.select(d.lt(a, d.constant(1)), small, d.add(t, quotient)));
  const root = keep(f, call("exp", f, d.mul(a, d.constant(0.5))));
  const result = keep(f, d.select(d.lt(a, d.constant(700)), medium, d.mul(d.mul(root, d.constant(0.5)), root)));
  return or(result, and(u, sign64));
}

function cosh64(f: FunctionBody, x: Code): Code {
  const a = keep(f, d.abs(x));
  const e = keep(f, call("exp", f, a));
  const root = keep(f, call("exp", f, d.mul(a, d.constant(0.5))));
  const half = d.constant(0.5);
  return d.select(d.lt(a, d.constant(700)), d.add(d.mul(half, e), d.div(half, e)), d.mul(d.mul(root, half), root));
}

function sigmoid64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  return sigmoidOf(f, d, u, keep(f, call("exp", f, d.neg(d.abs(u)))));
}

function softplus64(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const rest = call("log1p", f, call("exp", f, d.neg(d.abs(u))));
  return d.add(d.max(u, d.constant(0)), rest);
}

function logCosh64(f: FunctionBody, x: Code): Code {
  const a = keep(f, d.abs(x));
  // Near 0 the sum would cancel: cosh u − 1 = 2 sinh²(u/2).
  const h = keep(f, call("sinh", f, d.mul(within(d, a, 0, 2), d.constant(0.5))));
  const small = keep(f, call("log1p", f, d.mul(d.mul(h, h), d.constant(2))));
  const large = d.add(d.sub(a, d.constant(Math.LN2)), call("log1p", f, call("exp", f, d.mul(a, d.constant(-2)))));
  return d.select(d.gt(a, d.constant(2)), keep(f, large), small);
}

// ---- float32 ----

function expm132(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const { n, fraction } = reduceExp32(f, keep(f, within(s, u, -30, 89)));
  const half = keep(f, powerOfTwo32(binary("i32x4.sub", n, constantI32x4(1))));
  const scaled = keep(f, s.add(s.mul(half, fraction), s.sub(half, s.constant(0.5))));
  return s.select(s.lt(s.abs(u), s.constant(1e-30)), u, s.add(scaled, scaled));
}

function log1p32(f: FunctionBody, x: Code): Code {
  const v = keep(f, x);
  const u = keep(f, s.add(v, s.constant(1)));
  const lost = s.select(s.ge(v, s.constant(1)), s.sub(s.constant(1), s.sub(u, v)), s.sub(v, s.sub(u, s.constant(1))));
  const correction = keep(f, s.select(s.lt(u, s.constant(2 ** 25)), s.div(lost, u), s.constant(0)));
  const result = keep(f, logEdges(f, s, u, keep(f, logCore32(f, u, correction))));
  return s.select(s.lt(s.abs(v), s.constant(2 ** -25)), v, result);
}

function softplus32(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const rest = keep(f, log1p32(f, exp32(f, s.neg(s.abs(u)))));
  return s.add(s.max(u, s.constant(0)), rest);
}

export const laneFunctions: Readonly<Record<LaneFunctionName, LaneFunction>> = {
  exp: { ulps: { float32: 1.5, float64: 1 }, float32: shortFunctions.exp, float64: exp64 },
  expm1: { ulps: { float32: 2.5, float64: 2.5 }, float32: expm132, float64: expm164 },
  log: { ulps: { float32: 1.5, float64: 1 }, float32: shortFunctions.log, float64: log64 },
  log1p: { ulps: { float32: 2.5, float64: 2 }, float32: log1p32, float64: log1p64 },
  sin: { ulps: { float32: 0.51, float64: 1 }, ...angles.sin },
  cos: { ulps: { float32: 0.51, float64: 1 }, ...angles.cos },
  tan: { ulps: { float32: 0.51, float64: 4 }, ...angles.tan },
  atan: { ulps: { float32: 0.51, float64: 1.5 }, float32: viaDoubles("atan", atan64), float64: atan64 },
  sinh: { ulps: { float32: 0.51, float64: 4 }, float32: viaDoubles("sinh", sinh64), float64: sinh64 },
  cosh: { ulps: { float32: 0.51, float64: 3 }, float32: viaDoubles("cosh", cosh64), float64: cosh64 },
  tanh: { ulps: { float32: 2.5, float64: 3 }, float32: shortFunctions.tanh, float64: tanh64 },
  sigmoid: { ulps: { float32: 2.5, float64: 2.5 }, float32: shortFunctions.sigmoid, float64: sigmoid64 },
  softplus: { ulps: { float32: 2.5, float64: 2.5 }, float32: softplus32, float64: softplus64 },
  logCosh: { ulps: { float32: 0.51, float64: 8 }, float32: viaDoubles("logCosh", logCosh64), float64: logCosh64 },
};

/** A function of the table on lanes, as a call. */
export function laneFunction(f: FunctionBody, name: LaneFunctionName, wide: boolean, x: Code): Code {
  const { float32, float64 } = laneFunctions[name];
  return wide ? outlined(f, `${name}64`, x, float64) : outlined(f, `${name}32`, x, float32);
}

/** a − ⌊a/b⌋·b for two float32 numbers held in float64 lanes, whose quotient is below 2²⁹: then the product is exact. */
function remainderOfSingles(f: FunctionBody, a: Code, b: Code, quotient: Code): Code {
  const whole = keep(f, d.trunc(quotient));
  // A divisor that is larger, and perhaps infinite, leaves a as it is.
  const r = keep(f, d.select(d.lt(d.abs(a), d.abs(b)), a, d.sub(a, d.mul(whole, b))));
  const differ = xor(d.lt(r, d.constant(0)), d.lt(b, d.constant(0)));
  // Adding 0 takes the sign from −0.
  const result = d.select(d.eq(r, d.constant(0)), d.constant(0), d.select(differ, d.add(r, b), r));
  return d.select(d.eq(r, r), keep(f, result), r);
}

/** The remainder with the sign of the divisor, exact as in JavaScript; large quotients and float64 lane by lane there. */
export function remainder(f: FunctionBody, wide: boolean, x: Code, y: Code): Code {
  const inJavaScript = (g: FunctionBody, result: Variable, a: Code, b: Code) => {
    for (const lane of [0, 1]) g.set(result, laneByLane("remainder", result.get, [a, b], lane));
  };
  const name = wide ? "remainder64" : "remainderOfSingles";
  const index = f.module.named(name, ["v128", "v128"], ["v128"], (g, a, b) => {
    const result = g.variable("v128");
    g.set(result, d.constant(0));
    if (wide) inJavaScript(g, result, a.get, b.get);
    else {
      const quotient = keep(g, d.div(a.get, b.get));
      g.set(result, remainderOfSingles(g, a.get, b.get, quotient));
      const large = d.gt(d.abs(quotient), d.constant(2 ** 29));
      g.if(unary("v128.any_true", large), () => inJavaScript(g, result, a.get, b.get));
    }
    result.get(g);
  });
  const body =
    (u: Code, v: Code): Code =>
    (g) =>
      g.call(index, u, v);
  return wide ? body(x, y) : throughDoubles(f, [x, y], ([u, v]) => body(u as Code, v as Code));
}

/** xʸ in float64 by JavaScript, lane by lane. */
function pow64(f: FunctionBody, x: Code, y: Code): Code {
  const result = f.variable("v128");
  f.set(result, d.constant(0));
  for (const lane of [0, 1]) f.set(result, laneByLane("pow", result.get, [x, y], lane));
  return result.get;
}

/** xʸ for two float32 numbers held in float64 lanes: exp(y·ln |x|), whose error float32 does not see. */
function powOfSingles(f: FunctionBody, x: Code, y: Code): Code {
  const size = keep(f, call("exp", f, d.mul(y, call("log", f, d.abs(x)))));
  const whole = keep(f, d.eq(d.floor(y), y));
  const half = keep(f, d.mul(y, d.constant(0.5)));
  const odd = and(whole, d.ne(d.floor(half), half));
  const signed = keep(f, xor(size, and(and(odd, x), sign64)));
  const real = d.select(or(or(whole, d.ge(x, d.constant(0))), d.eq(x, d.constant(-Infinity))), signed, d.constant(NaN));
  return d.select(d.eq(y, d.constant(0)), d.constant(1), keep(f, real));
}

/** xʸ with the edges of Math.pow: float32 within 0.51 ulp, float64 as JavaScript has it. */
export function power(f: FunctionBody, wide: boolean, x: Code, y: Code): Code {
  const a = keep(f, x);
  const b = keep(f, y);
  if (wide) return pow64(f, a, b);
  const index = f.module.named("powOfSingles", ["v128", "v128"], ["v128"], (g, u, v) =>
    powOfSingles(g, u.get, v.get)(g),
  );
  return throughDoubles(
    f,
    [a, b],
    ([u, v]) =>
      (g) =>
        g.call(index, u as Code, v as Code),
  );
}
