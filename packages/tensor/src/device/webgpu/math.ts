/**
 * Scalar functions in WGSL. Every one holds for all arguments: ±0, ±∞ and NaN as in `Math`; numbers below 2⁻¹²⁶ may
 * count as 0, as WGSL allows. WGSL states builtins too weak for training (sin within 2⁻¹¹, exp within 3 + 2|x| ulp, log
 * within 2⁻²¹ near 1): here all but the arithmetic is by polynomials. `ulps` states the largest error in units of the
 * last place, given + − · rounded to nearest and a quotient or root within the 2.5 ulp of WGSL;
 * `test/webgpu/math.test.ts` measures it.
 *
 * Polynomials are Cephes' (S. Moshier), xʸ follows fdlibm's e_powf (Sun Microsystems, 1993), large angles are reduced
 * by the product with 2/π in integers (M. Payne, R. Hanek, 1983).
 */
export interface ShaderFunction {
  readonly ulps: number;
  readonly uses?: readonly ShaderFunctionName[];
  readonly text: string;
}

export type ShaderFunctionName = keyof typeof functions;

/** In the order in which a module may declare them: WGSL allows any. */
const functions = {
  is_nan: {
    ulps: 0,
    text: "fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }",
  },
  is_finite: {
    ulps: 0,
    text: "fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }",
  },
  // What is no constant to the compiler, which refuses constants that are not finite.
  infinity: {
    ulps: 0,
    text: "fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }",
  },
  not_a_number: {
    ulps: 0,
    text: "fn not_a_number() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }",
  },
  maximum: {
    ulps: 0,
    uses: ["is_nan"],
    text: "fn maximum(a: f32, b: f32) -> f32 { return select(select(b, a, a > b), a, is_nan(a)); }",
  },
  minimum: {
    ulps: 0,
    uses: ["is_nan"],
    text: "fn minimum(a: f32, b: f32) -> f32 { return select(select(b, a, a < b), a, is_nan(a)); }",
  },
  sign_of: {
    ulps: 0,
    text: "fn sign_of(x: f32) -> f32 { return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0); }",
  },
  with_sign: {
    ulps: 0,
    text: "fn with_sign(size: f32, sign: f32) -> f32 { return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u)); }",
  },
  power_of_two: {
    ulps: 0,
    text: "fn power_of_two(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }",
  },
  scaled: {
    ulps: 0.5,
    uses: ["power_of_two"],
    text: "fn scaled(x: f32, n: i32) -> f32 { let half = n >> 1u; return (x * power_of_two(half)) * power_of_two(n - half); }",
  },
  exp_part: {
    ulps: 1,
    text: `fn exp_part(r: f32) -> f32 {
  return ((((((1.98756915e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1) * (r * r)) + r;
}`,
  },
  exp_of: {
    ulps: 2,
    uses: ["is_nan", "exp_part", "scaled"],
    text: `fn exp_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let u = clamp(x, -105.0, 89.0);
  let n = round(u * 1.44269504);
  let r = (u - n * 0.693359375) + n * 2.1219444e-4;
  return scaled(exp_part(r) + 1.0, i32(n));
}`,
  },
  expm1_of: {
    ulps: 3,
    uses: ["is_nan", "exp_part", "power_of_two"],
    text: `fn expm1_of(x: f32) -> f32 {
  if (is_nan(x) || abs(x) < 1e-30) { return x; }
  let u = clamp(x, -30.0, 89.0);
  let n = round(u * 1.44269504);
  let r = (u - n * 0.693359375) + n * 2.1219444e-4;
  let half = power_of_two(i32(n) - 1);
  let result = half * exp_part(r) + (half - 0.5);
  return result + result;
}`,
  },
  log_part: {
    ulps: 1,
    text: `fn log_part(f: f32) -> f32 {
  let p = ((((((((7.0376836292e-2 * f - 1.151461031e-1) * f + 1.167699874e-1) * f - 1.2420140846e-1) * f + 1.4249322787e-1) * f - 1.6668057665e-1) * f + 2.0000714765e-1) * f - 2.4999993993e-1) * f + 3.3333331174e-1);
  return p * (f * f * f);
}`,
  },
  log_of: {
    ulps: 2,
    uses: ["log_part", "infinity", "not_a_number"],
    text: `fn log_of(x: f32) -> f32 {
  if (!(x >= 0.0)) { return not_a_number(); }
  if (x == 0.0) { return -infinity(); }
  if (bitcast<u32>(x) == 0x7f800000u) { return x; }
  let tiny = x < 1.1754944e-38;
  let bits = bitcast<u32>(select(x, x * 16777216.0, tiny)) + (0x3f800000u - 0x3f3504f3u);
  let k = f32(i32(bits >> 23u) - select(127, 151, tiny));
  let f = bitcast<f32>((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0;
  let tail = (log_part(f) - k * 2.1219444e-4) - 0.5 * (f * f);
  return (f + tail) + k * 0.693359375;
}`,
  },
  log1p_of: {
    ulps: 3,
    uses: ["log_part", "log_of"],
    text: `fn log1p_of(x: f32) -> f32 {
  if (abs(x) < 1e-8) { return x; }
  if (x > -0.29 && x < 0.41) { return x + (log_part(x) - 0.5 * (x * x)); }
  return log_of(1.0 + x);
}`,
  },
  high_product: {
    ulps: 0,
    text: `fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let left = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let right = (a & 0xffffu) * (b >> 16u) + (left & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (left >> 16u) + (right >> 16u);
}`,
  },
  // r = x − n·π/2 and the last bits of n.
  angle: {
    ulps: 2,
    uses: ["high_product"],
    text: `struct Angle { r: f32, quadrant: i32 }
const two_over_pi = array<u32, 7>(0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
fn angle(x: f32) -> Angle {
  if (abs(x) < 6000.0) {
    let n = round(x * 0.636619772);
    return Angle(((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.54978995489188216e-8, i32(n));
  }
  let bits = bitcast<u32>(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) { return Angle(x - x, 0); }
  let m = ((bits & 0x007fffffu) << 8u) | 0x80000000u;
  let exponent = ((bits >> 23u) & 0xffu) - 126u;
  let i = exponent >> 5u;
  let e = exponent & 31u;
  var table = two_over_pi;
  var high = 0u;
  if (i > 0u) { high = table[i - 1u]; }
  var middle = table[i];
  var low = table[i + 1u];
  if (e != 0u) {
    high = (high << e) | (middle >> (32u - e));
    middle = (middle << e) | (low >> (32u - e));
    low = (low << e) | (table[i + 2u] >> (32u - e));
  }
  let carried = high_product(m, low);
  let bottom = m * middle + carried;
  var top = m * high + high_product(m, middle) + select(0u, 1u, bottom < carried);
  var quadrant = i32(top >> 30u);
  top = top & 0x3fffffffu;
  var rest = bottom;
  let above = (top & 0x20000000u) != 0u;
  if (above) {
    top = 0x3fffffffu - top + select(0u, 1u, rest == 0u);
    rest = 0u - rest;
    quadrant += 1;
  }
  var shift = countLeadingZeros(top);
  if (top == 0u) { top = rest; rest = 0u; shift = 32u + countLeadingZeros(top); }
  let within = shift & 31u;
  if (within != 0u) { top = (top << within) | (rest >> (32u - within)); }
  let size = f32(top) * 1.57079633 * bitcast<f32>((127u - 30u - shift) << 23u);
  let negative = (bits & 0x80000000u) != 0u;
  return Angle(select(size, -size, above != negative), select(quadrant, -quadrant, negative));
}`,
  },
  sin_part: {
    ulps: 1,
    text: `fn sin_part(r: f32) -> f32 {
  let z = r * r;
  return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}`,
  },
  cos_part: {
    ulps: 1,
    text: `fn cos_part(r: f32) -> f32 {
  let z = r * r;
  return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
}`,
  },
  sin_of: {
    ulps: 2.5,
    uses: ["angle", "sin_part", "cos_part"],
    text: `fn sin_of(x: f32) -> f32 {
  if (abs(x) < 1e-4) { return x; }
  let a = angle(x);
  let value = select(sin_part(a.r), cos_part(a.r), (a.quadrant & 1) != 0);
  return select(value, -value, (a.quadrant & 2) != 0);
}`,
  },
  cos_of: {
    ulps: 2.5,
    uses: ["angle", "sin_part", "cos_part"],
    text: `fn cos_of(x: f32) -> f32 {
  let a = angle(x);
  let value = select(cos_part(a.r), sin_part(a.r), (a.quadrant & 1) != 0);
  return select(value, -value, ((a.quadrant + 1) & 2) != 0);
}`,
  },
  tan_of: {
    ulps: 6,
    uses: ["angle", "sin_part", "cos_part"],
    text: `fn tan_of(x: f32) -> f32 {
  if (abs(x) < 1e-4) { return x; }
  let a = angle(x);
  let s = sin_part(a.r);
  let c = cos_part(a.r);
  return select(s / c, -c / s, (a.quadrant & 1) != 0);
}`,
  },
  atan_of: {
    ulps: 3,
    uses: ["with_sign"],
    text: `fn atan_of(x: f32) -> f32 {
  let a = abs(x);
  var base = 0.0;
  var u = a;
  if (a > 2.41421356) { base = 1.57079633; u = select(-1.0 / a, 0.0, a > 1e30); }
  else if (a > 0.414213562) { base = 0.785398163; u = (a - 1.0) / (a + 1.0); }
  let z = u * u;
  let p = (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * u + u;
  return with_sign(base + p, x);
}`,
  },
  sinh_of: {
    ulps: 4,
    uses: ["exp_of", "with_sign"],
    text: `fn sinh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a < 1.0) {
    let z = x * x;
    return ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
  }
  if (a > 80.0) { let h = exp_of(0.5 * a); return with_sign((0.5 * h) * h, x); }
  let e = exp_of(a);
  return with_sign(0.5 * e - 0.5 / e, x);
}`,
  },
  cosh_of: {
    ulps: 4,
    uses: ["exp_of"],
    text: `fn cosh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a > 80.0) { let h = exp_of(0.5 * a); return (0.5 * h) * h; }
  let e = exp_of(a);
  return 0.5 * e + 0.5 / e;
}`,
  },
  tanh_of: {
    ulps: 3,
    uses: ["exp_of", "with_sign"],
    text: `fn tanh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.625) {
    let z = x * x;
    return ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1) * z * x + x;
  }
  if (a > 10.0) { return with_sign(1.0, x); }
  return with_sign(1.0 - 2.0 / (exp_of(a + a) + 1.0), x);
}`,
  },
  sigmoid_of: {
    ulps: 4,
    uses: ["exp_of"],
    text: `fn sigmoid_of(x: f32) -> f32 {
  let e = exp_of(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}`,
  },
  softplus_of: {
    ulps: 4,
    uses: ["exp_of", "log1p_of", "maximum"],
    text: "fn softplus_of(x: f32) -> f32 { return maximum(x, 0.0) + log1p_of(exp_of(-abs(x))); }",
  },
  log_cosh_of: {
    ulps: 8,
    uses: ["exp_of", "log1p_of", "sinh_of"],
    text: `fn log_cosh_of(x: f32) -> f32 {
  let a = abs(x);
  if (a > 2.0) { return (a - 0.693147181) + log1p_of(exp_of(-2.0 * a)); }
  let s = sinh_of(0.5 * x);
  return log1p_of(2.0 * s * s);
}`,
  },
  // Exact: digit by digit. The sign of the result is that of b, 0 has none.
  remainder_of: {
    ulps: 0.5,
    uses: ["is_nan", "is_finite", "not_a_number"],
    text: `fn remainder_of(a: f32, b: f32) -> f32 {
  if (is_nan(b) || !is_finite(a) || b == 0.0) { return not_a_number(); }
  var r = a;
  if (is_finite(b) && abs(a) >= abs(b)) {
    let x = bitcast<u32>(a) & 0x7fffffffu;
    let y = bitcast<u32>(b) & 0x7fffffffu;
    let ex = max(x >> 23u, 1u);
    let ey = max(y >> 23u, 1u);
    var m = select(x & 0x007fffffu, (x & 0x007fffffu) | 0x00800000u, (x >> 23u) > 0u);
    let d = select(y & 0x007fffffu, (y & 0x007fffffu) | 0x00800000u, (y >> 23u) > 0u);
    for (var e = ex; e > ey; e--) {
      if (m >= d) { m -= d; }
      m = m << 1u;
      if (m >= d) { m -= d; }
    }
    m = m % d;
    r = f32(m) * bitcast<f32>((max(ey, 24u) - 23u) << 23u) * select(1.0, 1.0 / f32(1u << (24u - min(ey, 24u))), ey < 24u);
    r = select(r, -r, a < 0.0);
  }
  if (r == 0.0) { return 0.0; }
  return select(r, r + b, (r < 0.0) != (b < 0.0));
}`,
  },
  cut: {
    ulps: 0,
    text: "fn cut(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }",
  },
  // |x|ʸ for finite |x| > 0 and finite y ≠ 0.
  power_part: {
    ulps: 2,
    uses: ["cut", "scaled", "infinity"],
    text: `fn power_part(x: f32, y: f32) -> f32 {
  let tiny = x < 1.1754944e-38;
  let bits = bitcast<u32>(select(x, x * 16777216.0, tiny));
  var n = i32(bits >> 23u) - select(127, 151, tiny);
  let digits = bits & 0x007fffffu;
  var ix = digits | 0x3f800000u;
  var upper = false;
  if (digits > 0x1cc471u) {
    if (digits < 0x5db3d7u) { upper = true; } else { n += 1; ix -= 0x00800000u; }
  }
  let bp = select(1.0, 1.5, upper);
  let ax = bitcast<f32>(ix);
  let u0 = ax - bp;
  let v0 = 1.0 / (ax + bp);
  let s = u0 * v0;
  let s_h = cut(s);
  let t_h0 = bitcast<f32>((((ix >> 1u) & 0xfffff000u) | 0x20000000u) + 0x00400000u + select(0u, 0x00200000u, upper));
  let t_l0 = ax - (t_h0 - bp);
  let s_l = v0 * ((u0 - s_h * t_h0) - s_h * t_l0);
  let q = s * s;
  let r0 = q * q * (6.0000002384e-1 + q * (4.2857143283e-1 + q * (3.3333334327e-1 + q * (2.7272811532e-1 + q * (2.3066075146e-1 + q * 2.0697501302e-1))))) + s_l * (s_h + s);
  let s2 = s_h * s_h;
  let t_h = cut(3.0 + s2 + r0);
  let t_l = r0 - ((t_h - 3.0) - s2);
  let u1 = s_h * t_h;
  let v1 = s_l * t_h + t_l * s;
  let p_h = cut(u1 + v1);
  let p_l = v1 - (p_h - u1);
  let z_h = 9.6191406250e-1 * p_h;
  let z_l = -1.1736857402e-4 * p_h + p_l * 9.6179670095e-1 + select(0.0, 1.56322085e-6, upper);
  let dp_h = select(0.0, 5.84960938e-1, upper);
  let t = f32(n);
  let t1 = cut(((z_h + z_l) + dp_h) + t);
  let t2 = z_l - (((t1 - t) - dp_h) - z_h);
  let rough = y * (t1 + t2);
  if (rough >= 128.0) { return infinity(); }
  if (rough < -151.0) { return 0.0; }
  let y1 = cut(y);
  let low = (y - y1) * t1 + y * t2;
  var high = y1 * t1;
  let whole = round(low + high);
  high -= whole;
  let h = bitcast<f32>(bitcast<u32>(low + high) & 0xffff8000u);
  let u2 = h * 6.93145752e-1;
  let v2 = (low - (h - high)) * 6.9314718246e-1 + h * 1.42860654e-6;
  let z = u2 + v2;
  let w = v2 - (z - u2);
  let zz = z * z;
  let c = z - zz * (1.6666667163e-1 + zz * (-2.7777778450e-3 + zz * (6.6137559770e-5 + zz * (-1.6533901999e-6 + zz * 4.1381369442e-8))));
  let r = (z * c) / (c - 2.0) - (w + z * w);
  return scaled(1.0 - (r - z), i32(whole));
}`,
  },
  power: {
    ulps: 2,
    uses: ["power_part", "is_nan", "is_finite", "infinity", "not_a_number"],
    text: `fn power(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (is_nan(x) || is_nan(y)) { return not_a_number(); }
  let a = abs(x);
  if (!is_finite(y)) {
    if (a == 1.0) { return not_a_number(); }
    return select(0.0, infinity(), (a > 1.0) == (y > 0.0));
  }
  let whole = floor(y) == y;
  let odd = whole && abs(y) < 16777216.0 && floor(y * 0.5) != y * 0.5;
  var size = 0.0;
  if (a == 0.0 || !is_finite(a)) { size = select(0.0, infinity(), (a == 0.0) == (y < 0.0)); }
  else {
    if (x < 0.0 && !whole) { return not_a_number(); }
    size = power_part(a, y);
  }
  return select(size, -size, odd && (bitcast<u32>(x) & 0x80000000u) != 0u);
}`,
  },
} as const satisfies Record<string, { ulps: number; uses?: readonly string[]; text: string }>;

export const shaderFunctions: Readonly<Record<ShaderFunctionName, ShaderFunction>> = functions;
