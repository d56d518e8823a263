import { kernelModule } from "../kernel-module.js";
import { kernelConstants, kernelViews, type PrintedKernel } from "../print-kernel.js";
import { kernelParts } from "./parts.js";
import { mostArguments, type Job, type WorkerPool } from "./worker-pool.js";
import { kernelWork } from "./work.js";

/** A compiled kernel: addresses in bytes, the address of its working memory, then constants. */
export type Run = (...args: number[]) => void;

export interface CompiledKernel {
  readonly run: Run;
  /** Bytes of working memory. */
  readonly scratch: number;
}

/** Below so many nanoseconds, starting the others and waiting for them costs too much of what they save. */
const worthSharing = 60_000;
/** Parts for each thread: who is held up does fewer. */
const partsPerThread = 2;

/** Runs large kernels on all threads of a pool. What a kernel computes does not depend on how many there are. */
export class Threads {
  readonly #pool: WorkerPool;
  readonly #leastWork: number;

  /** @param leastWork  Nanoseconds of work from which a kernel is shared. */
  constructor(pool: WorkerPool, leastWork = worthSharing) {
    this.#pool = pool;
    this.#leastWork = leastWork;
  }

  /** True for a kernel that takes long enough to be shared. */
  pays(kernel: PrintedKernel): boolean {
    return kernelWork(kernel) >= this.#leastWork;
  }

  /** @returns  null for a kernel that one thread should run alone. */
  compile(
    kernel: PrintedKernel,
    relaxed: boolean,
    instantiate: (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Exports,
  ): CompiledKernel | null {
    if (!this.pays(kernel)) return null;
    const { threads } = this.#pool;
    const scratchAt = kernelViews(kernel).length;
    if (scratchAt + 1 + kernelConstants(kernel).length > mostArguments) return null;
    const parts = kernelParts(kernel, relaxed, partsPerThread * threads);
    if (parts === null || parts.prints.length < 2) return null;
    const bytes = kernelModule(kernel, parts.prints, true);
    const exports = instantiate(bytes);
    const scratch = Math.ceil(parts.scratch / 64) * 64;
    const job: Job = {
      bytes,
      parts: parts.prints.map((_, part) => exports[part] as Run),
      scratchAt,
      scratch,
      place: null,
    };
    return { run: (...args) => this.#pool.run(job, args), scratch: scratch * threads };
  }

  /** Rejects with WORKER_LOST where a worker has left a kernel unfinished. */
  check(): void {
    this.#pool.check();
  }

  /** Lets go of modules that wait in memory for workers. */
  forget(): void {
    this.#pool.forget();
  }

  close(): void {
    this.#pool.close();
  }
}
