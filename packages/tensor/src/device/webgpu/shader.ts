/// <reference types="@webgpu/types" />
import type { DType } from "../../dtype.js";
import type { View } from "../../kernel/kernel.js";
import type { Block } from "./memory.js";

/** Types of values in a shader. In memory every element is one 32-bit word; a bool is 0 or 1. */
export type ValueType = "f32" | "i32" | "u32" | "bool";

/** A value as WGSL text that may be repeated: a name, a constant or a word of the uniform. */
export interface Value {
  readonly type: ValueType;
  readonly text: string;
}

/** Memory that a shader names. */
export interface Binding {
  readonly buffer: GPUBuffer;
  readonly written: boolean;
  /** A block in it that the shader works on; null where it is not the memory's. */
  readonly block: Block | null;
}

/** A word of the uniform that says where a block is. */
export interface Place {
  /** Number of the word. */
  readonly at: number;
  readonly block: Block;
}

/** One dispatch. */
export interface Shader {
  /** A WGSL module with the entry point `main`: structure alone, neither addresses nor sizes nor constants. */
  readonly code: string;
  /** At @group(0) @binding(1), (2), …; binding 0 is the uniform with `words`. */
  readonly bindings: readonly Binding[];
  readonly words: readonly number[];
  /** Those of the words that change with the places of blocks. */
  readonly places: readonly Place[];
  /** How many workgroups there are to be; more than fit one dimension are spread over two. */
  readonly workgroups: number;
}

/**
 * A part of a kernel that runs as one dispatch. Parts run one after another and see what those before have written.
 */
export interface Stage {
  /** Invocations of a workgroup that it is printed for, a power of two; a loop that is one shader may choose others. */
  readonly lanes: number;
  /** True when it is right for any number of lanes from 32 and for a single workgroup, as loops in one shader need. */
  readonly loops: boolean;
  /**
   * Prints statements of `main` by `shader.line`. All invocations of a workgroup get there together, so that barriers are
   * allowed, and nobody may return. In scope: `lane` (u32, 0 … shader.lanes − 1), `group` and `groups` (u32, the
   * workgroup and how many there are). There may be more workgroups than asked for, or fewer: work is walked in steps of
   * `groups`.
   *
   * @returns  How many workgroups there should be.
   */
  readonly print: (shader: ShaderBuilder) => number;
}

/** What printers ask of the device. */
export interface PrintContext {
  readonly limits: GPUSupportedLimits;
  /** Working memory until the kernel has run: a whole row-major view. */
  readonly scratch: (dtype: DType, shape: readonly number[]) => View;
  /** True where one workgroup does all the work, so that no invocation should wait for one that adds up alone. */
  readonly single: boolean;
}

const valueTypes: Record<DType, ValueType> = {
  float32: "f32",
  float64: "f32",
  int32: "i32",
  uint32: "u32",
  bool: "bool",
};

const floatWord = new Float32Array(1);
const bits = new Uint32Array(floatWord.buffer);

/** The 32 bits of a number in memory. */
export function wordOf(value: number, type: ValueType): number {
  if (type === "f32") {
    floatWord[0] = value;
    return bits[0] as number;
  }
  return type === "bool" ? Number(value !== 0) : value >>> 0;
}

/** A value in another type: tests are 1 and 0, a number is a test of whether it is neither 0 nor NaN. */
export function convert({ type, text }: Value, to: ValueType): string {
  if (type === to) return text;
  if (type === "bool") return `select(${to}(0), ${to}(1), ${text})`;
  if (type === "f32" && to !== "bool") return truncated(text, to);
  if (to !== "bool") return `${to}(${text})`;
  return type === "f32" ? `(abs(${text}) > 0.0)` : `(${text} != ${type}(0))`;
}

/** A float without its fraction, clipped to the range of an integer type, NaN to 0; WGSL clips to the floats in the range. */
function truncated(text: string, to: ValueType): string {
  const [limit, most] = to === "i32" ? ["2147483648.0", "2147483647"] : ["4294967296.0", "4294967295u"];
  const nan = `(bitcast<u32>(${text}) & 0x7fffffffu) > 0x7f800000u`;
  return `select(select(${to}(${text}), ${most}, ${text} >= ${limit}), ${to}(0), ${nan})`;
}

