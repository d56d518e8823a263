import { codedError } from "../../errors.js";
import { dtypes, type DType, type TypedArray } from "../../dtype.js";
import type { Kernel } from "../../kernel/kernel.js";
import type { DeviceBuffer, Executor, Program } from "../executor.js";
import { ModuleBuilder } from "./assembler.js";
import { LinearMemory, type Block } from "./memory.js";
import { enableRelaxed } from "./relaxed.js";
import { WasmSchedule } from "./schedule.js";
import type { ThreadOptions } from "./threads/open-threads.js";
import type { Threads } from "./threads/threads.js";

export interface WasmOptions extends Partial<ThreadOptions> {
  readonly relaxed?: boolean | undefined;
}

/** The production CPU device: kernels printed to WebAssembly with SIMD, every dtype, each kernel run at once. */
export class WasmExecutor implements Executor {
  readonly name = "wasm";
  readonly dtypes = dtypes;
  readonly fuses = true;
  readonly #memory: LinearMemory;
  readonly #threads: Threads | null;
  readonly #schedule: WasmSchedule;

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
    if (relaxed && !(await enableRelaxed())) {
      throw codedError(
        "DEVICE_UNAVAILABLE",
        "device wasm: expected an engine with relaxed SIMD, found none; open it without { relaxed: true }",
      );
    }
    const shared =
      count > 1 ? await (await import("./threads/open-threads.js")).openThreads({ threads: count, ...rest }) : null;
    return new WasmExecutor(relaxed, shared?.memory ?? new LinearMemory(), shared?.threads ?? null);
  }

  allocate(dtype: DType, length: number): Block {
    return this.#memory.allocate(dtype, length);
  }

  free(buffer: DeviceBuffer): void {
    this.#memory.free(buffer as Block);
  }

  write(buffer: DeviceBuffer, values: TypedArray): void {
    this.#memory.elements(buffer as Block).set(values);
  }

  async read(buffer: DeviceBuffer, start: number, length: number): Promise<TypedArray> {
    this.#threads?.check();
    return this.#memory.elements(buffer as Block).slice(start, start + length);
  }

  run(kernel: Kernel): void {
    this.#schedule.run(kernel);
  }

  compile(kernels: readonly Kernel[]): Program {
    return this.#schedule.compile(kernels);
  }

  close(): void {
    this.#schedule.close();
  }
}
