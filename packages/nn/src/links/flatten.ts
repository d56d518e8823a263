import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable, Link } from "../link.js";

/**
 * All features of a sample in one row.
 *
 *   [N, a, b, …] → [N, a·b·…]
 *
 * @throws   SHAPE_MISMATCH for a single number.
 * @example  new Flatten().forward(device.ones([2, 3, 4]))
 */
export class Flatten extends Link {
  /** [N, …] → [N, D] */
  forward(x: Variable | Tensor): Variable {
    const input = asVariable("Flatten", x);
    const [samples, ...features] = input.shape;
    if (samples === undefined)
      throw codedError("SHAPE_MISMATCH", `Flatten: expected samples on axis 0, found ${input.dtype} []`);
    return input.reshape([samples, features.reduce((a, b) => a * b, 1)]);
  }
}
