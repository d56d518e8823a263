import { codedError } from "../errors.js";
import { normalizeAxis } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { empty } from "./creation.js";
import { operandsOf } from "./elementwise.js";
import { splitAt, takeUnchecked } from "./indexing.js";

export function argsort(x: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  operandsOf("argsort", [x]);
  const along = normalizeAxis("argsort", axis, x.shape.length);
  const split = splitAt(x.shape, along);
  const out = empty(x.device, "int32", split);
  x.device.run({ form: "routine", name: "argsort", inputs: [x.reshape(split)], outputs: [out], attributes: {} });
  return out.reshape(x.shape);
}

export function sort(x: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  return takeUnchecked(x, argsort(x, { axis }), normalizeAxis("sort", axis, x.shape.length));
}

export function topk(
  x: Tensor,
  k: number,
  { axis = -1 }: { readonly axis?: number } = {},
): { readonly values: Tensor; readonly indices: Tensor } {
  operandsOf("topk", [x]);
  const along = normalizeAxis("topk", axis, x.shape.length);
  const extent = x.shape[along] as number;
  if (!Number.isInteger(k) || k < 1 || k > extent) {
    throw codedError("BAD_ARGUMENT", `topk: expected 1 ≤ k ≤ ${extent}, found ${k}`);
  }
  // Descending by sorting the negated values keeps ties in order of their index.
  const all = argsort(x.neg(), { axis: along });
  const indices = all.slice(...x.shape.slice(0, along).map(() => null), [0, k]);
  return { values: takeUnchecked(x, indices, along), indices };
}

export function cumsum(x: Tensor, { axis }: { readonly axis: number }): Tensor {
  operandsOf("cumsum", [x]);
  const along = normalizeAxis("cumsum", axis, x.shape.length);
  const split = splitAt(x.shape, along);
  const out = empty(x.device, x.dtype, split);
  x.device.run({ form: "routine", name: "cumsum", inputs: [x.reshape(split)], outputs: [out], attributes: {} });
  return out.reshape(x.shape);
}
