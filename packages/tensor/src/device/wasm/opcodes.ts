// Instructions by their names in the text format of WebAssembly. Opcodes follow one another: a run has the type whose
// instructions they are, the opcode of the first, and the rest of their names; `_` stands for an opcode without one.

type Run = readonly [type: string, first: number, names: string];

const compareIntegers = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const compareFloats = "eq ne lt gt le ge";
const floatNumbers = "abs neg ceil floor trunc nearest sqrt add sub mul div min max";
const floatLanes = "abs neg _ sqrt add sub mul div min max pmin pmax";

/** Instructions without immediate operands. */
const plain = [
  ["i32", 0x45, `eqz ${compareIntegers}`],
  ["f32", 0x5b, compareFloats],
  ["f64", 0x61, compareFloats],
  ["i32", 0x68, "ctz _ add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u"],
  ["f32", 0x8b, floatNumbers],
  ["f64", 0x99, floatNumbers],
  ["i32", 0xa7, "wrap_i64"],
  ["f32", 0xb6, "demote_f64"],
  ["f64", 0xbb, "promote_f32"],
] as const satisfies readonly Run[];

/** Those that no type has. */
const control = { return: 0x0f, drop: 0x1a, select: 0x1b } as const;

/** Behind the prefix 0xfc. */
const numeric = [["i64", 0x06, "trunc_sat_f64_s trunc_sat_f64_u"]] as const satisfies readonly Run[];

/** Behind the prefix 0xfd: SIMD, and relaxed SIMD from 0x100. */
const vector = [
  ["i8x16", 0x0e, "swizzle"],
  ["i32x4", 0x11, "splat"],
  ["i64x2", 0x12, "splat"],
  ["f32x4", 0x13, "splat"],
  ["f64x2", 0x14, "splat"],
  ["i32x4", 0x37, compareIntegers],
  ["f32x4", 0x41, compareFloats],
  ["f64x2", 0x47, compareFloats],
  ["v128", 0x4d, "not and andnot or xor bitselect any_true"],
  ["f32x4", 0x5e, "demote_f64x2_zero"],
  ["f64x2", 0x5f, "promote_low_f32x4"],
  ["f32x4", 0x67, "ceil floor trunc nearest"],
  ["f64x2", 0x74, "ceil floor"],
  ["f64x2", 0x7a, "trunc"],
  ["i16x8", 0x89, "extend_low_i8x16_u"],
  ["f64x2", 0x94, "nearest"],
  ["i32x4", 0xa0, "abs neg _ all_true bitmask"],
  ["i32x4", 0xa9, "extend_low_i16x8_u _ shl shr_s shr_u add _ _ sub _ _ _ mul min_s min_u max_s max_u"],
  ["i64x2", 0xc3, "all_true bitmask _ _ extend_low_i32x4_s _ extend_low_i32x4_u _ shl shr_s shr_u add _ _ sub"],
  ["i64x2", 0xd6, "eq ne lt_s gt_s le_s ge_s"],
  ["f32x4", 0xe0, floatLanes],
  ["f64x2", 0xec, floatLanes],
  ["i32x4", 0xf8, "trunc_sat_f32x4_s trunc_sat_f32x4_u"],
  ["f32x4", 0xfa, "convert_i32x4_s convert_i32x4_u"],
  ["i32x4", 0xfc, "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero"],
  ["f64x2", 0xfe, "convert_low_i32x4_s convert_low_i32x4_u"],
  ["f32x4", 0x105, "relaxed_madd"],
  ["f64x2", 0x107, "relaxed_madd"],
] as const satisfies readonly Run[];

/** Loads and stores; an address comes first, then for stores the value, then an offset is encoded. */
const scalarMemory = [
  ["i32", 0x28, "load"],
  ["f32", 0x2a, "load"],
  ["f64", 0x2b, "load"],
  ["i32", 0x2d, "load8_u"],
  ["i32", 0x36, "store"],
  ["f32", 0x38, "store"],
  ["f64", 0x39, "store"],
  ["i32", 0x3a, "store8"],
] as const satisfies readonly Run[];

const vectorMemory = [
  ["v128", 0x00, "load"],
  ["v128", 0x07, "load8_splat _ load32_splat load64_splat store"],
  ["v128", 0x5c, "load32_zero load64_zero"],
] as const satisfies readonly Run[];

/** These name a lane besides. */
const laneMemory = [
  ["v128", 0x54, "load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane"],
] as const satisfies readonly Run[];

/** These read or write one lane of a vector on the stack. */
const laneAccess = [
  ["i32x4", 0x1b, "extract_lane replace_lane"],
  ["f32x4", 0x1f, "extract_lane replace_lane"],
  ["f64x2", 0x21, "extract_lane replace_lane"],
] as const satisfies readonly Run[];

type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;
type NamesOf<Runs extends readonly Run[]> = {
  [K in keyof Runs]: `${Runs[K][0]}.${Exclude<Words<Runs[K][2]>, "_">}`;
}[number];

export type Instruction =
  NamesOf<typeof plain> | NamesOf<typeof numeric> | NamesOf<typeof vector> | keyof typeof control;
export type MemoryInstruction = NamesOf<typeof scalarMemory> | NamesOf<typeof vectorMemory>;
export type LaneMemoryInstruction = NamesOf<typeof laneMemory>;
export type LaneInstruction = NamesOf<typeof laneAccess>;

/** An opcode with its prefix byte, 0 for none. */
export interface Opcode {
  readonly prefix: 0 | 0xfc | 0xfd;
  readonly code: number;
}

const table = new Map<string, Opcode>();
for (const [name, code] of Object.entries(control)) table.set(name, { prefix: 0, code });
for (const [prefix, runs] of [
  [0, [...plain, ...scalarMemory]],
  [0xfc, numeric],
  [0xfd, [...vector, ...vectorMemory, ...laneMemory, ...laneAccess]],
] as const) {
  for (const [type, first, names] of runs) {
    names.split(" ").forEach((name, k) => table.set(`${type}.${name}`, { prefix, code: first + k }));
  }
}

export function opcode(name: Instruction | MemoryInstruction | LaneMemoryInstruction | LaneInstruction): Opcode {
  return table.get(name) as Opcode;
}
