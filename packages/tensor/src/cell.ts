import { codedError } from "./errors.js";
import type { Device } from "./device/device.js";
import { disposable } from "./disposable.js";
import { rowMajor } from "./layout.js";
import { assignInto } from "./ops/creation.js";
import { tensorsOf, viewOver } from "./ops/elementwise.js";
import { apply, constant, input, type Expression } from "./scalar/expression.js";
import { formatShape, sameShape, sizeOf } from "./shape.js";
import { Tensor } from "./tensor.js";

/**
 * The only mutable thing: fixed storage with a value that can be replaced. Tensors taken from `value` keep what they
 * held: the cell copies it aside when it is assigned while such a tensor is alive.
 */
export class Cell {
  readonly device: Device;
  readonly shape: readonly number[];
  readonly dtype: Tensor["dtype"];
  /** @internal May refuse a replay that is about to assign the cell so many times. */
  beforeReplay: ((times: number) => void) | null = null;
  #handle: Tensor;
  #version = 0;
  /** The last recording that looked at it. */
  #seenBy: object | null = null;

  /** @internal */
  constructor(device: Device, initial: Tensor) {
    tensorsOf("cell", [initial]);
    if (initial.device !== device) {
      throw codedError("DEVICE_MISMATCH", `cell: expected a tensor on ${device.name}, found one on another device`);
    }
    this.device = device;
    this.shape = initial.shape;
    this.dtype = initial.dtype;
    // A cell made inside a captured step is state of its first call, not part of the step.
    this.#handle = device.beforeStep(() => this.#copied(initial));
  }

  /**
   * The present value, as a tensor that keeps it.
   *
   * @throws   DISPOSED after `dispose`.
   * @example  const w = device.cell(device.ones([2])); w.value.sum();
   */
  get value(): Tensor {
    return new Tensor(this.device, this.current.storage, this.dtype, rowMajor(this.shape));
  }

  /** How many times it has been assigned. */
  get version(): number {
    return this.#version;
  }

  /** @internal The cell's own handle: valid until the next assignment, not to be kept or disposed. */
  get current(): Tensor {
    if (this.#handle.disposed) throw codedError("DISPOSED", `cell: expected a live cell, found one that was disposed`);
    this.partFromOutside();
    return this.#handle;
  }

  /**
   * @internal Called when a recorded step first looks at the memory of the cell, by the cell or by a tensor taken from it
   * before the step: such tensors get memory of their own now, since a replay would see the cell's present value in them.
   */
  partFromOutside(): void {
    const { observation } = this.device;
    if (observation === null || observation === this.#seenBy || this.device.recording) return;
    this.#seenBy = observation;
    if (this.#handle.storage.handles > 1) this.device.beforeStep(() => this.#writable());
  }

  /**
   * Replaces the value.
   *
   * @param value  Same shape, dtype and device; copied.
   * @throws       SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, DISPOSED; NOT_REPLAYABLE in a step of `iterate`
   *               while a tensor taken from `value` is alive.
   * @example      const t = device.cell(device.tensor(0)); t.assign(t.value.add(1));
   */
  assign(value: Tensor): void {
    tensorsOf("cell.assign", [value]);
    if (value.device !== this.device) {
      throw codedError("DEVICE_MISMATCH", `cell.assign: expected a tensor on the cell's device, found one on another`);
    }
    if (value.dtype !== this.dtype) {
      throw codedError("DTYPE_MISMATCH", `cell.assign: expected ${this.dtype}, found ${value.dtype}`);
    }
    if (!sameShape(value.shape, this.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `cell.assign: expected shape ${formatShape(this.shape)}, found ${formatShape(value.shape)}`,
      );
    }
    this.change((out) => assignInto(out, value));
  }

  /**
   * @internal value ← f(value, operands…) in place, and not at all while the device's fault cell is set. Input 0 of
   * the formula is the value, inputs 1 … are the operands, which have its shape or broadcast to it.
   */
  update(f: Expression, operands: readonly Tensor[]): void {
    const { faults } = this.device;
    const fault = { ...faults, shape: this.shape, strides: this.shape.map(() => 0) };
    this.change((out) =>
      this.device.run({
        form: "map",
        out,
        f: apply("where", apply("equal", input(operands.length + 1), constant(0)), f, input(0)),
        operands: [out, ...operands.map((x) => viewOver(x, this.shape)), fault],
      }),
    );
  }

  /** @internal `write` changes the elements of the handle it is given. */
  change(write: (out: Tensor) => void): void {
    write(this.#writable());
    this.#changed();
  }

  /** @internal A replay is about to assign the cell `times` times. */
  replayed(times: number): void {
    this.#writable();
    this.#version += times;
  }

  #changed(): void {
    this.#version++;
    this.device.assigned(this);
  }

  /** A handle of its own with the elements of `value`. */
  #copied(value: Tensor): Tensor {
    const storage = this.device.allocate(this.dtype, sizeOf(this.shape));
    storage.owner = this;
    const handle = Tensor.unscoped(this.device, storage, this.dtype, rowMajor(this.shape));
    assignInto(handle, value);
    return handle;
  }

  /** The handle to write to. A tensor taken from `value` that is still alive gets a copy of the old value first. */
  #writable(): Tensor {
    const handle = this.current;
    const { storage } = handle;
    if (storage.handles > 1) {
      if (this.device.recording) {
        throw codedError(
          "NOT_REPLAYABLE",
          "cell: expected no tensor of the old value to be alive when a recorded step assigns it; dispose or copy() it first",
        );
      }
      const fresh = this.#copied(handle);
      this.device.exchange(storage, fresh.storage);
      storage.owner = null;
      this.#handle = fresh;
      handle.dispose();
    }
    return this.#handle;
  }

  /**
   * Returns the memory; later use throws DISPOSED.
   *
   * @example  const w = device.cell(device.ones([2])); w.dispose();
   */
  dispose(): void {
    this.#handle.dispose();
  }

  static {
    disposable(this);
  }
}

export interface Cell extends Disposable {}
