import { avgPool2d, type PerAxis, type Variable, type WindowOptions } from "@robgrad/autograd";
import type { Tensor } from "@robgrad/tensor";
import { asVariable, Link } from "../link.js";

/**
 * A layer without parameters that takes the mean of every window. Padding is that of `avgPool2d`.
 *
 * @param kernel   Extents of a window, a number or one per axis.
 * @param options  `stride` as the kernel, `padding` 0, `dilation` 1 unless given.
 * @throws         BAD_ARGUMENT, at the first `forward`, for what is out of range.
 * @example        const layer = new AvgPool2d(2);
 */
export class AvgPool2d extends Link {
  readonly kernel: PerAxis;
  readonly options: WindowOptions;

  constructor(kernel: PerAxis, options: WindowOptions = {}) {
    super();
    this.kernel = kernel;
    this.options = options;
  }

  /** [N, C, H, W] → [N, C, H′, W′] */
  forward(x: Variable | Tensor): Variable {
    return avgPool2d(asVariable("AvgPool2d", x), this.kernel, this.options);
  }
}
