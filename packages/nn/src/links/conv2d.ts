import { conv2d, type PerAxis, type Variable } from "@robgrad/autograd";
import type { Tensor } from "@robgrad/tensor";
import { asVariable } from "../link.js";
import { ConvolutionLink, type ConvolutionLinkOptions } from "./convolution.js";

/**
 * A layer that convolves images.
 *
 *   y[n, q, i, j] = b[q] + Σ_{c,k,l} W[q, c, k, l] · x[n, c, i·s₀ + k·d₀, j·s₁ + l·d₁],   s stride, d dilation
 *
 * @param channels  C ≥ 1.
 * @param outputs   Q ≥ 1.
 * @param kernel    K₀ and K₁ ≥ 1, a number for both.
 * @param options   `rng`; `stride`, `padding`, `dilation`, `groups`; `weights` and `bias` initializers; `dtype`.
 * @throws          BAD_ARGUMENT for extents below 1, and for groups that do not divide C and Q.
 * @example         const layer = new Conv2d(1, 8, 5, { rng });
 */
export class Conv2d extends ConvolutionLink {
  constructor(channels: number, outputs: number, kernel: PerAxis, options: ConvolutionLinkOptions) {
    super("Conv2d", channels, outputs, typeof kernel === "number" ? [kernel, kernel] : kernel, options);
  }

  /** [N, C, H, W] → [N, Q, H′, W′] */
  forward(x: Variable | Tensor): Variable {
    return conv2d(asVariable("Conv2d", x), this.W, this.b ?? undefined, this.options);
  }
}
