import { codedError, type CodedError } from "../../errors.js";

/** What went wrong on the queue since the last read, which reports it. */
export class Trouble {
  #found: { readonly order: number; readonly error: CodedError } | null = null;
  #asked = 0;
  /** Checks whose outcome is not known yet. */
  readonly #pending = new Set<Promise<void>>();

  /** Remembers the error of WebGPU that belongs to what was asked first: later ones follow from it. */
  note(error: GPUError, of: string, order = this.#asked): void {
    const memory = error.constructor.name === "GPUOutOfMemoryError";
    if (this.#found !== null && this.#found.order <= order) return;
    const coded = codedError(
      memory ? "MEMORY_LIMIT" : "BAD_ARGUMENT",
      memory
        ? `device webgpu: expected enough memory for ${of}, found ${error.message}`
        : `device webgpu: expected the driver to accept ${of}, found ${error.message}`,
    );
    this.#found = { order, error: coded };
  }

  /**
   * Watches what `work` asks of a device.
   *
   * @param of      Says what it is, should it fail.
   * @param detail  What else is known then.
   */
  watch<R>(
    device: GPUDevice,
    kinds: readonly GPUErrorFilter[],
    of: () => string,
    work: () => R,
    detail?: Detail<R>,
  ): R {
    const order = this.#asked++;
    for (const kind of kinds) device.pushErrorScope(kind);
    const result = work();
    for (let k = 0; k < kinds.length; k++) {
      const check = device.popErrorScope().then(
        async (error) => {
          if (error !== null) this.note(error, `${of()}${(await detail?.(result)) ?? ""}`, order);
        },
        // A lost device has said so by itself.
        () => {},
      );
      this.#pending.add(check);
      void check.then(() => this.#pending.delete(check));
    }
    return result;
  }

  /** Waits for all checks begun before; throws what they found, once. */
  async report(): Promise<void> {
    await Promise.all(this.#pending);
    const found = this.#found;
    this.#found = null;
    if (found !== null) throw found.error;
  }
}

type Detail<R> = (result: R) => Promise<string>;
