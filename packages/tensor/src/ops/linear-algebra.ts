import { codedError } from "../errors.js";
import { isFloating } from "../dtype.js";
import type { View } from "../kernel/kernel.js";
import { broadcastShapes, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkElements } from "./check.js";
import { empty } from "./creation.js";
import { describe, operandsOf, sameDType } from "./elementwise.js";

/** A tensor of rank 2 or 3 as a view [batch, rows, columns]. */
function asBatch(x: Tensor): View {
  if (x.shape.length === 3) return x;
  return { storage: x.storage, dtype: x.dtype, shape: [1, ...x.shape], strides: [0, ...x.strides], offset: x.offset };
}

export function matmul(a: Tensor, b: Tensor): Tensor {
  operandsOf("matmul", [a, b]);
  const dtype = sameDType("matmul", [a, b]);
  if (!isFloating(dtype))
    throw codedError("DTYPE_MISMATCH", `matmul: expected a floating dtype, found ${describe(a)} and ${describe(b)}`);
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw codedError("SHAPE_MISMATCH", `matmul: expected operands with axes, found ${describe(a)} and ${describe(b)}`);
  }
  if (a.shape.length === 1) {
    const product = matmul(a.reshape([1, a.shape[0] as number]), b);
    return product.reshape(
      product.shape.filter((_, axis) => axis !== product.shape.length - (b.shape.length === 1 ? 1 : 2)),
    );
  }
  if (b.shape.length === 1) {
    const product = matmul(a, b.reshape([b.shape[0] as number, 1]));
    return product.reshape(product.shape.slice(0, -1));
  }
  const [m, k] = a.shape.slice(-2) as [number, number];
  const [depth, n] = b.shape.slice(-2) as [number, number];
  if (k !== depth) {
    throw codedError(
      "SHAPE_MISMATCH",
      `matmul: expected a.shape[-1] = b.shape[-2], found ${k} ≠ ${depth} (a: ${describe(a)}, b: ${describe(b)})`,
    );
  }
  if (b.shape.length === 2 && a.shape.length > 2) {
    // One matrix for the whole batch: its rows are just more rows.
    return matmul(a.reshape([-1, k]), b).reshape([...a.shape.slice(0, -1), n]);
  }
  const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const gathered = (x: Tensor, rows: number, columns: number) =>
    batch.length === 0 ? x : x.broadcastTo([...batch, rows, columns]).reshape([sizeOf(batch), rows, columns]);
  const left = asBatch(gathered(a, m, k));
  const right = asBatch(gathered(b, k, n));
  const out = empty(a.device, dtype, [...batch, m, n]);
  const flat: View = { ...viewOf(out), shape: [sizeOf(batch), m, n], strides: [m * n, n, 1] };
  a.device.run({ form: "contract", out: flat, a: left, b: right, epilogue: null, operands: [] });
  return out;
}

function viewOf({ storage, dtype, shape, strides, offset }: Tensor): View {
  return { storage, dtype, shape, strides, offset };
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix: A = V diag(λ) Vᵀ.
 *
 * @param a  [n, n], floating; only its symmetric part (A + Aᵀ)/2 counts.
 * @returns  `values` [n] in ascending order and `vectors` [n, n] with unit eigenvectors as columns, the largest
 *           component of each positive.
 * @throws   SHAPE_MISMATCH unless square; the next read rejects with BAD_DATA when the iteration does not converge.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §8.5 (cyclic Jacobi).
 * @example  eigh(device.tensor([[2, 1], [1, 2]])).values
 */
export function eigh(a: Tensor): { readonly values: Tensor; readonly vectors: Tensor } {
  operandsOf("eigh", [a]);
  const [n = -1, columns] = a.shape;
  if (a.shape.length !== 2 || n !== columns || !isFloating(a.dtype)) {
    throw codedError("SHAPE_MISMATCH", `eigh: expected a square floating matrix, found ${describe(a)}`);
  }
  const values = empty(a.device, a.dtype, [n]);
  const vectors = empty(a.device, a.dtype, [n, n]);
  a.device.run({ form: "routine", name: "eigh", inputs: [a], outputs: [values, vectors], attributes: {} });
  checkElements(values, "isNaN", { kind: "no convergence", node: "eigh" });
  return { values, vectors };
}
