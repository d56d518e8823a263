/** Instructions of WebAssembly without immediate operands, and those of memory, by their names in the text format. */
const plain = {
  "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a, "i32.gt_u": 0x4b,
  "i32.le_s": 0x4c, "i32.le_u": 0x4d, "i32.ge_s": 0x4e, "i32.ge_u": 0x4f,
  "f32.eq": 0x5b, "f32.ne": 0x5c, "f32.lt": 0x5d, "f32.gt": 0x5e,
  "f64.eq": 0x61, "f64.ne": 0x62, "f64.lt": 0x63, "f64.gt": 0x64,
  "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_s": 0x6d, "i32.div_u": 0x6e, "i32.rem_u": 0x70,
  "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_s": 0x75, "i32.shr_u": 0x76,
  "f32.abs": 0x8b, "f32.add": 0x92, "f32.sub": 0x93, "f32.mul": 0x94, "f32.div": 0x95, "f32.max": 0x97,
  "f64.abs": 0x99, "f64.add": 0xa0, "f64.sub": 0xa1, "f64.mul": 0xa2, "f64.div": 0xa3, "f64.max": 0xa5,
  "i32.wrap_i64": 0xa7, "f32.demote_f64": 0xb6, "f64.promote_f32": 0xbb, "select": 0x1b, "drop": 0x1a, "return": 0x0f,
} as const;

/** Behind the prefix 0xfc. */
const numeric = { "i64.trunc_sat_f64_s": 0x06, "i64.trunc_sat_f64_u": 0x07 } as const;

/** Behind the prefix 0xfd: SIMD, and relaxed SIMD from 0x100. */
const vector = {
  "i8x16.swizzle": 0x0e,
  "i32x4.splat": 0x11, "i64x2.splat": 0x12, "f32x4.splat": 0x13, "f64x2.splat": 0x14,
  "i32x4.eq": 0x37, "i32x4.ne": 0x38, "i32x4.lt_s": 0x39, "i32x4.lt_u": 0x3a, "i32x4.gt_s": 0x3b, "i32x4.gt_u": 0x3c,
  "i32x4.le_s": 0x3d, "i32x4.le_u": 0x3e, "i32x4.ge_s": 0x3f, "i32x4.ge_u": 0x40,
  "f32x4.eq": 0x41, "f32x4.ne": 0x42, "f32x4.lt": 0x43, "f32x4.gt": 0x44, "f32x4.le": 0x45, "f32x4.ge": 0x46,
  "f64x2.eq": 0x47, "f64x2.ne": 0x48, "f64x2.lt": 0x49, "f64x2.gt": 0x4a, "f64x2.le": 0x4b, "f64x2.ge": 0x4c,
  "v128.not": 0x4d, "v128.and": 0x4e, "v128.andnot": 0x4f, "v128.or": 0x50, "v128.xor": 0x51, "v128.bitselect": 0x52,
  "v128.any_true": 0x53,
  "f32x4.demote_f64x2_zero": 0x5e, "f64x2.promote_low_f32x4": 0x5f,
  "f32x4.ceil": 0x67, "f32x4.floor": 0x68, "f32x4.trunc": 0x69, "f32x4.nearest": 0x6a,
  "f64x2.ceil": 0x74, "f64x2.floor": 0x75, "f64x2.trunc": 0x7a, "f64x2.nearest": 0x94,
  "i16x8.extend_low_i8x16_u": 0x89,
  "i32x4.abs": 0xa0, "i32x4.neg": 0xa1, "i32x4.all_true": 0xa3, "i32x4.extend_low_i16x8_u": 0xa9,
  "i32x4.shl": 0xab, "i32x4.shr_s": 0xac, "i32x4.shr_u": 0xad, "i32x4.add": 0xae, "i32x4.sub": 0xb1, "i32x4.mul": 0xb5,
  "i32x4.min_s": 0xb6, "i32x4.min_u": 0xb7, "i32x4.max_s": 0xb8, "i32x4.max_u": 0xb9,
  "i64x2.all_true": 0xc3, "i64x2.extend_low_i32x4_s": 0xc7, "i64x2.extend_low_i32x4_u": 0xc9,
  "i64x2.shl": 0xcb, "i64x2.shr_s": 0xcc, "i64x2.shr_u": 0xcd, "i64x2.add": 0xce, "i64x2.sub": 0xd1,
  "i64x2.eq": 0xd6, "i64x2.ne": 0xd7, "i64x2.lt_s": 0xd8, "i64x2.gt_s": 0xd9, "i64x2.le_s": 0xda, "i64x2.ge_s": 0xdb,
  "f32x4.abs": 0xe0, "f32x4.neg": 0xe1, "f32x4.sqrt": 0xe3, "f32x4.add": 0xe4, "f32x4.sub": 0xe5, "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7, "f32x4.min": 0xe8, "f32x4.max": 0xe9, "f32x4.pmin": 0xea, "f32x4.pmax": 0xeb,
  "f64x2.abs": 0xec, "f64x2.neg": 0xed, "f64x2.sqrt": 0xef, "f64x2.add": 0xf0, "f64x2.sub": 0xf1, "f64x2.mul": 0xf2,
  "f64x2.div": 0xf3, "f64x2.min": 0xf4, "f64x2.max": 0xf5, "f64x2.pmin": 0xf6, "f64x2.pmax": 0xf7,
  "i32x4.trunc_sat_f32x4_s": 0xf8, "i32x4.trunc_sat_f32x4_u": 0xf9, "f32x4.convert_i32x4_s": 0xfa, "f32x4.convert_i32x4_u": 0xfb,
  "i32x4.trunc_sat_f64x2_s_zero": 0xfc, "i32x4.trunc_sat_f64x2_u_zero": 0xfd,
  "f64x2.convert_low_i32x4_s": 0xfe, "f64x2.convert_low_i32x4_u": 0xff,
  "f32x4.relaxed_madd": 0x105, "f64x2.relaxed_madd": 0x107,
} as const;

