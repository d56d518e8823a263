import { denseSamples, indexed, scatterAdd, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { sizeOf } from "@robgrad/tensor/kernels";
import { bySample, type CarriedSamples } from "./sample-axis.js";

/**
 * Rows of a parameter whose slices were chosen by indices: row n adds up sample n's slices. Of a table of embeddings it
 * is Σₜ onehot(indexₙₜ) ⊗ δₙₜ, which stays in factors.
 *
 * @param values  Gradients in the chosen slices: shape[:axis] + indices.shape + shape[axis + 1:].
 * @param axis    Of the parameter, along which it was indexed.
 * @param shape   Of the parameter.
 * @param state   Where samples lie on values: on an axis of the indices.
 */
export function gatheredRows(
  values: Tensor,
  indices: Tensor,
  axis: number,
  shape: readonly number[],
  state: CarriedSamples,
  samples: number,
): SampleMatrix {
  const size = shape[axis] as number;
  const before = shape.slice(0, axis);
  const after = shape.slice(axis + 1);
  const own = indices.shape.length - 1;
  // [N, T·rest of indices, before, after] of both.
  const grouped = bySample(values, state, samples);
  const chosen = bySample(indices, { ...state, axis: state.axis - axis }, samples).reshape([samples, -1]);
  const count = chosen.shape[1] as number;
  if (axis === 0 && after.length === 1)
    return indexed(chosen, grouped.reshape([samples, count, sizeOf(after)]), { size });
  // One scatter over sample and index together.
  const first = values.device.arange(samples, { dtype: "int32" }).mul(size).reshape([samples, 1]);
  const places = grouped.shape.map((_, k) => k);
  const order = [
    0,
    1,
    ...places.slice(2 + axis, 2 + axis + own),
    ...places.slice(2, 2 + axis),
    ...places.slice(2 + axis + own),
  ];
  const updates = grouped.permute(order).reshape([samples * count, sizeOf(before), sizeOf(after)]);
  const rows = scatterAdd(chosen.add(first).reshape([samples * count]), updates, { size: samples * size });
  return denseSamples(
    rows
      .reshape([samples, size, sizeOf(before), sizeOf(after)])
      .permute([0, 2, 1, 3])
      .reshape([samples, ...shape]),
  );
}
