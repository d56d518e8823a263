import { codedError } from "../errors.js";
import { checkDType, type DType } from "../dtype.js";
import type { View } from "../kernel/kernel.js";
import { apply, input } from "../scalar/expression.js";
import { withoutTemporaries } from "../scope.js";
import { checkShape, formatShape, normalizeAxis, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkElements } from "./check.js";
import { contiguous, empty, shapedAs } from "./creation.js";
import { describe, tensorsOf } from "./elementwise.js";

/** A shape seen as [before axis, along it, after it]. */
export function splitAt(shape: readonly number[], axis: number): [number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] as number, sizeOf(shape.slice(axis + 1))];
}

function checkIndices(subject: string, indices: Tensor, length: number): void {
  if (indices.dtype !== "int32" && indices.dtype !== "uint32") {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected int32 indices, found ${describe(indices)}`);
  }
  checkElements(indices, { outside: [0, length] }, { kind: "index out of range", node: subject, parameter: "indices" });
}

export function gather(x: Tensor, indices: Tensor, { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  tensorsOf("gather", [x, indices]);
  const along = normalizeAxis("gather", axis, x.shape.length);
  const [outer, length, inner] = splitAt(x.shape, along);
  checkIndices("gather", indices, length);
  const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)];
  return withoutTemporaries(x.device, () =>
    runGather(x.reshape([outer, length, inner]), repeatedAround(indices, outer, inner), shape),
  );
}

/** Indices as [outer, count, inner], the same for all of outer and inner. */
function repeatedAround(indices: Tensor, outer: number, inner: number): View {
  const { storage, dtype, offset } = contiguous(indices);
  return { storage, dtype, shape: [outer, indices.size, inner], strides: [0, 1, 0], offset };
}

function runGather(x: Tensor, indices: View, shape: readonly number[]): Tensor {
  const out = empty(x.device, x.dtype, shape);
  const outputs = [shapedAs(out, indices.shape)];
  x.device.run({ form: "routine", name: "gather", inputs: [x, indices], outputs, attributes: {} });
  return out;
}

export function takeAlongAxis(x: Tensor, indices: Tensor, { axis }: { readonly axis: number }): Tensor {
  tensorsOf("takeAlongAxis", [x, indices]);
  const along = normalizeAxis("takeAlongAxis", axis, x.shape.length);
  checkAlong("takeAlongAxis", x.shape, indices.shape, along);
  checkIndices("takeAlongAxis", indices, x.shape[along] as number);
  return takeUnchecked(x, indices, along);
}

/** takeAlongAxis for indices that are known to be in range. */
export function takeUnchecked(x: Tensor, indices: Tensor, axis: number): Tensor {
  return withoutTemporaries(x.device, () =>
    runGather(x.reshape(splitAt(x.shape, axis)), indices.reshape(splitAt(indices.shape, axis)), indices.shape),
  );
}

function checkAlong(subject: string, shape: readonly number[], indices: readonly number[], axis: number): void {
  const rest = (s: readonly number[]) => s.filter((_, k) => k !== axis);
  if (shape.length !== indices.length || !sameShape(rest(shape), rest(indices))) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected indices of shape ${formatShape(shape)} but for axis ${axis}, found ${formatShape(indices)}`,
    );
  }
}

/**
 * Adds up updates at indexed places of an otherwise zero tensor: the transpose of `gather` or `takeAlongAxis`.
 *
 * @param updates  With `indices` of the same rank, element by element along `axis`; with `indices` as in `gather`,
 *                 slices: shape[:axis] + indices.shape + shape[axis + 1:].
 * @param options  `axis` of the result, its extent `size` there, and `mode`: "slices" (gather) or "elements".
 * @returns        The updates' shape with `size` along `axis`.
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH; the next read rejects with BAD_DATA for an index out of range.
 * @example        scatterAdd(device.tensor([0, 2, 0], { dtype: "int32" }), device.ones([3, 4]), { size: 3 })
 */
