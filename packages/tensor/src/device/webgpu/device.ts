/// <reference types="@webgpu/types" />
import { newArray, type DType, type TypedArray } from "../../dtype.js";
import type { Kernel } from "../../kernel/kernel.js";
import type { DeviceBuffer, Executor, Program } from "../executor.js";
import type { OpenedAdapter } from "./adapter.js";
import { Memory, type Block } from "./memory.js";
import { Queue } from "./queue.js";
import { Schedule } from "./schedule.js";

/** The device of graphics cards: kernels printed as WGSL, queued and submitted together. */
export class WebGpuExecutor implements Executor {
  readonly name = "webgpu";
  readonly dtypes = ["float32", "int32", "uint32", "bool"] as const satisfies readonly DType[];
  readonly fuses = true;
  readonly #queue: Queue;
  readonly #memory: Memory;
  readonly #schedule: Schedule;

  constructor(opened: OpenedAdapter) {
    this.#queue = new Queue(opened.device);
    this.#memory = new Memory(
      opened.device,
      (size, use) => this.#queue.buffer(size, use),
      () => this.#queue.beforeDestroy(),
    );
    this.#schedule = new Schedule(opened.device, this.#queue, this.#memory, !opened.software);
  }

  allocate(dtype: DType, length: number): Block {
    this.#queue.checkAlive();
    return this.#memory.allocate(dtype, length);
  }

  free(buffer: DeviceBuffer): void {
    this.#memory.free(buffer as Block);
  }

  write(buffer: DeviceBuffer, values: TypedArray): void {
    if (values.length === 0) return;
    // A bool is a word, as every element is.
    const words = values instanceof Uint8Array ? Uint32Array.from(values) : values;
    this.#queue.write(buffer as Block, words as Float32Array<ArrayBuffer>);
  }

  async read(buffer: DeviceBuffer, start: number, length: number): Promise<TypedArray> {
    const block = buffer as Block;
    if (length === 0) return newArray(block.dtype, 0);
    const words = await this.#queue.read(block, start, length);
    switch (block.dtype) {
      case "uint32":
        return words;
      case "int32":
        return new Int32Array(words.buffer);
      case "bool":
        return Uint8Array.from(words);
      default:
        return new Float32Array(words.buffer);
    }
  }

  run(kernel: Kernel): void {
    this.#schedule.run(kernel);
  }

  compile(kernels: readonly Kernel[]): Program {
    return this.#schedule.compile(kernels);
  }

  close(): void {
    this.#queue.close();
  }
}
