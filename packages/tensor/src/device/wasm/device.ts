import { codedError } from "../../errors.js";
import { dtypes, type DType, type TypedArray } from "../../dtype.js";
import type { Kernel, View } from "../../kernel/kernel.js";
import { mapViews } from "../../kernel/views.js";
import { Storage } from "../../storage.js";
import type { DeviceBuffer, Executor, Program } from "../executor.js";
import { ModuleBuilder } from "./assembler.js";
import { LinearMemory, type Block } from "./memory.js";
import { WasmSchedule } from "./schedule.js";
import type { ThreadOptions } from "./threads/open-threads.js";
import type { Threads } from "./threads/threads.js";
import { WorkQueue } from "./work-queue.js";

export interface WasmOptions extends Partial<ThreadOptions> {
  readonly relaxed?: boolean | undefined;
}

/** The view with the memory of this moment: tensors may let go of theirs, and cells exchange it, before a kernel runs. */
function bound({ storage: { device, dtype: kind, length, buffer }, dtype, shape, strides, offset }: View): View {
  return { storage: new Storage(device, kind, length, buffer), dtype, shape, strides, offset };
}

/**
 * The production CPU device: kernels printed to WebAssembly with SIMD, every dtype. Each kernel is run at once, unless
 * a part of this code is still on its way.
 */
export class WasmExecutor implements Executor {
  readonly name = "wasm";
  readonly dtypes = dtypes;
  readonly fuses = true;
  readonly #memory: LinearMemory;
  readonly #threads: Threads | null;
  readonly #schedule: WasmSchedule;
  /** Work that catches up has memory of its own: free memory may be in use by what waits behind it. */
  readonly #queue = new WorkQueue((catchingUp) => {
    this.#memory.reuses = !catchingUp;
  });

  private constructor(relaxed: boolean, memory: LinearMemory, threads: Threads | null) {
    this.#memory = memory;
    this.#threads = threads;
    this.#schedule = new WasmSchedule(memory, relaxed, threads);
  }

  /**
   * @param options  `relaxed`: use relaxed multiply-add; without it every engine gives the same bits. `threads`: how
   *                 many share large kernels, where memory can be shared.
   * @throws         DEVICE_UNAVAILABLE where WebAssembly, its SIMD or what `relaxed` asks for is missing or forbidden.
   */
  static async open({ relaxed = false, threads: count = 1, ...rest }: WasmOptions = {}): Promise<WasmExecutor> {
    const module = new ModuleBuilder();
    module.function([], ["v128"], (f) => f.v128(new Uint8Array(16)));
    const bytes = module.finish();
    if (typeof WebAssembly === "undefined" || !WebAssembly.validate(bytes)) {
      throw codedError("DEVICE_UNAVAILABLE", "device wasm: expected an engine with WebAssembly SIMD, found none");
    }
    try {
      new WebAssembly.Module(bytes);
    } catch (cause) {
      throw codedError(
        "DEVICE_UNAVAILABLE",
        "device wasm: expected leave to compile WebAssembly, found none; allow 'wasm-unsafe-eval' in the content security policy",
        { cause },
      );
    }
    const missing = relaxed ? await (await import("./relaxed.js")).enableRelaxed() : null;
    if (missing !== null) throw codedError("DEVICE_UNAVAILABLE", missing);
    const shared =
      count > 1 ? await (await import("./threads/open-threads.js")).openThreads({ threads: count, ...rest }) : null;
    return new WasmExecutor(relaxed, shared?.memory ?? new LinearMemory(), shared?.threads ?? null);
  }

  allocate(dtype: DType, length: number): Block {
    return this.#memory.allocate(dtype, length);
  }

  /** At once, even if kernels that use it wait: whatever gets the memory next is written by work behind them. */
  free(buffer: DeviceBuffer): void {
    this.#memory.free(buffer as Block);
  }

  write(buffer: DeviceBuffer, values: TypedArray): void {
    const kept = this.#queue.waits ? values.slice() : values;
    this.#queue.always(() => this.#memory.elements(buffer as Block).set(kept));
  }

  read(buffer: DeviceBuffer, start: number, length: number): Promise<TypedArray> {
    return this.#queue.read(() => {
      this.#threads?.check();
      return this.#memory.elements(buffer as Block).slice(start, start + length);
    });
  }

  run(kernel: Kernel): void {
    if (!this.#queue.waits) {
      try {
        this.#schedule.run(kernel);
        return;
      } catch (error) {
        this.#queue.waitFor(error);
      }
    }
    const waiting = mapViews(kernel, bound, bound);
    this.#queue.push(() => this.#schedule.run(waiting));
  }

  compile(kernels: readonly Kernel[]): Program {
    let program: Program | null = null;
    let waiting = kernels;
    const compiled = () => (program ??= this.#schedule.compile(waiting));
    try {
      compiled();
    } catch (error) {
      this.#queue.waitFor(error);
      waiting = kernels.map((kernel) => mapViews(kernel, bound, bound));
    }
    const run = () => compiled().run();
    return {
      run: () => this.#queue.do(run),
      dispose: () => this.#queue.always(() => program?.dispose()),
    };
  }

  close(): void {
    this.#queue.always(() => this.#schedule.close());
  }
}
