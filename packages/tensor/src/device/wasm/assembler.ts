import {
  opcode,
  type Instruction,
  type LaneInstruction,
  type LaneMemoryInstruction,
  type MemoryInstruction,
} from "./opcodes.js";

export type ValueType = "i32" | "f32" | "f64" | "v128";

const typeBytes: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Code that pushes one value. It runs when, and as often as, it is emitted: keep values used twice with {@link FunctionBody.let}. */
export type Code = (f: FunctionBody) => void;

/** A place in memory: a constant, or what `base` pushes plus a constant. Constants cost no instruction. */
export interface Address {
  readonly base: Code | null;
  readonly offset: number;
}

/** A growing array of bytes with the encodings of the binary format. */
export class Bytes {
  #bytes = new Uint8Array(256);
  length = 0;

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + count));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  append(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.length);
    this.length += values.length;
  }

  /** LEB128 of an unsigned number below 2⁵³. */
  unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** LEB128 of a signed 32-bit number. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.unsigned(encoded.length);
    this.append(encoded);
  }

  /** A section, or anything else that is preceded by its size. */
  sized(content: Bytes): void {
    this.unsigned(content.length);
    this.append(content.view());
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** A local variable of a function. */
export class Variable {
  readonly index: number;
  readonly type: ValueType;
  /** Pushes the value it has when this is emitted. */
  readonly get: Code;

  constructor(index: number, type: ValueType) {
    this.index = index;
    this.type = type;
    this.get = (f) => f.index(0x20, index);
  }
}

/** The instructions of one function. Methods emit at once; arguments of type {@link Code} are emitted where they are needed. */
export class FunctionBody {
  readonly module: ModuleBuilder;
  readonly parameters: readonly Variable[];
  readonly #bytes = new Bytes();
  readonly #types: ValueType[];
  readonly #free: Record<ValueType, number[]> = { i32: [], f32: [], f64: [], v128: [] };
  readonly #constants = new Map<string, { readonly index: number; readonly bytes: Uint8Array }>();
  #open: Variable[] | null = null;

  constructor(module: ModuleBuilder, parameters: readonly ValueType[]) {
    this.module = module;
    this.#types = [...parameters];
    this.parameters = parameters.map((type, k) => new Variable(k, type));
  }

  /** A fresh local, or one whose scope is over. It is not zero. */
  variable(type: ValueType): Variable {
    const known = this.#free[type].pop();
    const variable = new Variable(known ?? this.#types.push(type) - 1, type);
    this.#open?.push(variable);
    return variable;
  }

  /** Locals made inside are used again after it. */
  scope(body: () => void): void {
    const outer = this.#open;
    const mine: Variable[] = [];
    this.#open = mine;
    body();
    this.#open = outer;
    for (const { index, type } of mine) this.#free[type].push(index);
  }

  /** Computes a value now and keeps it. */
  let(type: ValueType, value: Code): Code {
    const variable = this.variable(type);
    this.set(variable, value);
    return variable.get;
  }

  set(variable: Variable, value: Code): void {
    value(this);
    this.index(0x21, variable.index);
  }

  /** An instruction with an index: local.get, local.set, call, br. */
  index(code: number, index: number): void {
    this.#bytes.byte(code);
    this.#bytes.unsigned(index);
  }

  emit(name: Instruction): void {
    this.#opcode(name);
  }

  #opcode(name: Parameters<typeof opcode>[0]): void {
    const { prefix, code } = opcode(name);
    if (prefix === 0) this.#bytes.byte(code);
    else {
      this.#bytes.byte(prefix);
      this.#bytes.unsigned(code);
    }
  }

  /** Pushes an i32. */
  i32(value: number): void {
    this.#bytes.byte(0x41);
    this.#bytes.signed(value);
  }

  f64(value: number): void {
    this.#bytes.byte(0x44);
    this.#bytes.append(new Uint8Array(new Float64Array([value]).buffer));
  }

  /**
   * Pushes a vector of 16 bytes. All but zero is kept in a local from the start of the function: engines take several
   * instructions to make a vector, at every turn of a loop.
   */
  v128(bytes: Uint8Array): void {
    if (bytes.every((byte) => byte === 0)) {
      this.#opcodeBytes(0x0c);
      this.#bytes.append(bytes);
      return;
    }
    const key = String.fromCharCode(...bytes);
    let index = this.#constants.get(key)?.index;
    if (index === undefined) this.#constants.set(key, { index: (index = this.#types.push("v128") - 1), bytes });
    this.index(0x20, index);
  }

  /** Picks 16 of the 32 bytes of two vectors on the stack. */
  shuffle(places: readonly number[]): void {
    this.#opcodeBytes(0x0d);
    for (const place of places) this.#bytes.byte(place);
  }

  #opcodeBytes(code: number): void {
    this.#bytes.byte(0xfd);
    this.#bytes.unsigned(code);
  }

  lane(name: LaneInstruction, lane: number): void {
    this.#opcode(name);
    this.#bytes.byte(lane);
  }

  load(name: MemoryInstruction, address: Address): void {
    this.#base(address);
    this.#memory(name, address);
  }

  store(name: MemoryInstruction, address: Address, value: Code): void {
    this.#base(address);
    value(this);
    this.#memory(name, address);
  }

  /** Replaces one lane of `vector` by memory. */
  loadLane(name: LaneMemoryInstruction, address: Address, vector: Code, lane: number): void {
    this.storeLane(name, address, vector, lane);
  }

  storeLane(name: LaneMemoryInstruction, address: Address, vector: Code, lane: number): void {
    this.#base(address);
    vector(this);
    this.#memory(name, address);
    this.#bytes.byte(lane);
  }

  #base({ base }: Address): void {
    if (base === null) this.i32(0);
    else base(this);
  }

  #memory(name: MemoryInstruction | LaneMemoryInstruction, { offset }: Address): void {
    this.#opcode(name);
    this.#bytes.byte(0);
    this.#bytes.unsigned(offset);
  }

  call(target: number, ...args: readonly Code[]): void {
    for (const arg of args) arg(this);
    this.index(0x10, target);
  }

  /** Leaves `depth` blocks further out when the condition is not zero; a loop is entered again. */
  branchIf(depth: number, condition: Code): void {
    condition(this);
    this.index(0x0d, depth);
  }

  block(body: () => void): void {
    this.#construct(0x02, body);
  }

  /** Inside, branch 0 starts the next turn. */
  loop(body: () => void): void {
    this.#construct(0x03, body);
  }

  if(condition: Code, then: () => void, otherwise?: () => void): void {
    condition(this);
    this.#bytes.byte(0x04);
    this.#bytes.byte(0x40);
    then();
    if (otherwise) {
      this.#bytes.byte(0x05);
      otherwise();
    }
    this.#bytes.byte(0x0b);
  }

  #construct(code: number, body: () => void): void {
    this.#bytes.byte(code);
    this.#bytes.byte(0x40);
    body();
    this.#bytes.byte(0x0b);
  }

  /** The body `count` times, straight when that is once. */
  repeat(count: number, body: () => void): void {
    if (count <= 0) return;
    if (count === 1) {
      body();
      return;
    }
    this.scope(() => {
      const left = this.variable("i32");
      this.set(left, integer(count));
      this.loop(() => {
        body();
        this.set(left, binary("i32.sub", left.get, integer(1)));
        this.branchIf(0, left.get);
      });
    });
  }

  /** The body as often as an i32 ≥ 0 says, which may be never. */
  repeatTimes(count: Code, body: () => void): void {
    this.scope(() => {
      const left = this.variable("i32");
      this.set(left, count);
      this.block(() => {
        this.branchIf(0, unary("i32.eqz", left.get));
        this.loop(() => {
          body();
          this.set(left, binary("i32.sub", left.get, integer(1)));
          this.branchIf(0, left.get);
        });
      });
    });
  }

  /** Adds a constant to an i32 local. */
  advance(variable: Variable, by: number): void {
    if (by !== 0) this.set(variable, binary("i32.add", variable.get, integer(by)));
  }

  /** @internal The code entry: locals, then instructions. */
  finish(): Bytes {
    const entry = new Bytes();
    const locals = this.#types.slice(this.parameters.length);
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    entry.unsigned(runs.length);
    for (const { type, count } of runs) {
      entry.unsigned(count);
      entry.byte(typeBytes[type]);
    }
    for (const { index, bytes } of this.#constants.values()) {
      entry.append(new Uint8Array([0xfd, 0x0c]));
      entry.append(bytes);
      entry.byte(0x21);
      entry.unsigned(index);
    }
    entry.append(this.#bytes.view());
    entry.byte(0x0b);
    return entry;
  }
}

