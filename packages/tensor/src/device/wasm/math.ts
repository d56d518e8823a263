import { binary, unary, type Code, type FunctionBody, type ImportedFunction, type Variable } from "./assembler.js";
import {
  and,
  constantI32x4,
  constantI64x2,
  f32x4 as s,
  f64x2 as d,
  or,
  shift,
  throughDoubles,
  xor,
  type FloatLanes,
} from "./lanes.js";

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
  readonly float32: (f: FunctionBody, x: Code) => Code;
  readonly float64: (f: FunctionBody, x: Code) => Code;
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

const keep = (f: FunctionBody, value: Code) => f.let("v128", value);

/** Calls a function of this module that is printed on first use: one copy serves every kernel of a module. */
function outlined(f: FunctionBody, name: string, x: Code, body: (g: FunctionBody, x: Code) => Code): Code {
  const index = f.module.named(name, ["v128"], ["v128"], (g, u) => body(g, u.get)(g));
  return (g) => g.call(index, x);
}

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

/** Keeps x within [low, high]; NaN stays. */
const within = (lanes: FloatLanes, x: Code, low: number, high: number) =>
  lanes.pmin(lanes.pmax(x, lanes.constant(low)), lanes.constant(high));

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

/** The logarithm where u is 0, negative, infinite or NaN. */
function logEdges(f: FunctionBody, lanes: FloatLanes, u: Code, regular: Code): Code {
  const finite = lanes.select(lanes.lt(u, lanes.constant(Infinity)), regular, u);
  const positive = lanes.select(
    lanes.gt(u, lanes.constant(0)),
    keep(f, finite),
    lanes.div(lanes.constant(-1), lanes.abs(u)),
  );
  // −1/|u| is −∞ at 0; below, and for NaN, the answer is NaN.
  return lanes.select(lanes.ge(u, lanes.constant(0)), keep(f, positive), lanes.constant(NaN));
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

/** The quadrant and the rest r + tail of x modulo π/2, for |x| ≤ 2²⁰. */
function reduceAngle(f: FunctionBody, x: Code): { readonly quadrant: Code; readonly r: Code; readonly tail: Code } {
  const n = keep(f, d.nearest(d.mul(x, d.constant(0.6366197723675814))));
  let r = keep(f, d.sub(x, d.mul(n, d.constant(1.5707963267341256))));
  let w = keep(f, d.mul(n, d.constant(6.077100506506192e-11)));
  for (const [part, rest] of [
    [6.077100506303966e-11, 2.0222662487959506e-21],
    [2.0222662487111665e-21, 8.4784276603689e-32],
  ] as const) {
    const before = r;
    const step = keep(f, d.mul(n, d.constant(part)));
    r = keep(f, d.sub(before, step));
    w = keep(f, d.sub(d.mul(n, d.constant(rest)), d.sub(d.sub(before, r), step)));
  }
  const first = keep(f, d.sub(r, w));
  const tail = keep(f, d.sub(d.sub(r, first), w));
  const quadrant = keep(f, unary("i64x2.extend_low_i32x4_s", unary("i32x4.trunc_sat_f64x2_s_zero", n)));
  return { quadrant, r: first, tail };
}

function sinKernel(f: FunctionBody, r: Code, tail: Code): Code {
  const z = keep(f, d.mul(r, r));
  const v = keep(f, d.mul(z, r));
  const p = d.polynomial(
    z,
    [
      0.00833333333332249, -0.0001984126982985795, 0.0000027557313707070068, -2.5050760253406863e-8,
      1.58969099521155e-10,
    ],
  );
  const inner = d.sub(d.mul(z, d.sub(d.mul(d.constant(0.5), tail), d.mul(v, p))), tail);
  return d.sub(r, d.sub(inner, d.mul(v, d.constant(-0.16666666666666632))));
}

function cosKernel(f: FunctionBody, r: Code, tail: Code): Code {
  const z = keep(f, d.mul(r, r));
  const p = d.mul(
    z,
    d.polynomial(
      z,
      [
        0.0416666666666666, -0.001388888888887411, 0.00002480158728947673, -2.7557314351390663e-7, 2.087572321298175e-9,
        -1.1359647557788195e-11,
      ],
    ),
  );
  const half = keep(f, d.mul(d.constant(0.5), z));
  const w = keep(f, d.sub(d.constant(1), half));
  return d.add(w, d.add(d.sub(d.sub(d.constant(1), w), half), d.sub(d.mul(z, p), d.mul(r, tail))));
}

const bit64 = (quadrant: Code, bit: number) =>
  binary("i64x2.ne", and(quadrant, constantI64x2(0, bit)), constantI64x2(0, 0));
const sign64 = constantI64x2(-0x80000000, 0);

type Trigonometric = "sin" | "cos" | "tan";

function angle64(name: Trigonometric): (f: FunctionBody, x: Code) => Code {
  return (f, x) => {
    const u = keep(f, x);
    const result = f.variable("v128");
    const { quadrant, r, tail } = reduceAngle(f, u);
    const sine = keep(f, sinKernel(f, r, tail));
    const cosine = keep(f, cosKernel(f, r, tail));
    const odd = keep(f, bit64(quadrant, 1));
    if (name === "tan") {
      const top = d.select(odd, d.neg(cosine), sine);
      f.set(result, d.div(top, d.select(odd, sine, cosine)));
    } else {
      const shifted = name === "sin" ? quadrant : binary("i64x2.add", quadrant, constantI64x2(0, 1));
      const value = name === "sin" ? d.select(odd, cosine, sine) : d.select(odd, sine, cosine);
      f.set(result, xor(keep(f, value), and(bit64(shifted, 2), sign64)));
    }
    if (name !== "cos") f.set(result, d.select(d.lt(d.abs(u), d.constant(1e-100)), u, result.get));
    const large = d.gt(d.abs(u), d.constant(2 ** 20));
    f.if(unary("v128.any_true", large), () => {
      for (const lane of [0, 1]) f.set(result, laneByLane(name, result.get, [u], lane));
    });
    return result.get;
  };
}

/** One lane of `vector` replaced by what the JavaScript function makes of that lane of the arguments. */
function laneByLane(name: ImportedFunction, vector: Code, args: readonly Code[], lane: number): Code {
  return (g) => {
    vector(g);
    const lanes = args.map((arg): Code => (h) => {
      arg(h);
      h.lane("f64x2.extract_lane", lane);
    });
    g.call(g.module.imported(name), ...lanes);
    g.lane("f64x2.replace_lane", lane);
  };
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

const call = (name: LaneFunctionName, f: FunctionBody, x: Code): Code =>
  outlined(f, `${name}64`, x, (g, u) => laneFunctions[name].float64(g, u));

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

/** 1/(1 + e⁻ᵘ) without overflow, from e^−|u|. */
function sigmoidOf(f: FunctionBody, lanes: FloatLanes, u: Code, e: Code): Code {
  const top = lanes.select(lanes.lt(u, lanes.constant(0)), e, lanes.constant(1));
  return lanes.div(keep(f, top), lanes.add(e, lanes.constant(1)));
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

/** 2ⁿ for whole n in [−126, 127], given as int32 lanes. */
function powerOfTwo32(n: Code): Code {
  return shift("i32x4.shl", binary("i32x4.add", n, constantI32x4(127)), 23);
}

const expPolynomial = [
  5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4,
] as const;

/** 1.5·2²³: adding it leaves the nearest whole number in the low bits. */
const magic = 12582912;

/** n as int32 lanes, and eʳ − 1 with x = n·ln 2 + r, for |x| < 2²⁰. */
function reduceExp32(f: FunctionBody, x: Code): { readonly n: Code; readonly fraction: Code } {
  const shifted = keep(f, s.add(s.mul(x, s.constant(Math.LOG2E)), s.constant(magic)));
  const n = keep(f, s.sub(shifted, s.constant(magic)));
  const r = keep(f, s.sub(s.sub(x, s.mul(n, s.constant(0.693359375))), s.mul(n, s.constant(-2.1219444e-4))));
  const fraction = s.add(s.mul(s.polynomial(r, expPolynomial), s.mul(r, r)), r);
  return { n: keep(f, binary("i32x4.sub", shifted, s.constant(magic))), fraction: keep(f, fraction) };
}

function exp32(f: FunctionBody, x: Code): Code {
  const { n, fraction } = reduceExp32(f, keep(f, within(s, x, -105, 89)));
  const half = keep(f, shift("i32x4.shr_s", n, 1));
  return s.mul(s.mul(s.add(fraction, s.constant(1)), powerOfTwo32(half)), powerOfTwo32(binary("i32x4.sub", n, half)));
}

function expm132(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const { n, fraction } = reduceExp32(f, keep(f, within(s, u, -30, 89)));
  const half = keep(f, powerOfTwo32(binary("i32x4.sub", n, constantI32x4(1))));
  const scaled = keep(f, s.add(s.mul(half, fraction), s.sub(half, s.constant(0.5))));
  return s.select(s.lt(s.abs(u), s.constant(1e-30)), u, s.add(scaled, scaled));
}

/** As in float64, with Cephes' polynomial. */
function logCore32(f: FunctionBody, u: Code, correction: Code | null): Code {
  const tiny = keep(f, s.lt(u, s.constant(2 ** -126)));
  const normal = keep(f, s.select(tiny, s.mul(u, s.constant(2 ** 24)), u));
  const bits = keep(f, binary("i32x4.add", normal, constantI32x4(0x3f800000 - 0x3f3504f3)));
  const exponent = binary("i32x4.sub", shift("i32x4.shr_u", bits, 23), constantI32x4(127));
  const k = keep(f, s.sub(unary("f32x4.convert_i32x4_s", exponent), and(tiny, s.constant(24))));
  const mantissa = binary("i32x4.add", and(bits, constantI32x4(0x007fffff)), constantI32x4(0x3f3504f3));
  const fr = keep(f, s.sub(mantissa, s.constant(1)));
  const z = keep(f, s.mul(fr, fr));
  const p = s.polynomial(
    fr,
    [
      3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
      1.167699874e-1, -1.151461031e-1, 7.0376836292e-2,
    ],
  );
  const low = s.add(s.mul(s.mul(fr, z), p), s.mul(k, s.constant(-2.1219444e-4)));
  const tail = s.sub(correction === null ? low : s.add(low, correction), s.mul(s.constant(0.5), z));
  return s.add(s.add(fr, tail), s.mul(k, s.constant(0.693359375)));
}

function log32(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  return logEdges(f, s, u, keep(f, logCore32(f, u, null)));
}

function log1p32(f: FunctionBody, x: Code): Code {
  const v = keep(f, x);
  const u = keep(f, s.add(v, s.constant(1)));
  const lost = s.select(s.ge(v, s.constant(1)), s.sub(s.constant(1), s.sub(u, v)), s.sub(v, s.sub(u, s.constant(1))));
  const correction = keep(f, s.select(s.lt(u, s.constant(2 ** 25)), s.div(lost, u), s.constant(0)));
  const result = keep(f, logEdges(f, s, u, keep(f, logCore32(f, u, correction))));
  return s.select(s.lt(s.abs(v), s.constant(2 ** -25)), v, result);
}

function tanh32(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const a = keep(f, s.abs(u));
  const z = keep(f, s.mul(u, u));
  const p = s.polynomial(
    z,
    [-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3],
  );
  const small = keep(f, s.add(s.mul(s.mul(p, z), u), u));
  const e = keep(f, exp32(f, s.add(a, a)));
  const large = s.sub(s.constant(1), s.div(s.constant(2), s.add(e, s.constant(1))));
  const signed = or(large, and(u, constantI32x4(-0x80000000)));
  return s.select(s.lt(a, s.constant(0.625)), small, keep(f, signed));
}

function sigmoid32(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  return sigmoidOf(f, s, u, keep(f, exp32(f, s.neg(s.abs(u)))));
}

function softplus32(f: FunctionBody, x: Code): Code {
  const u = keep(f, x);
  const rest = keep(f, log1p32(f, exp32(f, s.neg(s.abs(u)))));
  return s.add(s.max(u, s.constant(0)), rest);
}

const viaDoubles = (name: LaneFunctionName) => (f: FunctionBody, x: Code) =>
  throughDoubles(f, [x], ([half]) => call(name, f, half as Code));

export const laneFunctions: Readonly<Record<LaneFunctionName, LaneFunction>> = {
  exp: { ulps: { float32: 1.5, float64: 1 }, float32: exp32, float64: exp64 },
  expm1: { ulps: { float32: 2.5, float64: 2.5 }, float32: expm132, float64: expm164 },
  log: { ulps: { float32: 1.5, float64: 1 }, float32: log32, float64: log64 },
  log1p: { ulps: { float32: 2.5, float64: 2 }, float32: log1p32, float64: log1p64 },
  sin: { ulps: { float32: 0.51, float64: 1 }, float32: viaDoubles("sin"), float64: angle64("sin") },
  cos: { ulps: { float32: 0.51, float64: 1 }, float32: viaDoubles("cos"), float64: angle64("cos") },
  tan: { ulps: { float32: 0.51, float64: 4 }, float32: viaDoubles("tan"), float64: angle64("tan") },
  atan: { ulps: { float32: 0.51, float64: 1.5 }, float32: viaDoubles("atan"), float64: atan64 },
  sinh: { ulps: { float32: 0.51, float64: 4 }, float32: viaDoubles("sinh"), float64: sinh64 },
  cosh: { ulps: { float32: 0.51, float64: 3 }, float32: viaDoubles("cosh"), float64: cosh64 },
  tanh: { ulps: { float32: 2.5, float64: 3 }, float32: tanh32, float64: tanh64 },
  sigmoid: { ulps: { float32: 2.5, float64: 2.5 }, float32: sigmoid32, float64: sigmoid64 },
  softplus: { ulps: { float32: 2.5, float64: 2.5 }, float32: softplus32, float64: softplus64 },
  logCosh: { ulps: { float32: 0.51, float64: 8 }, float32: viaDoubles("logCosh"), float64: logCosh64 },
};

const inPlace: ReadonlySet<LaneFunctionName> = new Set<LaneFunctionName>(["exp", "log", "tanh", "sigmoid"]);

/** A function of the table on lanes: in float32 in place where it is short, otherwise as a call. */
export function laneFunction(f: FunctionBody, name: LaneFunctionName, wide: boolean, x: Code): Code {
  if (!wide && inPlace.has(name)) return laneFunctions[name].float32(f, x);
  return wide ? call(name, f, x) : outlined(f, `${name}32`, x, (g, u) => laneFunctions[name].float32(g, u));
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