/** How a shader gets at the elements of a view. */
export class ViewText {
  readonly type: ValueType;
  /** Number of the first element in its memory (u32). */
  readonly offset: string;
  readonly #array: string;
  readonly #view: View;
  readonly #word: (value: number) => string;
  readonly #strides: (string | undefined)[] = [];

  /** @param offset  Text of the number of its first element in `array`. */
  constructor(view: View, array: string, offset: string, word: (value: number) => string) {
    this.#view = view;
    this.#array = array;
    this.#word = word;
    this.type = valueTypes[view.dtype];
    this.offset = offset;
  }

  /** Distance of neighbours along an axis (u32; 0 where it repeats). */
  stride(axis: number): string {
    return (this.#strides[axis] ??= this.#word(this.#view.strides[axis] as number));
  }

  /** Address of the element with these indices (u32 texts), one for every axis. */
  at(...indices: readonly string[]): string {
    return indices.reduce((sum, index, axis) => `${sum} + ${index} * ${this.stride(axis)}`, this.offset);
  }

  /** The word at an address, as a reference. */
  word(address: string): string {
    return `${this.#array}[${address}]`;
  }

  /** The element at an address. Not to be repeated: put it in a variable by `shader.let`. */
  load(address: string): Value {
    const word = this.word(address);
    if (this.type === "u32") return { type: "u32", text: word };
    if (this.type === "bool") return { type: "bool", text: `(${word} != 0u)` };
    return { type: this.type, text: `bitcast<${this.type}>(${word})` };
  }

  /** A statement that writes the element at an address. */
  store(address: string, value: Value): string {
    const own = convert(value, this.type);
    const word = this.type === "u32" ? own : this.type === "bool" ? `select(0u, 1u, ${own})` : `bitcast<u32>(${own})`;
    return `${this.word(address)} = ${word};`;
  }
}

/** Collects one WGSL module with what it is bound to. */
export class ShaderBuilder {
  readonly lanes: number;
  readonly #buffers: { readonly buffer: GPUBuffer; readonly block: Block | null; written: boolean }[] = [];
  readonly #words: number[] = [];
  readonly #places: Place[] = [];
  readonly #declarations = new Map<string, string>();
  readonly #shared = new Map<string, number>();
  readonly #lines: string[] = [];
  /** Where blocks lie that workgroup memory holds for now. */
  readonly #near = new Map<Block, number>();
  #names = 0;

  constructor(lanes: number) {
    this.lanes = lanes;
  }

  /** A name nobody else uses. */
  name(prefix = "v"): string {
    return `${prefix}${this.#names++}`;
  }

  /** Adds a line to the body of `main`. */
  line(text: string): void {
    this.#lines.push(text);
  }

  /** Gives a value a name, so that it is computed once. */
  let({ type, text }: Value): Value {
    const name = this.name();
    this.line(`let ${name} = ${text};`);
    return { type, text: name };
  }

  /** A number that is known when the shader runs: its 32 bits in the uniform. */
  constant(value: number, type: Exclude<ValueType, "bool">): Value {
    const word = this.#word(wordOf(value, type));
    return { type, text: type === "u32" ? word : `bitcast<${type}>(${word})` };
  }

  /** A size, stride or count (u32). */
  size(value: number): string {
    return this.#word(value >>> 0);
  }

  /** Elements to read, and to write where `written` is set. Views that share memory are told apart by their addresses. */
  view(view: View, written = false): ViewText {
    const block = view.storage.buffer as Block;
    const size = (value: number) => this.size(value);
    const near = this.#near.get(block);
    if (near !== undefined) return new ViewText(view, "near", size(near + view.offset), size);
    this.#places.push({ at: this.#words.length, block });
    return new ViewText(view, this.buffer(block.buffer, written, block), size(block.start + view.offset), size);
  }

  /**
   * Lets views of a block name an array in workgroup memory until `leave` is called.
   *
   * @param at  The number of the block's first word there.
   */
  keepNear(block: Block, at: number): void {
    this.#near.set(block, at);
    this.#shared.set("near: array<u32", Math.max(at + block.length, this.#shared.get("near: array<u32") ?? 0));
  }

