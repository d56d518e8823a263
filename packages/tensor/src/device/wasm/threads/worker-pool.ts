import { codedError, type CodedError } from "../../../errors.js";
import type { Block, LinearMemory } from "../memory.js";
import { startWorker } from "./start-worker.js";

/** A kernel in parts, compiled here and to be compiled by workers. */
export interface Job {
  readonly bytes: Uint8Array;
  readonly parts: readonly ((...args: number[]) => void)[];
  /** Which argument is the address of working memory, and how many bytes of it each thread has. */
  readonly scratchAt: number;
  readonly scratch: number;
  /** Where workers find the bytes. */
  place: Place | null;
}

interface Place {
  readonly block: Block;
  readonly slot: number;
  readonly version: number;
}

/**
 * Control words. `next` holds the number of the job in its upper 24 bits and the parts that nobody has taken yet in its
 * lower eight; who lowers it by one has taken a part. The words behind `lost` describe the job and are written while
 * no part is left to take. Arguments follow as float64.
 */
const next = 0;
const left = 1;
const lost = 2;
const job = 3;
const argumentsAt = 64;
/** Arguments that a kernel may have. */
export const mostArguments = 240;

/**
 * Looks at a control word before waiting, here and in workers: for part of a millisecond, since a thread that sleeps
 * between kernels is often woken on the core of the one that wakes it, and then they take turns.
 */
const spins = 100_000;
/** Seconds for which the last part may be late, and how many times as long as this thread's own parts it may take. */
const usualPatience = 5;
const slowest = 20;

/**
 * Workers over shared memory. Parts of a kernel are taken one by one by whoever is free, this thread included: a worker
 * that comes late, or never, costs time and nothing else; one that ends with a part in its hands is noticed by its
 * silence.
 */
export class WorkerPool {
  readonly threads: number;
  readonly #memory: LinearMemory;
  readonly #control = new SharedArrayBuffer(argumentsAt + 8 * mostArguments);
  readonly #words = new Int32Array(this.#control);
  readonly #numbers = new Float64Array(this.#control, argumentsAt);
  readonly #mayWait: boolean;
  readonly #patience: number;
  readonly #ends: (() => void)[] = [];
  readonly #placed = new Set<Job>();
  #version = 0;
  #open = true;
  /** Why there is a worker less. */
  #missing: { readonly reason: unknown } | null = null;
  /** True once a kernel was left unfinished. */
  #unfinished = false;

  private constructor(memory: LinearMemory, threads: number, patience: number) {
    this.#memory = memory;
    this.threads = threads;
    this.#patience = patience;
    this.#mayWait = mayWait(this.#words);
  }

  /**
   * @param threads   How many there are in all, this one included.
   * @param url       A file with the text of a worker.
   * @param patience  Seconds for which the last part of a kernel may be late.
   * @throws          Whatever keeps workers from starting.
   */
  static async open(
    memory: LinearMemory,
    threads: number,
    url?: string | URL,
    patience = usualPatience,
  ): Promise<WorkerPool> {
    const pool = new WorkerPool(memory, threads, patience);
    const starts = Array.from({ length: threads - 1 }, async (_, k) => {
      const task = { memory: memory.memory, control: pool.#control, index: k + 1 };
      pool.#ends.push(await startWorker(task, url, (reason) => (pool.#missing ??= { reason })));
    });
    const failed = (await Promise.allSettled(starts)).find((start) => start.status === "rejected");
    if (failed === undefined) return pool;
    pool.close();
    throw failed.reason;
  }

  /** Runs all parts of a job. */
  run(work: Job, args: readonly number[]): void {
    if (this.#missing !== null || this.#unfinished) throw this.#error();
    const { slot, version, block } = (work.place ??= this.#put(work));
    const words = this.#words;
    const { bytes, scratchAt, scratch, parts } = work;
    words.set([slot, version, block.address, bytes.length, args.length, scratchAt, scratch], job);
    this.#numbers.set(args);
    Atomics.store(words, left, parts.length);
    Atomics.store(words, next, ((Atomics.load(words, next) & ~255) + 256) | parts.length);
    Atomics.notify(words, next);
    const began = performance.now();
    for (;;) {
      const word = Atomics.load(words, next);
      const part = (word & 255) - 1;
      if (part < 0) break;
      if (Atomics.compareExchange(words, next, word, word - 1) !== word) continue;
      (parts[part] as Job["parts"][number])(...args);
      Atomics.sub(words, left, 1);
    }
    this.#join(this.#patience + (slowest * (performance.now() - began)) / 1000);
  }

  /** Waits for the parts that workers have taken. */
  #join(seconds: number): void {
    const words = this.#words;
    let late = 0;
    let began = 0;
    for (let k = 0; ; k++) {
      const waiting = Atomics.load(words, left);
      if (waiting === 0) break;
      if (k < spins) continue;
      if (this.#mayWait) {
        // Seconds are counted in waits, so that a machine that slept is not taken for a worker that died.
        if (Atomics.wait(words, left, waiting, 1000) === "timed-out") late++;
      } else if (k % spins === 0) {
        if (k === spins) began = performance.now();
        late = (performance.now() - began) / 1000;
      }
      if (late > seconds) {
        this.#unfinished = true;
        throw this.#error();
      }
    }
    if (Atomics.load(words, lost) !== 0) {
      this.#unfinished = true;
      throw this.#error();
    }
  }

  check(): void {
    if (this.#unfinished) throw this.#error();
  }

  #error(): CodedError {
    const reason = this.#missing?.reason;
    const said = reason instanceof Error ? reason.message : "it has left a kernel unfinished";
    return codedError(
      "WORKER_LOST",
      `device wasm: expected ${this.threads - 1} workers beside this thread, found that one was lost: ${said}; open a new device`,
      { cause: reason },
    );
  }

  #put(work: Job): Place {
    const block = this.#memory.allocate("bool", work.bytes.length);
    this.#memory.elements(block).set(work.bytes);
    const place = { block, slot: this.#placed.size, version: ++this.#version };
    this.#placed.add(work);
    return place;
  }

  /** Takes modules out of memory; those that run again are put back. */
  forget(): void {
    for (const work of this.#placed) {
      this.#memory.free((work.place as Place).block);
      work.place = null;
    }
    this.#placed.clear();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const end of this.#ends) end();
  }
}

/** False on the main thread of a window, where waiting is forbidden. */
function mayWait(words: Int32Array): boolean {
  try {
    Atomics.wait(words, left, 1, 0);
    return true;
  } catch {
    return false;
  }
}
