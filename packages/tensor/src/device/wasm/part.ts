import { codedError, type CodedError } from "../../errors.js";

/** Thrown where code is asked for that has not arrived. */
export class PartMissing extends Error {
  readonly part: Part<unknown>;

  constructor(part: Part<unknown>) {
    super(part.name);
    this.part = part;
  }
}

/**
 * Code of this device that many programs never need: a module of its own, which is fetched when something first needs
 * it. Whoever prints kernels asks for it as if it were there; {@link WorkQueue} sees to the rest.
 */
export class Part<M> {
  /** What it is for. */
  readonly name: string;
  readonly #fetch: () => Promise<M>;
  #module: M | null = null;

  constructor(name: string, fetch: () => Promise<M>) {
    this.name = name;
    this.#fetch = fetch;
  }

  /** @throws  PartMissing as long as it has not been loaded. */
  get module(): M {
    if (this.#module === null) throw new PartMissing(this);
    return this.#module;
  }

  /** @throws  IO_FAILED when it cannot be had; the next call asks again. */
  async load(): Promise<void> {
    try {
      this.#module = await this.#fetch();
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): CodedError {
    return codedError(
      "IO_FAILED",
      `device wasm: expected to load its part for ${this.name}, found none, and kernels were left out; serve every file of the build and run them again`,
      { cause },
    );
  }
}
