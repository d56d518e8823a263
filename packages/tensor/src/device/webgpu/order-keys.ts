import type { ShaderBuilder } from "./shader.js";

/** Whole numbers (u32) in the order of floats, NaN of any kind last. */
export function keyOf(shader: ShaderBuilder, value: string): string {
  const name = shader.declare(
    "order_key",
    `fn order_key(value: f32) -> u32 {
      let bits = bitcast<u32>(value);
      if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
      return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
    }`,
  );
  return `${name}(${value})`;
}

/** The float of a key. */
export function floatOf(shader: ShaderBuilder, key: string): string {
  const name = shader.declare(
    "order_float",
    `fn order_float(key: u32) -> f32 {
      return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
    }`,
  );
  return `${name}(${key})`;
}