  /** Lets views of a block name its own memory again. */
  leave(block: Block): void {
    this.#near.delete(block);
  }

  /**
   * Copies whole blocks to their places in workgroup memory, or back to their own: one loop for all that share a buffer.
   *
   * @param places  The number of a block's first word in workgroup memory.
   */
  copyNear(places: ReadonlyMap<Block, number>, back: boolean): void {
    const groups = new Map<GPUBuffer, Block[]>();
    for (const block of places.keys()) groups.set(block.buffer, [...(groups.get(block.buffer) ?? []), block]);
    for (const [buffer, blocks] of groups) {
      const memory = this.buffer(buffer, back, blocks[0]);
      while (this.#words.length % 4 !== 0) this.#words.push(0);
      const first = this.#words.length / 4;
      for (const block of blocks) {
        this.#places.push({ at: this.#words.length, block });
        this.#words.push(block.start, places.get(block) as number, block.length, 0);
      }
      const [row, place, i] = [this.name("row"), this.name(), this.name("i")];
      const [own, near] = [`${memory}[${place}.x + ${i}]`, `near[${place}.y + ${i}]`];
      this.line(`for (var ${row} = 0u; ${row} < ${this.size(blocks.length)}; ${row}++) {`);
      this.line(`let ${place} = words[${first}u + ${row}];`);
      this.line(`for (var ${i} = lane; ${i} < ${place}.z; ${i} += ${this.lanes}u) {`);
      this.line(back ? `${own} = ${near};` : `${near} = ${own};`);
      this.line("}");
      this.line("}");
    }
  }

  isNear(block: Block): boolean {
    return this.#near.has(block);
  }

  /** Bytes of workgroup memory. */
  get sharedBytes(): number {
    return [...this.#shared].reduce(
      (sum, [head, length]) => sum + length * 4 * Number(/vec(\d)/.exec(head)?.[1] ?? 1),
      0,
    );
  }

  /** The name of a buffer as an array of words. */
  buffer(buffer: GPUBuffer, written = false, block: Block | null = null): string {
    let at = this.#buffers.findIndex((other) => other.buffer === buffer);
    if (at < 0) at = this.#buffers.push({ buffer, block, written }) - 1;
    else if (written) (this.#buffers[at] as { written: boolean }).written = true;
    return `memory${at}`;
  }

  /** A declaration at module scope: a function, a structure or a constant. The same name is declared once. */
  declare(name: string, text: string): string {
    if (!this.#declarations.has(name)) this.#declarations.set(name, text);
    return name;
  }

  /** An array in workgroup memory, which later parts of the same shader use again: put a barrier before its first use. */
  shared(type: string, length: number): string {
    const name = `shared_${type.replace(/\W/g, "_")}`;
    this.#shared.set(`${name}: array<${type}`, Math.max(length, this.#shared.get(`${name}: array<${type}`) ?? 0));
    return name;
  }

  finish(workgroups: number): Shader {
    const count = Math.max(1, Math.ceil(this.#words.length / 4));
    const memory = this.#buffers.map(
      ({ written }, k) =>
        `@group(0) @binding(${k + 1}) var<storage, ${written ? "read_write" : "read"}> memory${k}: array<u32>;`,
    );
    const shared = [...this.#shared].map(([head, length]) => `var<workgroup> ${head}, ${length}>;`);
    const code = [
      `@group(0) @binding(0) var<uniform> words: array<vec4<u32>, ${count}>;`,
      ...memory,
      ...shared,
      ...this.#declarations.values(),
      `@compute @workgroup_size(${this.lanes})`,
      "fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) all: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
      "let group = id.y * all.x + id.x;",
      "let groups = all.x * all.y;",
      ...this.#lines,
      "}",
    ].join("\n");
    return { code, bindings: this.#buffers, words: this.#words, places: this.#places, workgroups };
  }

  #word(value: number): string {
    const at = this.#words.push(value) - 1;
    return `words[${at >> 2}].${"xyzw"[at & 3] as string}`;
  }
}
