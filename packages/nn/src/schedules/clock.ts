import { codedError, type Cell, type Device, type Scalar, type Tensor } from "@robgrad/tensor";
import { apply, constant, input, mapExpression, traceScalar, type Expression } from "@robgrad/tensor/kernels";
import type { HasParameters } from "../optimizers/optimizer.js";

const oneMore = apply("add", input(0), constant(1));

/** Counts the updates of one optimizer in a cell, so that replays of a captured step count on. */
export class Clock {
  readonly #subject: string;
  readonly #formulas = new Map<(step: Scalar) => Scalar, Expression>();
  #cell: Cell | null = null;

  constructor(subject: string) {
    this.#subject = subject;
  }

  /** The number of updates so far, int32 []. */
  on(device: Device): Cell {
    this.#cell ??= device.beforeStep(() => {
      const zero = device.zeros([], { dtype: "int32" });
      const cell = device.cell(zero);
      zero.dispose();
      return cell;
    });
    if (this.#cell.device !== device) {
      throw codedError(
        "DEVICE_MISMATCH",
        `${this.#subject}: expected parameters on the device of the first update, found others`,
      );
    }
    return this.#cell;
  }

  /** A function of that number, on the device and in the dtype of a parameter. */
  at(schedule: (step: Scalar) => Scalar, { device, dtype }: Cell): Tensor {
    let f = this.#formulas.get(schedule);
    if (f === undefined) this.#formulas.set(schedule, (f = traceScalar(this.#subject, schedule, 1)));
    return mapExpression(this.#subject, f, [this.on(device).current.cast(dtype)]);
  }

  /** Its cell by name; empty for a model without parameters. */
  state(model: HasParameters): Map<string, Cell> {
    const state = new Map<string, Cell>();
    for (const [, { cell }] of model.namedParameters()) state.set("step", this.on(cell.device));
    return state;
  }

  /** Counts an update, unless a fault of the data has kept it from happening. */
  advance(): void {
    this.#cell?.update(oneMore, []);
  }

  dispose(): void {
    this.#cell?.dispose();
    this.#cell = null;
  }
}