export function scatterAdd(
  indices: Tensor,
  updates: Tensor,
  {
    axis = 0,
    size,
    mode = "slices",
  }: { readonly axis?: number; readonly size: number; readonly mode?: "slices" | "elements" },
): Tensor {
  tensorsOf("scatterAdd", [indices, updates]);
  checkShape("scatterAdd", [size]);
  if (updates.dtype === "bool") {
    throw codedError("DTYPE_MISMATCH", `scatterAdd: expected numeric updates, found ${describe(updates)}; cast them`);
  }
  if (mode === "elements") {
    const along = normalizeAxis("scatterAdd", axis, updates.shape.length);
    if (!sameShape(indices.shape, updates.shape)) {
      throw codedError(
        "SHAPE_MISMATCH",
        `scatterAdd: expected indices and updates of one shape, found ${formatShape(indices.shape)} ≠ ${formatShape(updates.shape)}`,
      );
    }
    checkIndices("scatterAdd", indices, size);
    const shape = updates.shape.map((n, k) => (k === along ? size : n));
    return withoutTemporaries(updates.device, () =>
      runScatter(
        indices.reshape(splitAt(indices.shape, along)),
        updates.reshape(splitAt(updates.shape, along)),
        size,
        shape,
      ),
    );
  }
  const rank = updates.shape.length - indices.shape.length + 1;
  const along = normalizeAxis("scatterAdd", axis, rank);
  if (!sameShape(updates.shape.slice(along, along + indices.shape.length), indices.shape)) {
    throw codedError(
      "SHAPE_MISMATCH",
      `scatterAdd: expected updates to have the extents of indices from axis ${along}, found ${formatShape(updates.shape)} and ${formatShape(indices.shape)}`,
    );
  }
  checkIndices("scatterAdd", indices, size);
  const outer = sizeOf(updates.shape.slice(0, along));
  const inner = sizeOf(updates.shape.slice(along + indices.shape.length));
  const shape = [...updates.shape.slice(0, along), size, ...updates.shape.slice(along + indices.shape.length)];
  return withoutTemporaries(updates.device, () =>
    runScatter(repeatedAround(indices, outer, inner), updates.reshape([outer, indices.size, inner]), size, shape),
  );
}

function runScatter(indices: View, updates: Tensor, size: number, shape: readonly number[]): Tensor {
  const out = empty(updates.device, updates.dtype, shape);
  const [outer, , inner] = updates.shape as [number, number, number];
  const outputs = [shapedAs(out, [outer, size, inner])];
  updates.device.run({ form: "routine", name: "scatterAdd", inputs: [indices, updates], outputs, attributes: {} });
  return out;
}

/**
 * Rows of the identity: 1 at the index, 0 elsewhere.
 *
 * @param indices  int32, any shape; what lies outside [0, n) gives a row of zeros.
 * @param n        Extent of the new last axis.
 * @param options  `dtype` of the result, float32 unless given.
 * @returns        indices.shape + [n].
 * @throws         DTYPE_MISMATCH unless the indices are integers.
 * @example        oneHot(device.tensor([0, 2], { dtype: "int32" }), 3)
 */
export function oneHot(indices: Tensor, n: number, { dtype = "float32" }: { readonly dtype?: DType } = {}): Tensor {
  tensorsOf("oneHot", [indices]);
  if (indices.dtype !== "int32" && indices.dtype !== "uint32") {
    throw codedError("DTYPE_MISMATCH", `oneHot: expected int32 indices, found ${describe(indices)}`);
  }
  if (!Number.isInteger(n) || n < 1)
    throw codedError("BAD_ARGUMENT", `oneHot: expected n to be a whole number ≥ 1, found ${n}`);
  checkDType("oneHot", dtype);
  const shape = [...indices.shape, n];
  const out = empty(indices.device, dtype, shape);
  const { storage, strides, offset } = indices;
  const repeated: View = { storage, dtype: indices.dtype, shape, strides: [...strides, 0], offset };
  out.device.run({
    form: "map",
    out,
    f: apply("equal", input(0), input(1)),
    operands: [repeated, { axis: indices.shape.length }],
  });
  return out;
}