export const integer =
  (value: number): Code =>
  (f) =>
    f.i32(value);

export const unary =
  (name: Instruction, a: Code): Code =>
  (f) => {
    a(f);
    f.emit(name);
  };

export const binary =
  (name: Instruction, a: Code, b: Code): Code =>
  (f) => {
    a(f);
    b(f);
    f.emit(name);
  };

export const ternary =
  (name: Instruction, a: Code, b: Code, c: Code): Code =>
  (f) => {
    a(f);
    b(f);
    c(f);
    f.emit(name);
  };

/** A place `bytes` further on. */
export function shifted({ base, offset }: Address, bytes: number): Address {
  return { base, offset: offset + bytes };
}

interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Functions on f64 that modules may import from JavaScript, each with the number of its arguments. */
export const importedFunctions = { sin: 1, cos: 1, tan: 1, pow: 2, remainder: 2 } as const;
export type ImportedFunction = keyof typeof importedFunctions;

/** A module in the making: one imported memory, imported JavaScript functions, functions of its own. */
export class ModuleBuilder {
  readonly #signatures: string[] = [];
  readonly #encoded: Signature[] = [];
  readonly #functions: { readonly body: FunctionBody; readonly signature: number }[] = [];
  readonly #named = new Map<unknown, number>();
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  readonly #shared: boolean;

