import { binary, unary, type Code, type FunctionBody } from "./assembler.js";
import { and, constantI64x2, f64x2 as d, xor } from "./lanes.js";
import { keep, laneByLane, sign64, viaDoubles, type Printer } from "./short-math.js";

// Random numbers of the normal distribution take a cosine, so that these are with what every model needs.

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

type Trigonometric = "sin" | "cos" | "tan";

function angle64(name: Trigonometric): Printer {
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

const angle = (name: Trigonometric) => {
  const float64 = angle64(name);
  return { float32: viaDoubles(name, float64), float64 };
};

/** Arguments beyond 2²⁰ are handed to JavaScript, lane by lane. {@link LaneFunction} says how exact they are. */
export const angles = { sin: angle("sin"), cos: angle("cos"), tan: angle("tan") } as const;
