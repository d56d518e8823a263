import type { Cell } from "./cell.js";
import type { Device } from "./device/device.js";
import type { DType } from "./dtype.js";
import { codedError } from "./errors.js";
import { disposable } from "./disposable.js";
import { full, type DTypeOption } from "./ops/creation.js";
import { tensorsOf } from "./ops/elementwise.js";
import type { HasTensor } from "./read.js";
import { withoutTemporaries } from "./scope.js";
import { formatShape, sameShape } from "./shape.js";
import { Tensor, type Nested } from "./tensor.js";

/** What the values of a history are like. */
export interface HistoryOptions extends DTypeOption {
  /** Shape of one value; [] unless given. */
  readonly shape?: readonly number[];
}

/**
 * A curve kept on the device: values are written one after the other, inside captured steps too, and read together,
 * so that no step waits. Made by `device.history`.
 */
export class History {
  readonly device: Device;
  /** Most values it holds. */
  readonly capacity: number;
  /** Of one value. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly #values: Cell;
  /** int32 []: where the next value goes. */
  readonly #next: Cell;
  /** Assignments of `#next` that are no values of the present curve. */
  #before = 0;

  /** @internal */
  constructor(device: Device, capacity: number, { shape = [], dtype = "float32" }: HistoryOptions = {}) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 31 - 1) {
      throw codedError("BAD_ARGUMENT", `history: expected capacity from 1 to 2³¹ − 1, found ${capacity}`);
    }
    this.device = device;
    this.capacity = capacity;
    const [values, next] = device.beforeStep(() =>
      withoutTemporaries(device, () => [
        device.cell(full(device, [capacity, ...shape], 0, { dtype })),
        device.cell(full(device, [], 0, { dtype: "int32" })),
      ]),
    ) as [Cell, Cell];
    this.shape = values.shape.slice(1);
    this.dtype = dtype;
    this.#values = values;
    this.#next = next;
    next.beforeReplay = (times) => this.#expectRoom(times);
  }

  /** How many values it holds. */
  get length(): number {
    return this.#next.version - this.#before;
  }

  /**
   * Writes the next value, in constant time.
   *
   * @param value  A tensor or a Variable of the history's shape and dtype; copied.
   * @throws       BAD_ARGUMENT when the history is full, at the call of a captured step too, which then does nothing;
   *               SHAPE_MISMATCH, DTYPE_MISMATCH, DEVICE_MISMATCH, DISPOSED; NOT_REPLAYABLE in a step of `iterate`.
   * @example      const losses = device.history(10); losses.record(device.tensor(0.5));
   */
  record(value: Tensor | HasTensor): void {
    const row = Tensor.is(value) ? value : (value as Partial<HasTensor> | null)?.value;
    tensorsOf("history.record", [row as Tensor]);
    this.#check(row as Tensor);
    if (this.device.recording) {
      throw codedError("NOT_REPLAYABLE", "history.record: expected a call outside of iterate");
    }
    this.#expectRoom(1);
    this.#values.change((values) =>
      this.#next.change((next) =>
        this.device.run({
          form: "routine",
          name: "append",
          inputs: [row as Tensor, next],
          outputs: [values, next],
          attributes: {},
        }),
      ),
    );
  }

  /**
   * What has been recorded so far, [length, …shape]: a tensor that keeps it.
   *
   * @example  const losses = device.history(10); losses.value.shape   // [0]
   */
  get value(): Tensor {
    return withoutTemporaries(this.device, () => this.#values.value.slice([0, this.length]));
  }

  /**
   * A snapshot of what has been recorded so far, as nested arrays.
   *
   * @throws   Rejects as the read of a tensor does.
   * @example  const losses = device.history(10); await losses.toArray()   // []
   */
  async toArray(): Promise<Nested> {
    const value = this.value;
    const pending = value.toArray();
    value.dispose();
    return pending;
  }

  /**
   * Starts a new curve.
   *
   * @throws   BAD_ARGUMENT inside a captured step.
   * @example  const losses = device.history(10); losses.clear();
   */
  clear(): void {
    this.device.refuseInsideStep("history.clear: expected a call between steps, found one inside");
    withoutTemporaries(this.device, () => this.#next.assign(full(this.device, [], 0, { dtype: "int32" })));
    this.#before = this.#next.version;
  }

  /**
   * Returns the memory; later use throws DISPOSED.
   *
   * @example  const losses = device.history(10); losses.dispose();
   */
  dispose(): void {
    this.#values.dispose();
    this.#next.dispose();
  }

  #expectRoom(times: number): void {
    if (this.length + times <= this.capacity) return;
    throw codedError(
      "BAD_ARGUMENT",
      `history.record: expected at most ${this.capacity} values, found ${this.length} and ${times} more; read them and clear()`,
    );
  }

  #check(row: Tensor): void {
    if (row.device !== this.device) {
      throw codedError("DEVICE_MISMATCH", "history.record: expected a tensor on its device, found another");
    }
    if (row.dtype !== this.dtype) {
      throw codedError("DTYPE_MISMATCH", `history.record: expected ${this.dtype}, found ${row.dtype}`);
    }
    if (!sameShape(row.shape, this.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `history.record: expected shape ${formatShape(this.shape)}, found ${formatShape(row.shape)}`,
      );
    }
  }

  static {
    disposable(this);
  }
}

export interface History extends Disposable {}
