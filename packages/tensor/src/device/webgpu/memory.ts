/// <reference types="@webgpu/types" />
import type { DType } from "../../dtype.js";

/** Memory of one storage: a run of 32-bit words in a buffer, which it may share with others. */
export interface Block {
  readonly dtype: DType;
  readonly buffer: GPUBuffer;
  /** In words. */
  readonly start: number;
  readonly length: number;
  /** Words that it takes in the pool. */
  readonly capacity: number;
}

/** Blocks up to this share pages; larger ones have a buffer of their own. In words. */
const largestShared = 2 ** 15;
const pageWords = 2 ** 20;
/** Blocks start at multiples of this, so that a vector of four words never straddles them. */
const leastWords = 64;
/** Buffers kept for later use, at most. */
const mostFreeBytes = 2 ** 28;

/** The size class of a block: powers of two that share pages, above them four steps to the octave. */
function capacityOf(length: number): number {
  if (length <= leastWords) return leastWords;
  const power = 2 ** Math.ceil(Math.log2(length));
  if (power <= largestShared) return power;
  const step = power / 8;
  return Math.ceil(length / step) * step;
}

/** The buffers of a device. Memory that was given back is used again at once: work on the queue keeps its order. */
export class Memory {
  readonly #device: GPUDevice;
  readonly #create: (size: number, usage: number) => GPUBuffer;
  readonly #beforeDestroy: () => void;
  readonly #free = new Map<number, { readonly buffer: GPUBuffer; readonly start: number }[]>();
  #freeBytes = 0;
  #page: GPUBuffer | null = null;
  #used = 0;

  /**
   * @param create         Makes a buffer of so many bytes for a use.
   * @param beforeDestroy  Called before a buffer is destroyed: nothing may name it from then on.
   */
  constructor(device: GPUDevice, create: (size: number, usage: number) => GPUBuffer, beforeDestroy: () => void) {
    this.#device = device;
    this.#create = create;
    this.#beforeDestroy = beforeDestroy;
  }

  allocate(dtype: DType, length: number): Block {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (4 * length > most) throw new RangeError(`expected at most ${most} bytes in one buffer, found ${4 * length}`);
    const capacity = Math.min(capacityOf(length), Math.floor(most / 4));
    const found = this.#free.get(capacity)?.pop();
    if (found !== undefined) {
      if (capacity > largestShared) this.#freeBytes -= 4 * capacity;
      return { dtype, ...found, length, capacity };
    }
    if (capacity > largestShared) {
      return { dtype, buffer: this.#buffer(capacity), start: 0, length, capacity };
    }
    if (this.#page === null || this.#used + capacity > pageWords) {
      this.#page = this.#buffer(pageWords);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += capacity;
    return { dtype, buffer: this.#page, start, length, capacity };
  }

  free({ buffer, start, capacity }: Block): void {
    if (capacity > largestShared) {
      if (this.#freeBytes + 4 * capacity > mostFreeBytes) this.#destroyFree();
      if (4 * capacity > mostFreeBytes) {
        this.#beforeDestroy();
        buffer.destroy();
        return;
      }
      this.#freeBytes += 4 * capacity;
    }
    const list = this.#free.get(capacity);
    if (list === undefined) this.#free.set(capacity, [{ buffer, start }]);
    else list.push({ buffer, start });
  }

  #buffer(words: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = usage;
    return this.#create(4 * words, STORAGE | COPY_SRC | COPY_DST);
  }

  #destroyFree(): void {
    this.#beforeDestroy();
    for (const [capacity, list] of this.#free) {
      if (capacity <= largestShared) continue;
      for (const { buffer } of list) buffer.destroy();
      this.#free.delete(capacity);
    }
    this.#freeBytes = 0;
  }
}

/** `GPUBufferUsage` of the specification; Dawn for Node has no such global. */
export const usage = {
  MAP_READ: 0x0001,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  INDIRECT: 0x0100,
  QUERY_RESOLVE: 0x0200,
} as const;
