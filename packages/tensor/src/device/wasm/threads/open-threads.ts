import { LinearMemory } from "../memory.js";
import { Threads } from "./threads.js";
import { WorkerPool } from "./worker-pool.js";

/** How many threads there are to be and what they are for. */
export interface ThreadOptions {
  /** In all. */
  readonly threads: number;
  /** A file with the text of a worker. */
  readonly workerUrl?: string | URL | undefined;
  /** Nanoseconds of work from which a kernel is shared; tests share everything. */
  readonly leastWork?: number | undefined;
}

const reportedKey = Symbol.for("robgrad.reported");

function report(reason: string): void {
  const reported = ((globalThis as { [reportedKey]?: Set<string> })[reportedKey] ??= new Set());
  if (reported.has("threads")) return;
  reported.add("threads");
  console.warn(`openDevice: the wasm device runs on one thread: ${reason}`);
}

/**
 * Shared memory with workers over it.
 *
 * @returns  null, and says why once, where there can be none.
 */
export async function openThreads({
  threads: count,
  workerUrl,
  leastWork,
}: ThreadOptions): Promise<{ readonly memory: LinearMemory; readonly threads: Threads } | null> {
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  if (typeof SharedArrayBuffer === "undefined" || crossOriginIsolated === false) {
    report(
      "memory can be shared only by pages that are isolated; send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    );
    return null;
  }
  try {
    const memory = new LinearMemory(true);
    return { memory, threads: new Threads(await WorkerPool.open(memory, count, workerUrl), leastWork) };
  } catch (reason) {
    report(`workers do not start (${reason instanceof Error ? reason.message : String(reason)})`);
    return null;
  }
}
