import type { DeviceName } from "@robgrad/tensor";
import type { Remote } from "comlink";
import { Connection } from "./connection.js";
import type { Engine } from "./worker/engine.js";

/** What is computed in the background, job by job. */
interface Work<J, A> {
  /** The most pressing job that nobody is at, taken; null when there is none now. */
  readonly next: () => J | null;
  readonly ask: (engine: Remote<Engine>, job: J) => Promise<A>;
  readonly answered: (job: J, answer: A) => void;
  /** What was asked and not answered is asked anew by whoever begins again. */
  readonly failed: (error: unknown) => void;
}

/** Workers that leave a core to the page and to the trial that is watched. */
export const workersInBackground = Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1));

/**
 * Workers of their own, that take one job after another.
 *
 * @example  const background = new Background("wasm", { next, ask, answered, failed });
 */
export class Background<J, A> {
  readonly #work: Work<J, A>;
  readonly #connections: readonly Connection[];
  readonly #idle: Set<Connection>;
  #closed = false;

  constructor(device: DeviceName, work: Work<J, A>) {
    this.#work = work;
    this.#connections = Array.from({ length: workersInBackground }, () => new Connection(device));
    this.#idle = new Set(this.#connections);
    this.wake();
  }

  /** Tells workers without a job that there may be one. */
  wake(): void {
    for (const connection of [...this.#idle]) void this.#serve(connection);
  }

  /** Ends all workers; what they are at is given up. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  async #serve(connection: Connection): Promise<void> {
    const { next, ask, answered, failed } = this.#work;
    this.#idle.delete(connection);
    try {
      for (let job = next(); job !== null; job = next()) {
        const own = job;
        const answer = await connection.ask((engine) => ask(engine, own));
        if (this.#closed) return;
        answered(own, answer);
      }
      this.#idle.add(connection);
    } catch (error) {
      if (this.#closed) return;
      this.close();
      failed(error);
    }
  }
}
