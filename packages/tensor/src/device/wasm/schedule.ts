import { bytesPerElement, type TypedArray } from "../../dtype.js";
import type { IterateKernel, Kernel, View } from "../../kernel/kernel.js";
import { bodyFunctions } from "../../scalar/operations.js";
import { sizeOf } from "../../shape.js";
import type { Program } from "../executor.js";
import { ModuleBuilder, type ImportedFunction } from "./assembler.js";
import { withParameters } from "./constants.js";
import type { Start } from "./loops.js";
import type { Block, LinearMemory } from "./memory.js";
import { kernelConstants, kernelKey, kernelPrinter, kernelViews, type PrintedKernel } from "./print-kernel.js";
import { isListed, planList, type ListedKernel } from "./print-list.js";
import { bindRoutine } from "./routines.js";

/** A compiled kernel: addresses in bytes, the address of its working memory, then constants. */
type Run = (...args: number[]) => void;

interface Compiled {
  readonly run: Run;
  /** Bytes of working memory. */
  readonly scratch: number;
}

/** What modules import from JavaScript. */
const hostFunctions: Record<ImportedFunction, (...args: never[]) => number> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  pow: Math.pow,
  remainder: bodyFunctions.remainder,
};

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
  readonly #compiled = new Map<string, Compiled>();

  constructor(memory: LinearMemory, relaxed: boolean) {
    this.#memory = memory;
    this.#relaxed = relaxed;
  }

  run(kernel: Kernel): void {
    if (isPrinted(kernel)) {
      const { run, scratch } = this.#kernel(kernel);
      run(...this.#arguments(kernel, scratch));
    } else this.#prepare(kernel)();
  }

  close(): void {
    this.#compiled.clear();
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
        if (isListed(kernel)) run.push(kernel);
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

  /** One module for kernels with constant addresses; `held` gets its working memory. */
  #together(kernels: readonly ListedKernel[], held: Block[]): () => void {
    const list = planList(kernels, this.#relaxed);
    if (list.scratch > 0) held.push(this.#memory.allocate("bool", list.scratch));
    const scratch = list.scratch > 0 ? (held.at(-1) as Block).address : 0;
    const module = new ModuleBuilder();
    module.export(
      "run",
      module.function([], [], (f) => list.print(f, addressOf, scratch)),
    );
    return this.#instantiate(module);
  }

  #instantiate(module: ModuleBuilder): Run {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
      host: { memory: this.#memory.memory, ...hostFunctions },
    });
    return instance.exports["run"] as Run;
  }

  /** Compiles on first use. */
  #kernel(kernel: PrintedKernel): Compiled {
    const key = kernelKey(kernel);
    let compiled = this.#compiled.get(key);
    if (compiled !== undefined) return compiled;
    const printer = kernelPrinter(kernel, this.#relaxed);
    const addresses = kernelViews(kernel).length + 1;
    const types = [
      ...Array.from({ length: addresses }, () => "i32" as const),
      ...kernelConstants(kernel).map(() => "f64" as const),
    ];
    const module = new ModuleBuilder();
    const index = module.function(types, [], (f, ...all) => {
      const starts = all.slice(0, addresses).map((parameter): Start => ({ base: parameter.get, offset: 0 }));
      const scratch = starts.pop() as Start;
      const parameters = all.slice(addresses).map((parameter) => parameter.get);
      withParameters(f, parameters, (g, spread) => printer.print(g, starts, scratch, { spread, parameters }));
    });
    module.export("run", index);
    if (this.#compiled.size >= mostKernels) this.#compiled.clear();
    this.#compiled.set(key, (compiled = { run: this.#instantiate(module), scratch: printer.scratch }));
    return compiled;
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
    return kernel.form === "iterate" ? this.#iterate(kernel) : bindRoutine(kernel, this.#memory);
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
