import { codedError, Tensor, type Cell } from "@robgrad/tensor";
import { formatShape } from "@robgrad/tensor/kernels";
import type { VaryingRate } from "../optimizers/rate.js";
import { varyingSgd } from "../optimizers/varying-sgd.js";

/** A rate that somebody else sets. `follow` makes it. */
export interface Follow extends VaryingRate {
  /** @internal Its present value. */
  readonly current: () => Tensor;
}

/**
 * A rate that is set from outside: at every update it is what a cell holds then, or a tensor, such as an argument of the
 * captured step that makes the optimizer. A value that is not finite makes the next read reject with BAD_DATA.
 *
 * @param source  Of rank 0, in the dtype of the parameters.
 * @returns       What optimizers take as a rate.
 * @throws        SHAPE_MISMATCH for other shapes, BAD_ARGUMENT for anything else; DTYPE_MISMATCH or DEVICE_MISMATCH at the
 *                update for parameters that differ in it.
 * @example
 * const rate = device.cell(device.tensor(0.1));
 * const optimizer = sgd({ stepSize: follow(rate) });
 * rate.assign(device.tensor(0.05));
 */
export function follow(source: Cell | Tensor): Follow {
  if (!Tensor.is(source) && !(source instanceof Object && "assign" in source)) {
    throw codedError("BAD_ARGUMENT", `follow: expected a cell or a tensor, found ${typeof source}`);
  }
  if (source.shape.length > 0) {
    throw codedError("SHAPE_MISMATCH", `follow: expected rank 0, found shape ${formatShape(source.shape)}`);
  }
  return { current: () => (Tensor.is(source) ? source : source.current), sgd: varyingSgd };
}
