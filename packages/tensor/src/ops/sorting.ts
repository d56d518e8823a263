import { codedError } from "../errors.js";
import { normalizeAxis } from "../shape.js";
import { withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { empty, shapedAs } from "./creation.js";
import { describe, tensorsOf } from "./elementwise.js";
import { splitAt, takeUnchecked } from "./indexing.js";

function order(x: Tensor, axis: number, descending: boolean): Tensor {
  const out = empty(x.device, "int32", x.shape);
  const split = splitAt(x.shape, axis);
  const lines = x.reshape(split);
  x.device.run({
    form: "routine",
    name: "argsort",
    inputs: [lines],
    outputs: [shapedAs(out, split)],
    attributes: { descending: Number(descending) },
  });
  lines.dispose();
  return out;
}

export function argsort(x: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  tensorsOf("argsort", [x]);
  return order(x, normalizeAxis("argsort", axis, x.shape.length), false);
}

export function sort(x: Tensor, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  tensorsOf("sort", [x]);
  const along = normalizeAxis("sort", axis, x.shape.length);
  return withoutTemporaries(x.device, () => takeUnchecked(x, order(x, along, false), along));
}

export function topk(
  x: Tensor,
  k: number,
  { axis = -1 }: { readonly axis?: number } = {},
): { readonly values: Tensor; readonly indices: Tensor } {
  tensorsOf("topk", [x]);
  const along = normalizeAxis("topk", axis, x.shape.length);
  const extent = x.shape[along] as number;
  if (!Number.isInteger(k) || k < 1 || k > extent) {
    throw codedError("BAD_ARGUMENT", `topk: expected 1 ≤ k ≤ ${extent}, found ${k}`);
  }
  return withoutTemporaries(x.device, () => {
    const indices = order(x, along, true).slice(...x.shape.slice(0, along).map(() => null), [0, k]);
    return { values: takeUnchecked(x, indices, along), indices };
  });
}

export function cumsum(x: Tensor, { axis }: { readonly axis: number }): Tensor {
  tensorsOf("cumsum", [x]);
  if (x.dtype === "bool") {
    throw codedError("DTYPE_MISMATCH", `cumsum: expected a numeric dtype, found ${describe(x)}; cast it`);
  }
  const split = splitAt(x.shape, normalizeAxis("cumsum", axis, x.shape.length));
  const out = empty(x.device, x.dtype, x.shape);
  const lines = x.reshape(split);
  x.device.run({ form: "routine", name: "cumsum", inputs: [lines], outputs: [shapedAs(out, split)], attributes: {} });
  lines.dispose();
  return out;
}
