import type { Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { convolution, type ConvolutionOptions } from "./convolution.js";

/**
 * A convolution of images (a cross-correlation: the kernel is not turned around).
 *
 *   y[n, q, i, j] = b[q] + Σ_{c,k,l} W[q, c, k, l] · x[n, c, i·s₀ + k·d₀, j·s₁ + l·d₁],   s stride, d dilation
 *
 * x stands for its zero-padded self. Windows are copied for as many images at a time as 2¹⁸ elements hold, never for all;
 * with several groups nothing is copied, and sums are taken term by term, which is slower.
 *
 * @param x        [N, C, H, W]
 * @param W        [Q, C / groups, K₀, K₁]
 * @param b        [Q], or undefined for none.
 * @param options  `stride` 1, `padding` 0, `dilation` 1, each a number or one per axis; `groups` 1 unless given.
 * @returns        [N, Q, H′, W′] with H′ = ⌊(H + 2·padding − dilation·(K₀ − 1) − 1) / stride⌋ + 1, W′ likewise.
 * @throws         SHAPE_MISMATCH, also for a kernel larger than the padded input; DTYPE_MISMATCH; BAD_ARGUMENT for options
 *                 out of range, and for groups that do not divide C and Q.
 * @example        conv2d(device.ones([4, 1, 8, 8]), new Variable(device.ones([2, 1, 3, 3])), device.zeros([2]), { padding: 1 })
 */
export function conv2d(
  x: Variable | Tensor,
  W: Variable | Tensor,
  b?: Variable | Tensor,
  options: ConvolutionOptions = {},
): Variable {
  return convolution("conv2d", 2, x, W, b, options);
}
