import { PartMissing, type Part } from "./part.js";

interface Task {
  readonly run: () => void;
  /** Instead of `run`, once something before it has failed. */
  readonly fail: (error: unknown) => void;
}

/**
 * Order of work while a part of the device is being loaded: the work that needs it waits, and so does all work after
 * it. Otherwise work is done at the call. What a kernel throws that had to wait rejects the reads behind it, or the
 * next one if there is none; kernels behind it are left out.
 */
export class WorkQueue {
  readonly #catchingUp: (is: boolean) => void;
  #tasks: Task[] | null = null;
  /** What no read has reported yet. */
  #failure: { readonly error: unknown } | null = null;

  /** @param catchingUp  Told when work that waited begins to be done, and when that is over. */
  constructor(catchingUp: (is: boolean) => void) {
    this.#catchingUp = catchingUp;
  }

  /** Whether work would have to wait. */
  get waits(): boolean {
    return this.#tasks !== null;
  }

  /** Makes all work wait for the part that `error` names, or for one before it; throws any other error. */
  waitFor(error: unknown): void {
    if (!(error instanceof PartMissing)) throw error;
    if (this.#tasks !== null) return;
    this.#tasks = [];
    this.#load(error.part);
  }

  /**
   * @param run   To be done once all work before is, and the parts are there that it asks for first of all.
   * @param fail  To be done instead if that fails.
   */
  push(run: () => void, fail: (error: unknown) => void = () => {}): void {
    this.#tasks?.push({ run, fail });
  }

  /** Does work now, or when its turn comes. */
  do(work: () => void): void {
    if (this.#tasks === null) {
      try {
        work();
        return;
      } catch (error) {
        this.waitFor(error);
      }
    }
    this.push(work);
  }

  /** The same for work that is to be done whatever has failed before. */
  always(work: () => void): void {
    if (this.waits) this.push(work, work);
    else work();
  }

  /** What `get` finds once all work before is done. */
  read<T>(get: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const report = (error: unknown) => {
        this.#failure = null;
        reject(error);
      };
      const settle = () => {
        try {
          if (this.#failure !== null) throw this.#failure.error;
          resolve(get());
        } catch (error) {
          report(error);
        }
      };
      if (this.waits) this.push(settle, report);
      else settle();
    });
  }

  #load(part: Part<unknown>): void {
    part.load().then(
      () => this.#catchUp(null),
      (error: unknown) => this.#catchUp({ part, error }),
    );
  }

  /** Does what waits, in order, until another part is missing. */
  #catchUp(lost: { readonly part: Part<unknown>; readonly error: unknown } | null): void {
    const tasks = this.#tasks as Task[];
    this.#tasks = null;
    let failure: { readonly error: unknown } | null = null;
    this.#catchingUp(true);
    for (const [at, { run, fail }] of tasks.entries()) {
      if (failure !== null) {
        fail(failure.error);
        continue;
      }
      try {
        run();
      } catch (error) {
        if (error instanceof PartMissing && error.part !== lost?.part) {
          this.#tasks = tasks.slice(at);
          this.#load(error.part);
          break;
        }
        failure = this.#failure = { error: error instanceof PartMissing ? lost?.error : error };
      }
    }
    this.#catchingUp(false);
  }
}
