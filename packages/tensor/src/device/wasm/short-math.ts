import { binary, unary, type Code, type FunctionBody, type ImportedFunction } from "./assembler.js";
import { and, constantI32x4, constantI64x2, f32x4 as s, or, shift, throughDoubles, type FloatLanes } from "./lanes.js";

// The functions that most float32 models use, and what math.ts has in common with them.

export const keep = (f: FunctionBody, value: Code) => f.let("v128", value);

/** What prints a function of one vector of lanes. */
export type Printer = (f: FunctionBody, x: Code) => Code;

export const sign64 = constantI64x2(-0x80000000, 0);

/** Calls a function of this module that is printed on first use: one copy serves every kernel of a module. */
export function outlined(f: FunctionBody, name: string, x: Code, body: Printer): Code {
  const index = f.module.named(name, ["v128"], ["v128"], (g, u) => body(g, u.get)(g));
  return (g) => g.call(index, x);
}

/** On float32 lanes what `body`, of a name of its own, is on float64: half by half. */
export const viaDoubles =
  (name: string, body: Printer): Printer =>
  (f, x) =>
    throughDoubles(f, [x], ([half]) => outlined(f, `${name}64`, half as Code, body));

/** One lane of `vector` replaced by what the JavaScript function makes of that lane of the arguments. */
export function laneByLane(name: ImportedFunction, vector: Code, args: readonly Code[], lane: number): Code {
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

/** Keeps x within [low, high]; NaN stays. */
export const within = (lanes: FloatLanes, x: Code, low: number, high: number) =>
  lanes.pmin(lanes.pmax(x, lanes.constant(low)), lanes.constant(high));

/** The logarithm where u is 0, negative, infinite or NaN. */
export function logEdges(f: FunctionBody, lanes: FloatLanes, u: Code, regular: Code): Code {
  const finite = lanes.select(lanes.lt(u, lanes.constant(Infinity)), regular, u);
  const positive = lanes.select(
    lanes.gt(u, lanes.constant(0)),
    keep(f, finite),
    lanes.div(lanes.constant(-1), lanes.abs(u)),
  );
  // −1/|u| is −∞ at 0; below, and for NaN, the answer is NaN.
  return lanes.select(lanes.ge(u, lanes.constant(0)), keep(f, positive), lanes.constant(NaN));
}

/** 1/(1 + e⁻ᵘ) without overflow, from e^−|u|. */
export function sigmoidOf(f: FunctionBody, lanes: FloatLanes, u: Code, e: Code): Code {
  const top = lanes.select(lanes.lt(u, lanes.constant(0)), e, lanes.constant(1));
  return lanes.div(keep(f, top), lanes.add(e, lanes.constant(1)));
}

/** 2ⁿ for whole n in [−126, 127], given as int32 lanes. */
export function powerOfTwo32(n: Code): Code {
  return shift("i32x4.shl", binary("i32x4.add", n, constantI32x4(127)), 23);
}

const expPolynomial = [
  5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4,
] as const;

/** 1.5·2²³: adding it leaves the nearest whole number in the low bits. */
const magic = 12582912;

/** n as int32 lanes, and eʳ − 1 with x = n·ln 2 + r, for |x| < 2²⁰. */
export function reduceExp32(f: FunctionBody, x: Code): { readonly n: Code; readonly fraction: Code } {
  const shifted = keep(f, s.add(s.mul(x, s.constant(Math.LOG2E)), s.constant(magic)));
  const n = keep(f, s.sub(shifted, s.constant(magic)));
  const r = keep(f, s.sub(s.sub(x, s.mul(n, s.constant(0.693359375))), s.mul(n, s.constant(-2.1219444e-4))));
  const fraction = s.add(s.mul(s.polynomial(r, expPolynomial), s.mul(r, r)), r);
  return { n: keep(f, binary("i32x4.sub", shifted, s.constant(magic))), fraction: keep(f, fraction) };
}

export function exp32(f: FunctionBody, x: Code): Code {
  const { n, fraction } = reduceExp32(f, keep(f, within(s, x, -105, 89)));
  const half = keep(f, shift("i32x4.shr_s", n, 1));
  return s.mul(s.mul(s.add(fraction, s.constant(1)), powerOfTwo32(half)), powerOfTwo32(binary("i32x4.sub", n, half)));
}

/** As in float64, with Cephes' polynomial. */
export function logCore32(f: FunctionBody, u: Code, correction: Code | null): Code {
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

/** In float32, printed where they are used; {@link LaneFunction} says how exact they are. */
export const shortFunctions = { exp: exp32, log: log32, tanh: tanh32, sigmoid: sigmoid32 } as const;