/** Loads and stores; an address comes first, then for stores the value, then an offset is encoded. */
const scalarMemory = {
  "i32.load": 0x28, "f32.load": 0x2a, "f64.load": 0x2b, "i32.load8_u": 0x2d,
  "i32.store": 0x36, "f32.store": 0x38, "f64.store": 0x39, "i32.store8": 0x3a,
} as const;

const vectorMemory = {
  "v128.load": 0x00, "v128.load8_splat": 0x07, "v128.load32_splat": 0x09, "v128.load64_splat": 0x0a, "v128.store": 0x0b,
  "v128.load32_zero": 0x5c, "v128.load64_zero": 0x5d,
} as const;

/** These name a lane besides. */
const laneMemory = {
  "v128.load8_lane": 0x54, "v128.load16_lane": 0x55, "v128.load32_lane": 0x56, "v128.load64_lane": 0x57,
  "v128.store8_lane": 0x58, "v128.store16_lane": 0x59, "v128.store32_lane": 0x5a, "v128.store64_lane": 0x5b,
} as const;

/** These read or write one lane of a vector on the stack. */
const laneAccess = {
  "i32x4.extract_lane": 0x1b, "i32x4.replace_lane": 0x1c, "f32x4.extract_lane": 0x1f, "f32x4.replace_lane": 0x20,
  "f64x2.extract_lane": 0x21, "f64x2.replace_lane": 0x22,
} as const;

export type Instruction = keyof typeof plain | keyof typeof numeric | keyof typeof vector;
export type MemoryInstruction = keyof typeof scalarMemory | keyof typeof vectorMemory;
export type LaneMemoryInstruction = keyof typeof laneMemory;
export type LaneInstruction = keyof typeof laneAccess;

/** An opcode with its prefix byte, 0 for none. */
export interface Opcode {
  readonly prefix: 0 | 0xfc | 0xfd;
  readonly code: number;
}

const table = new Map<string, Opcode>();
for (const [prefix, group] of [
  [0, plain],
  [0xfc, numeric],
  [0xfd, vector],
  [0, scalarMemory],
  [0xfd, vectorMemory],
  [0xfd, laneMemory],
  [0xfd, laneAccess],
] as const) {
  for (const [name, code] of Object.entries(group)) table.set(name, { prefix, code });
}

export function opcode(name: Instruction | MemoryInstruction | LaneMemoryInstruction | LaneInstruction): Opcode {
  return table.get(name) as Opcode;
}
