import { normalize } from "../scalar/expression.js";
import { isIndex, type ContractKernel, type ReduceKernel, type View } from "./kernel.js";

/** out[m, n] = Σₖ (a[m, k] − b[k, n])² */
export interface PairwiseSquares {
  readonly product: ContractKernel;
  /** Whether both operands are the same rows, so that out[m, n] = out[n, m]. */
  readonly symmetric: boolean;
}

const squaredDifference = "i0;i1;sub 0,1;square 2;";

/**
 * Reads a reduction out[m, n] = Σₖ (a[m, k] − b[n, k])² as a product of matrices that adds up squares: every element
 * meets as many others as there are rows, which is what schedules of products are for.
 *
 * @returns  null for any other reduction.
 */
export function pairwiseSquares({
  out,
  shape,
  axes,
  monoid,
  f,
  epilogue,
  operands,
}: ReduceKernel): PairwiseSquares | null {
  if (monoid !== "sum" || epilogue !== null || shape.length !== 3 || axes.length !== 1 || axes[0] !== 2) return null;
  const [a, b] = operands;
  if (operands.length !== 2 || a === undefined || b === undefined || isIndex(a) || isIndex(b)) return null;
  if (a.dtype !== out.dtype || b.dtype !== out.dtype || a.strides[1] !== 0 || b.strides[0] !== 0) return null;
  if (normalize(f).key !== squaredDifference) return null;
  const [m, n, k] = shape as readonly [number, number, number];
  const [rowA, , alongA] = a.strides as readonly [number, number, number];
  const [, rowB, alongB] = b.strides as readonly [number, number, number];
  const matrix = (view: View, extents: readonly number[], strides: readonly number[]): View => ({
    ...view,
    shape: [1, ...extents],
    strides: [0, ...strides],
  });
  return {
    product: {
      form: "contract",
      out: matrix(out, [m, n], out.strides),
      a: matrix(a, [m, k], [rowA, alongA]),
      b: matrix(b, [k, n], [alongB, rowB]),
      epilogue: null,
      operands: [],
    },
    symmetric:
      a.storage.buffer === b.storage.buffer && a.offset === b.offset && m === n && rowA === rowB && alongA === alongB,
  };
}