  constructor({ shared = false }: { readonly shared?: boolean } = {}) {
    this.#shared = shared;
  }

  #signature(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#signatures.indexOf(key);
    if (known >= 0) return known;
    this.#encoded.push({ parameters, results });
    return this.#signatures.push(key) - 1;
  }

  /** Index of a function imported from JavaScript. */
  imported(name: ImportedFunction): number {
    return Object.keys(importedFunctions).indexOf(name);
  }

  /** Adds a function and returns its index. */
  function(
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    build: (f: FunctionBody, ...parameters: Variable[]) => void,
  ): number {
    const body = new FunctionBody(this, parameters);
    // The place is taken first: a body may ask for functions of its own.
    const place = this.#functions.push({ body, signature: this.#signature(parameters, results) }) - 1;
    build(body, ...body.parameters);
    return place + Object.keys(importedFunctions).length;
  }

  /** A function that is made when it is first asked for by this name: a text, or an object that stands for itself. */
  named(
    name: unknown,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    build: (f: FunctionBody, ...parameters: Variable[]) => void,
  ): number {
    let index = this.#named.get(name);
    if (index === undefined) this.#named.set(name, (index = this.function(parameters, results, build)));
    return index;
  }

  export(name: string, index: number): void {
    this.#exports.push({ name, index });
  }

  /** The module, with memory imported as `host.memory`. */
  finish(): Uint8Array<ArrayBuffer> {
    const imports = new Bytes();
    imports.unsigned(Object.keys(importedFunctions).length + 1);
    for (const [name, count] of Object.entries(importedFunctions)) {
      imports.name("host");
      imports.name(name);
      imports.byte(0);
      imports.unsigned(
        this.#signature(
          Array.from({ length: count }, () => "f64" as const),
          ["f64"],
        ),
      );
    }
    imports.name("host");
    imports.name("memory");
    imports.byte(2);
    imports.byte(this.#shared ? 3 : 0);
    imports.unsigned(0);
    if (this.#shared) imports.unsigned(0x10000);

    const types = new Bytes();
    types.unsigned(this.#encoded.length);
    for (const { parameters, results } of this.#encoded) {
      types.byte(0x60);
      for (const list of [parameters, results]) {
        types.unsigned(list.length);
        for (const type of list) types.byte(typeBytes[type]);
      }
    }

    const functions = new Bytes();
    functions.unsigned(this.#functions.length);
    for (const { signature } of this.#functions) functions.unsigned(signature);

    const exports = new Bytes();
    exports.unsigned(this.#exports.length);
    for (const { name, index } of this.#exports) {
      exports.name(name);
      exports.byte(0);
      exports.unsigned(index);
    }

    const code = new Bytes();
    code.unsigned(this.#functions.length);
    for (const { body } of this.#functions) code.sized(body.finish());

    const module = new Bytes();
    module.append(new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]));
    for (const [id, section] of [
      [1, types],
      [2, imports],
      [3, functions],
      [7, exports],
      [10, code],
    ] as const) {
      module.byte(id);
      module.sized(section);
    }
    return module.view().slice();
  }
}
