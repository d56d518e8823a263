import { bytesPerElement, type TypedArray } from "../../dtype.js";
import type { IterateKernel, Kernel, View } from "../../kernel/kernel.js";
import { bodyFunctions } from "../../scalar/operations.js";
import { sizeOf } from "../../shape.js";
import type { Program } from "../executor.js";
import { ModuleBuilder, type ImportedFunction } from "./assembler.js";
import { kernelModule } from "./kernel-module.js";
import type { Block, LinearMemory } from "./memory.js";
import { kernelConstants, kernelKey, kernelPrinter, kernelViews, type PrintedKernel } from "./print-kernel.js";
import { isListed, planList, type ListedKernel } from "./print-list.js";
import { bindRoutine } from "./routines.js";
import type { CompiledKernel, Run, Threads } from "./threads/threads.js";

/** What modules import from JavaScript. */
const hostFunctions: Record<ImportedFunction, (...args: never[]) => number> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  pow: Math.pow,
  remainder: bodyFunctions.remainder,
};

/** Compiles a module and links it to a memory. */
function instantiate({ memory }: LinearMemory, bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, ...hostFunctions } }).exports;
}

/** More compiled kernels than this are more than a program repeats. */
const mostKernels = 4096;

const addressOf = (view: View): number =>
  (view.storage.buffer as Block).address + view.offset * bytesPerElement(view.dtype);

const isPrinted = (kernel: Kernel): kernel is PrintedKernel => kernel.form !== "routine" && kernel.form !== "iterate";

/**
 * Turns kernels into calls. Eagerly, a module is printed and compiled once for each structure with its shapes and
 * strides, and addresses and constants are arguments. A list of kernels that is to run again and again becomes one
 * module with all of them printed in.
 */
export class WasmSchedule {
  readonly #memory: LinearMemory;
  readonly #relaxed: boolean;
  readonly #threads: Threads | null;
  readonly #compiled = new Map<string, CompiledKernel>();

  /** @param threads  Who runs large kernels together, where there is more than one. */
  constructor(memory: LinearMemory, relaxed: boolean, threads: Threads | null) {
    this.#memory = memory;
    this.#relaxed = relaxed;
    this.#threads = threads;
  }

  run(kernel: Kernel): void {
    if (isPrinted(kernel)) {
      const { run, scratch } = this.#kernel(kernel);
      run(...this.#arguments(kernel, scratch));
    } else this.#prepare(kernel)();
  }

  close(): void {
    this.#compiled.clear();
    this.#threads?.close();
  }

  /** Kernels bound to their memory: neighbours that are printed share a module and one call. */
  compile(kernels: readonly Kernel[]): Program {
    const calls: (() => void)[] = [];
    const held: Block[] = [];
    let run: ListedKernel[] = [];
    const flush = () => {
      if (run.length > 0) calls.push(this.#together(run, held));
      run = [];
    };
    const dispose = () => {
      for (const block of held.splice(0)) this.#memory.free(block);
    };
    try {
      for (const kernel of kernels) {
        if (isListed(kernel) && !this.#isShared(kernel)) run.push(kernel);
        else {
          flush();
          calls.push(this.#prepare(kernel));
        }
      }
      flush();
    } catch (error) {
      dispose();
      throw error;
    }
    const [only] = calls;
    return { run: calls.length === 1 && only !== undefined ? only : () => calls.forEach((call) => call()), dispose };
  }

  /** True for a kernel that several threads run, and for a loop around one. */
  #isShared(kernel: Kernel): boolean {
    if (this.#threads === null) return false;
    if (isPrinted(kernel)) return this.#threads.pays(kernel);
    return kernel.form === "iterate" && kernel.body.some((inner) => this.#isShared(inner));
  }

  /** One module for kernels with constant addresses; `held` gets its working memory. */
  #together(kernels: readonly ListedKernel[], held: Block[]): () => void {
    const list = planList(kernels, this.#relaxed);
    if (list.scratch > 0) held.push(this.#memory.allocate("bool", list.scratch));
    const scratch = list.scratch > 0 ? (held.at(-1) as Block).address : 0;
    const module = new ModuleBuilder({ shared: this.#memory.shared });
    module.export(
      "run",
      module.function([], [], (f) => list.print(f, addressOf, scratch)),
    );
    return instantiate(this.#memory, module.finish())["run"] as () => void;
  }

  /** Compiles on first use. */
  #kernel(kernel: PrintedKernel): CompiledKernel {
    const key = kernelKey(kernel);
    let compiled = this.#compiled.get(key);
    if (compiled !== undefined) return compiled;
    compiled =
      this.#threads?.compile(kernel, this.#relaxed, (bytes) => instantiate(this.#memory, bytes)) ?? this.#alone(kernel);
    if (this.#compiled.size >= mostKernels) {
      this.#compiled.clear();
      this.#threads?.forget();
    }
    this.#compiled.set(key, compiled);
    return compiled;
  }

  #alone(kernel: PrintedKernel): CompiledKernel {
    const { scratch, print } = kernelPrinter(kernel, this.#relaxed);
    const exports = instantiate(this.#memory, kernelModule(kernel, [print], this.#memory.shared));
    return { run: exports[0] as Run, scratch };
  }

  #arguments(kernel: PrintedKernel, scratch: number): number[] {
    const args: number[] = [];
    for (const view of kernelViews(kernel)) args.push(addressOf(view));
    args.push(this.#memory.scratch(scratch));
    for (const constant of kernelConstants(kernel)) args.push(constant);
    return args;
  }

  /** A kernel bound to its memory. */
  #prepare(kernel: Kernel): () => void {
    if (isPrinted(kernel)) {
      const { run, scratch } = this.#kernel(kernel);
      if (scratch > 0) return () => run(...this.#arguments(kernel, scratch));
      const args = this.#arguments(kernel, scratch);
      return () => run(...args);
    }
    return kernel.form === "iterate" ? this.#iterate(kernel) : bindRoutine(kernel, this.#memory, instantiate);
  }

  #iterate({ body, copies, until, maximum }: IterateKernel): () => void {
    const elements = (view: View): TypedArray => this.#memory.elements(view.storage.buffer as Block);
    const calls = body.map((kernel) => this.#prepare(kernel));
    return () => {
      for (let turn = 0; turn < maximum; turn++) {
        for (const call of calls) call();
        const stop = until !== null && elements(until)[until.offset] !== 0;
        for (const { from, to } of copies) {
          const source = elements(from).subarray(from.offset, from.offset + sizeOf(from.shape));
          (elements(to) as Float64Array).set(source as Float64Array, to.offset);
        }
        if (stop) return;
      }
    };
  }
}
