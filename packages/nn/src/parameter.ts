import { Variable } from "@robgrad/autograd";
import type { Cell, Tensor } from "@robgrad/tensor";

/**
 * A Variable that is trained: its value is a cell, which optimizers change in place.
 *
 * @param initial  Copied.
 * @param name     Shown in errors and graphs.
 * @example        const w = new Parameter(device.zeros([3, 2]), "W");
 */
export class Parameter extends Variable {
  readonly cell: Cell;

  constructor(initial: Tensor, name: string) {
    const cell = initial.device.cell(initial);
    super({ cell }, { name });
    this.cell = cell;
  }

  /** Replaces the value: same shape, dtype and device, else SHAPE_MISMATCH, DTYPE_MISMATCH or DEVICE_MISMATCH. */
  assign(value: Tensor): void {
    this.cell.assign(value);
  }

  /** Returns the memory of the cell. */
  dispose(): void {
    this.cell.dispose();
  }
}
