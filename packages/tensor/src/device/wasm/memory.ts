import { codedError } from "../../errors.js";
import { bytesPerElement, type DType, type TypedArray } from "../../dtype.js";

/** Memory of one storage. */
export interface Block {
  readonly address: number;
  readonly dtype: DType;
  readonly length: number;
  /** The elements, as long as the memory has not grown since. */
  view: TypedArray | null;
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

const pageBytes = 65536;
const mostPages = 65536;
/** Kernels read whole vectors, up to this many bytes past the last element. */
const slack = 16;
/** Address 0 is left alone, so that no buffer has it. */
const firstAddress = 64;

/** Sizes that are handed out: four to each power of two, so that at most a fifth is wasted. */
function sizeClass(bytes: number): number {
  const needed = Math.max(32, bytes + slack);
  const step = 2 ** Math.max(4, Math.floor(Math.log2(needed)) - 2);
  return Math.ceil(needed / step) * step;
}

/**
 * One WebAssembly memory, handed out in 16-byte aligned blocks. Freed blocks wait in a list for a request of their
 * size; otherwise memory is taken from the end, which grows. What a block holds at first is undefined.
 */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** Other threads can reach it; modules that import it have to say so. */
  readonly shared: boolean;
  /** Whether freed blocks are handed out again. */
  reuses = true;
  readonly #free = new Map<number, number[]>();
  #end = firstAddress;
  #scratch: { readonly address: number; readonly size: number } | null = null;

  constructor(shared = false) {
    this.shared = shared;
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: mostPages, shared });
  }

  allocate(dtype: DType, length: number): Block {
    return { address: this.#take(sizeClass(bytesPerElement(dtype) * length)), dtype, length, view: null };
  }

  free({ address, dtype, length }: Block): void {
    this.#give(address, sizeClass(bytesPerElement(dtype) * length));
  }

  /** The elements of a block, until the memory grows. */
  elements(block: Block): TypedArray {
    const { buffer } = this.memory;
    if (block.view?.buffer !== buffer) block.view = new arrays[block.dtype](buffer, block.address, block.length);
    return block.view;
  }

  /** Working memory for one kernel; what it holds lasts until the next kernel asks. */
  scratch(bytes: number): number {
    if (bytes === 0) return 0;
    if (this.#scratch === null || this.#scratch.size < bytes) {
      if (this.#scratch !== null) this.#give(this.#scratch.address, this.#scratch.size);
      const size = sizeClass(bytes);
      this.#scratch = { address: this.#take(size), size };
    }
    return this.#scratch.address;
  }

  #take(size: number): number {
    const waiting = this.#free.get(size);
    const known = this.reuses ? waiting?.pop() : undefined;
    if (known !== undefined) return known;
    const address = this.#end;
    const missing = address + size - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / pageBytes));
    this.#end = address + size;
    return address;
  }

  #give(address: number, size: number): void {
    const waiting = this.#free.get(size);
    if (waiting === undefined) this.#free.set(size, [address]);
    else waiting.push(address);
  }

  /** By a quarter at least, since every growth moves the views. */
  #grow(pages: number): void {
    const present = this.memory.buffer.byteLength / pageBytes;
    for (const wish of [Math.max(pages, Math.ceil(present / 4)), pages]) {
      if (present + wish > mostPages) continue;
      try {
        this.memory.grow(wish);
        return;
      } catch {
        // The engine has less; ask for what is needed and no more.
      }
    }
    throw codedError(
      "MEMORY_LIMIT",
      `device wasm: expected ${pages * pageBytes} more bytes of memory, found ${present * pageBytes} in use and no more; dispose tensors`,
    );
  }
}
