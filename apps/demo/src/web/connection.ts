import { codedError, type DeviceName } from "@robgrad/tensor";
import { wrap, type Remote } from "comlink";
import "./coded-errors.js";
import type { Engine } from "./worker/engine.js";

interface Started {
  readonly engine: Promise<Remote<Engine>>;
  readonly lost: Promise<never>;
  readonly end: (reason: string) => void;
}

/**
 * A worker with an opened device, started with the first question.
 *
 * @example  const scene = await new Connection("wasm").ask((engine) => engine.begin(settings));
 */
export class Connection {
  readonly #device: DeviceName;
  readonly #onLost: (error: Error) => void;
  #started: Started | null = null;

  /**
   * @param onLost  Called when the worker ends by itself, asked or not.
   */
  constructor(device: DeviceName, onLost: (error: Error) => void = () => undefined) {
    this.#device = device;
    this.#onLost = onLost;
  }

  /**
   * An answer of the worker.
   *
   * @throws  Rejects with what the engine throws, and with WORKER_LOST when the worker ends on the way; the next question
   *          starts another.
   */
  async ask<T>(question: (engine: Remote<Engine>) => Promise<T>): Promise<T> {
    const { engine, lost } = (this.#started ??= this.#start());
    return Promise.race([engine.then(question), lost]);
  }

  /** Ends the worker; what it has not answered rejects with WORKER_LOST. */
  close(): void {
    this.#started?.end("closed");
    this.#started = null;
  }

  #start(): Started {
    const worker = new Worker(new URL("./worker/main.ts", import.meta.url), { type: "module" });
    let end: Started["end"] = () => undefined;
    const lost = new Promise<never>((_, reject) => {
      end = (reason) => {
        worker.terminate();
        reject(codedError("WORKER_LOST", `worker: expected an answer, found that it has ended: ${reason}`));
      };
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#started = null;
      lost.catch(this.#onLost);
      end(event.message || "its script did not load");
    });
    const remote = wrap<Engine>(worker);
    const engine = remote.open(this.#device).then(() => remote);
    // Nobody may be asking when it ends.
    for (const promise of [lost, engine]) promise.catch(() => undefined);
    return { engine, lost, end };
  }
}
