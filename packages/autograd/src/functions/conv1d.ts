import type { Tensor } from "@robgrad/tensor";
import type { Variable } from "../variable.js";
import { convolution, type ConvolutionOptions } from "./convolution.js";

/**
 * A convolution along one axis (a cross-correlation: the kernel is not turned around).
 *
 *   y[n, q, i] = b[q] + Σ_{c,k} W[q, c, k] · x[n, c, i·stride + k·dilation]
 *
 * x stands for its zero-padded self. Windows are copied for as many sequences at a time as 2¹⁸ elements hold, never for
 * all; with several groups nothing is copied, and sums are taken term by term, which is slower.
 *
 * @param x        [N, C, L]
 * @param W        [Q, C / groups, K]
 * @param b        [Q], or undefined for none.
 * @param options  `stride` 1, `padding` 0, `dilation` 1, `groups` 1 unless given.
 * @returns        [N, Q, ⌊(L + 2·padding − dilation·(K − 1) − 1) / stride⌋ + 1]
 * @throws         SHAPE_MISMATCH, also for a kernel larger than the padded input; DTYPE_MISMATCH; BAD_ARGUMENT for options
 *                 out of range, and for groups that do not divide C and Q.
 * @example        conv1d(device.ones([4, 3, 10]), new Variable(device.ones([2, 3, 5])), device.zeros([2]), { stride: 2 })
 */
export function conv1d(
  x: Variable | Tensor,
  W: Variable | Tensor,
  b?: Variable | Tensor,
  options: ConvolutionOptions = {},
): Variable {
  return convolution("conv1d", 1, x, W, b, options);
}
