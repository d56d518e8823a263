import { workerSource } from "./worker-source.js";

/** What a worker is told when it starts. */
export interface WorkerTask {
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  /** Which working memory is its own. */
  readonly index: number;
}

/** The part of Node's worker that is used here. */
interface NodeWorker {
  on(event: string, listener: (what: unknown) => void): void;
  postMessage(message: unknown): void;
  unref(): void;
  terminate(): void;
}

interface NodeThreads {
  readonly Worker: new (source: string | URL, options: { eval: boolean; execArgv: string[] }) => NodeWorker;
}

/** Who does not answer by then never will. */
const patience = 10_000;

/**
 * Starts a worker and waits until it is ready.
 *
 * @param url    Where {@link workerSource} is found as a file, for pages that forbid workers made of text.
 * @param ended  Called when the worker ends by itself, now or later.
 * @returns      A function that ends it.
 */
export async function startWorker(
  task: WorkerTask,
  url: string | URL | undefined,
  ended: (reason: unknown) => void,
): Promise<() => void> {
  const host = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };
  let clock: ReturnType<typeof setTimeout> | undefined;
  try {
    if (host.process?.versions?.node === undefined) return await new Promise<() => void>(inBrowser);
    // Not a literal, so that bundlers for browsers do not look for it.
    const name = "node:worker_threads";
    const threads = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as NodeThreads;
    return await new Promise<() => void>((resolve, reject) => inNode(threads, resolve, reject));
  } finally {
    clearTimeout(clock);
  }

  function inNode({ Worker }: NodeThreads, resolve: (end: () => void) => void, reject: (reason: unknown) => void) {
    const worker = new Worker(url === undefined ? workerSource : new URL(url), {
      eval: url === undefined,
      execArgv: [],
    });
    const end = () => worker.terminate();
    const fail = (reason: unknown) => {
      ended(reason);
      reject(reason);
    };
    worker.on("message", () => {
      // A program that forgets the device ends all the same.
      worker.unref();
      resolve(end);
    });
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`a worker ended with status ${String(code)}`)));
    worker.postMessage(task);
    expire(end, reject);
  }

  function inBrowser(resolve: (end: () => void) => void, reject: (reason: unknown) => void) {
    const text = url === undefined ? URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" })) : null;
    const worker = new Worker(url ?? (text as string));
    const end = () => worker.terminate();
    worker.onmessage = () => {
      if (text !== null) URL.revokeObjectURL(text);
      resolve(end);
    };
    worker.onerror = ({ message }) => {
      const reason = new Error(message || "a worker could not be started");
      ended(reason);
      reject(reason);
    };
    worker.postMessage(task);
    expire(end, reject);
  }

  function expire(end: () => void, reject: (reason: unknown) => void) {
    clock = setTimeout(() => {
      end();
      reject(new Error("a worker did not start"));
    }, patience);
  }
}
