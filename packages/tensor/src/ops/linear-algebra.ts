import { codedError } from "../errors.js";
import { isFloating } from "../dtype.js";
import type { View } from "../kernel/kernel.js";
import { broadcastShapes, sizeOf } from "../shape.js";
import { withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { checkElements } from "./check.js";
import { empty, shapedAs } from "./creation.js";
import { describe, sameDType, tensorsOf } from "./elementwise.js";

/** A vector (as a row or a column) or a matrix as [1, rows, columns]. */
function asBatch({ storage, dtype, shape, strides, offset }: Tensor, vector: "row" | "column"): View {
  if (shape.length === 2) return { storage, dtype, shape: [1, ...shape], strides: [0, ...strides], offset };
  return vector === "row"
    ? { storage, dtype, shape: [1, 1, ...shape], strides: [0, 0, ...strides], offset }
    : { storage, dtype, shape: [1, ...shape, 1], strides: [0, ...strides, 0], offset };
}

function contract(a: View, b: View, shape: readonly number[]): Tensor {
  const { device } = a.storage;
  const out = empty(device, a.dtype, shape);
  const [batches, rows] = a.shape as [number, number];
  const place = shapedAs(out, [batches, rows, b.shape[2] as number]);
  device.run({ form: "contract", out: place, a, b, epilogue: null, operands: [] });
  return out;
}

export function matmul(a: Tensor, b: Tensor): Tensor {
  tensorsOf("matmul", [a, b]);
  if (!isFloating(sameDType("matmul", [a, b]))) {
    throw codedError("DTYPE_MISMATCH", `matmul: expected a floating dtype, found ${describe(a)} and ${describe(b)}`);
  }
  const [p, q] = [a.shape.length, b.shape.length];
  const k = a.shape[p - 1];
  const depth = b.shape[Math.max(0, q - 2)];
  if (k === undefined || depth === undefined) {
    throw codedError("SHAPE_MISMATCH", `matmul: expected operands with axes, found ${describe(a)} and ${describe(b)}`);
  }
  if (k !== depth) {
    const axis = q === 1 ? 0 : -2;
    throw codedError(
      "SHAPE_MISMATCH",
      `matmul: expected a.shape[-1] = b.shape[${axis}], found ${k} ≠ ${depth} (a: ${describe(a)}, b: ${describe(b)})`,
    );
  }
  // A vector is a row on the left and a column on the right; the result does not have that axis.
  const ends = [...a.shape.slice(-2, -1), ...b.shape.slice(1).slice(-1)];
  if (p <= 2 && q <= 2) return contract(asBatch(a, "row"), asBatch(b, "column"), ends);
  return withoutTemporaries(a.device, () => {
    if (q <= 2) {
      // One matrix for the whole batch: its rows are just more rows.
      const rows = sizeOf(a.shape.slice(0, -1));
      const shape = [...a.shape.slice(0, -1), ...b.shape.slice(1)];
      return contract(asBatch(a.reshape([rows, k]), "row"), asBatch(b, "column"), shape);
    }
    const batch = broadcastShapes("matmul", [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
    const batched = (x: Tensor): View => {
      const [rows, columns] = x.shape.slice(-2) as [number, number];
      return x.broadcastTo([...batch, rows, columns]).reshape([sizeOf(batch), rows, columns]);
    };
    return contract(batched(p === 1 ? a.reshape([1, k]) : a), batched(b), [...batch, ...ends]);
  });
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, or of each of a batch: A = V diag(λ) Vᵀ.
 *
 * @param a        [..., n, n], floating; only its symmetric part (A + Aᵀ)/2 counts.
 * @param options  `largest`: only so many eigenvalues, k of them, from 0 to n (all of them). A few of a large matrix
 *                 cost a fraction of all: some dozens of products with a vector each, in place of about 10 n³ operations.
 *                 On webgpu all are made, and these are kept. `tolerance`, in [0, 1): where a few are sought, a residual
 *                 ‖A v − λ v‖ ≤ tolerance · ‖A‖ will do, which leaves an error of its square over the distance to the
 *                 next eigenvalue in λ; half a unit in the last place unless given.
 * @returns  `values` [..., k] in ascending order and `vectors` [..., n, k] with unit eigenvectors as columns, the
 *           largest component of each positive.
 * @throws   SHAPE_MISMATCH unless square, DTYPE_MISMATCH for integers, BAD_ARGUMENT for options out of range; the next read rejects with BAD_DATA when the iteration does not converge.
 * @see      G. Golub, C. Van Loan, Matrix Computations, 4th ed., §8.3 (QL), §8.5 (Jacobi, on webgpu), §10.1 (Lanczos).
 * @example  eigh(device.tensor([[2, 1], [1, 2]])).values
 * @example  eigh(device.tensor([[2, 1], [1, 2]]), { largest: 1 }).vectors
 */
export function eigh(
  a: Tensor,
  { largest, tolerance = 0 }: { readonly largest?: number; readonly tolerance?: number } = {},
): { readonly values: Tensor; readonly vectors: Tensor } {
  tensorsOf("eigh", [a]);
  if (!isFloating(a.dtype)) {
    throw codedError("DTYPE_MISMATCH", `eigh: expected a floating dtype, found ${describe(a)}; cast it`);
  }
  const [n = -1, columns] = a.shape.slice(-2);
  if (n !== columns) {
    throw codedError("SHAPE_MISMATCH", `eigh: expected square matrices, found ${describe(a)}`);
  }
  const count = largest ?? n;
  if (!Number.isInteger(count) || count < 0 || count > n) {
    throw codedError(
      "BAD_ARGUMENT",
      `eigh: expected largest to be a whole number from 0 to n = ${n}, found ${String(largest)}`,
    );
  }
  if (!(tolerance >= 0 && tolerance < 1)) {
    throw codedError("BAD_ARGUMENT", `eigh: expected tolerance in [0, 1), found ${String(tolerance)}`);
  }
  const batch = a.shape.slice(0, -2);
  const values = empty(a.device, a.dtype, [...batch, count]);
  const vectors = empty(a.device, a.dtype, [...batch, n, count]);
  const matrices = sizeOf(batch);
  withoutTemporaries(a.device, () => {
    const outputs = [shapedAs(values, [matrices, count]), shapedAs(vectors, [matrices, n, count])];
    a.device.run({
      form: "routine",
      name: "eigh",
      inputs: [a.reshape([matrices, n, n])],
      outputs,
      attributes: { tolerance },
    });
  });
  checkElements(values, "isNaN", { kind: "no convergence", node: "eigh" });
  return { values, vectors };
}
