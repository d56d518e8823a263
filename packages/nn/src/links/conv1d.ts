import { conv1d, type Variable } from "@robgrad/autograd";
import type { Tensor } from "@robgrad/tensor";
import { asVariable } from "../link.js";
import { ConvolutionLink, type ConvolutionLinkOptions } from "./convolution.js";

/**
 * A layer that convolves sequences.
 *
 *   y[n, q, i] = b[q] + Σ_{c,k} W[q, c, k] · x[n, c, i·stride + k·dilation]
 *
 * @param channels  C ≥ 1.
 * @param outputs   Q ≥ 1.
 * @param kernel    K ≥ 1.
 * @param options   `rng`; `stride`, `padding`, `dilation`, `groups`; `weights` and `bias` initializers; `dtype`.
 * @throws          BAD_ARGUMENT for extents below 1, and for groups that do not divide C and Q.
 * @example         const layer = new Conv1d(3, 8, 5, { rng, padding: 2 });
 */
export class Conv1d extends ConvolutionLink {
  constructor(channels: number, outputs: number, kernel: number, options: ConvolutionLinkOptions) {
    super("Conv1d", channels, outputs, [kernel], options);
  }

  /** [N, C, L] → [N, Q, L′] */
  forward(x: Variable | Tensor): Variable {
    return conv1d(asVariable("Conv1d", x), this.W, this.b ?? undefined, this.options);
  }
}
