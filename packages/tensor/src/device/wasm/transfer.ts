import { binary, shifted, unary, type Address, type Code, type FunctionBody } from "./assembler.js";
import { asNumbers, asTest, type Lane } from "./formula.js";
import { constantI32x4, constantI64x2 } from "./lanes.js";
import { bytesPerElement, type DType } from "../../dtype.js";

/** How the lanes of a vector lie in memory: `stride` bytes apart, `count` of them wanted. */
export interface Spread {
  readonly stride: number;
  readonly count: number;
}

const lanesOf = (wide: boolean) => (wide ? 2 : 4);

/**
 * Loads lanes. Neighbours are read as a whole vector, past the last wanted one if need be: every buffer has 16 bytes
 * of slack. Lanes that are further apart are read one by one, and only those wanted.
 */
export function loadLanes(
  f: FunctionBody,
  dtype: DType,
  wide: boolean,
  address: Address,
  { stride, count }: Spread,
): Lane {
  const size = bytesPerElement(dtype);
  const near = stride === size;
  const lane = (
    whole: "v128.load" | "v128.load64_zero" | "v128.load32_zero",
    splat: "v128.load8_splat" | "v128.load32_splat" | "v128.load64_splat",
    single: "v128.load8_lane" | "v128.load32_lane" | "v128.load64_lane",
    spacing = 1,
  ): Code => {
    if (near && count > 1) return (g) => g.load(whole, address);
    if (stride === 0 || count === 1) return (g) => g.load(splat, address);
    return (g) => {
      let vector: Code = (h) => h.load(splat, address);
      for (let k = 1; k < count; k++) {
        const before = vector;
        vector = (h) => h.loadLane(single, shifted(address, k * stride), before, k * spacing);
      }
      vector(g);
    };
  };
  switch (dtype) {
    case "float64":
      return { type: "f64", code: lane("v128.load", "v128.load64_splat", "v128.load64_lane") };
    case "float32": {
      const code = lane(wide ? "v128.load64_zero" : "v128.load", "v128.load32_splat", "v128.load32_lane");
      return wide ? { type: "f64", code: unary("f64x2.promote_low_f32x4", code) } : { type: "f32", code };
    }
    case "int32":
    case "uint32": {
      const code = lane(wide ? "v128.load64_zero" : "v128.load", "v128.load32_splat", "v128.load32_lane");
      const signed = dtype === "int32";
      if (!wide) return { type: signed ? "i32" : "u32", code };
      return { type: "f64", code: unary(signed ? "f64x2.convert_low_i32x4_s" : "f64x2.convert_low_i32x4_u", code) };
    }
    case "bool": {
      // Bytes become lanes, then masks. A splat fills the lanes as it is.
      const bytes = 16 / lanesOf(wide);
      const raw = lane("v128.load32_zero", "v128.load8_splat", "v128.load8_lane", bytes);
      let code = raw;
      if (near && count > 1) {
        code = unary("i32x4.extend_low_i16x8_u", unary("i16x8.extend_low_i8x16_u", raw));
        if (wide) code = unary("i64x2.extend_low_i32x4_u", code);
      } else if (stride !== 0 && count > 1) {
        // The first lane came as a splat; its other bytes are in the way.
        const mask = wide ? constantI64x2(0, 1) : constantI32x4(1);
        code = binary("v128.and", raw, mask);
      }
      const zero = wide ? constantI64x2(0, 0) : constantI32x4(0);
      return { type: "mask", code: binary(wide ? "i64x2.ne" : "i32x4.ne", code, zero) };
    }
  }
}

/** Stores the first `count` lanes, `stride` bytes apart, converted to `dtype`. */
export function storeLanes(
  f: FunctionBody,
  dtype: DType,
  wide: boolean,
  address: Address,
  lane: Lane,
  { stride, count }: Spread,
): void {
  const whole = count === lanesOf(wide);
  const place = (k: number) => shifted(address, k * stride);
  switch (dtype) {
    case "float64": {
      const value = asNumbers(f, lane, "f64");
      if (whole && stride === 8) f.store("v128.store", address, value);
      else {
        const kept = count > 1 ? f.let("v128", value) : value;
        for (let k = 0; k < count; k++) f.storeLane("v128.store64_lane", place(k), kept, k);
      }
      return;
    }
    case "float32":
    case "int32":
    case "uint32": {
      const value = words(f, dtype, wide, lane);
      if (whole && stride === 4 && !wide) {
        f.store("v128.store", address, value);
        return;
      }
      const kept = count > 1 ? f.let("v128", value) : value;
      let k = 0;
      if (stride === 4 && count >= 2) {
        f.storeLane("v128.store64_lane", address, kept, 0);
        k = 2;
      }
      for (; k < count; k++) f.storeLane("v128.store32_lane", place(k), kept, k);
      return;
    }
    case "bool": {
      const mask = asTest(f, lane, wide);
      // The lowest byte of every lane, as 0 or 1, moved to the front.
      const packed: Code = (g) => {
        const kept = g.let("v128", binary("v128.and", mask, wide ? constantI64x2(0, 1) : constantI32x4(1)));
        kept(g);
        kept(g);
        const step = wide ? 8 : 4;
        g.shuffle(Array.from({ length: 16 }, (_, k) => (k % lanesOf(wide)) * step));
      };
      if (whole && stride === 1) {
        f.storeLane(wide ? "v128.store16_lane" : "v128.store32_lane", address, packed, 0);
        return;
      }
      const kept = f.let("v128", packed);
      for (let k = 0; k < count; k++) f.storeLane("v128.store8_lane", place(k), kept, k);
    }
  }
}

/** Lanes as 32-bit words of a dtype, packed at the front. Floats outside the range of an integer dtype saturate. */
function words(f: FunctionBody, dtype: "float32" | "int32" | "uint32", wide: boolean, lane: Lane): Code {
  if (wide) {
    const value = asNumbers(f, lane, "f64");
    if (dtype === "float32") return unary("f32x4.demote_f64x2_zero", value);
    return unary(dtype === "int32" ? "i32x4.trunc_sat_f64x2_s_zero" : "i32x4.trunc_sat_f64x2_u_zero", value);
  }
  return asNumbers(f, lane, dtype === "float32" ? "f32" : dtype === "int32" ? "i32" : "u32");
}
