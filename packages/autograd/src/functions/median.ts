import { codedError } from "@robgrad/tensor";
import { formatShape, normalizeAxis } from "@robgrad/tensor/kernels";
import type { Variable } from "../variable.js";
import { reshape } from "./reshape.js";
import { slice } from "./slice.js";
import { sort } from "./sort.js";
import { keptShape } from "./sum.js";
import { where } from "./where.js";

/** The middle element, or the mean of the two middle ones, which then share the gradient. */
export function median(
  x: Variable,
  { axis, keepdims = false }: { readonly axis?: number; readonly keepdims?: boolean } = {},
): Variable {
  if (axis === undefined) {
    const whole = median(reshape(x, [x.size]), { axis: 0 });
    return reshape(whole, keepdims ? x.shape.map(() => 1) : []);
  }
  const along = normalizeAxis("median", axis, x.shape.length);
  const extent = x.shape[along] as number;
  if (extent === 0) {
    throw codedError(
      "SHAPE_MISMATCH",
      `median: expected at least one element along axis ${along}, found ${formatShape(x.shape)}`,
    );
  }
  const sorted = sort(x, { axis: along });
  const lead = x.shape.slice(0, along).map(() => null);
  const at = (k: number) => slice(sorted, [...lead, [k, k + 1]]);
  const middle = extent >> 1;
  const found =
    extent % 2 === 1
      ? at(middle)
      : at(middle - 1)
          .add(at(middle))
          .mul(0.5);
  // NaN sorts last, so one anywhere shows there.
  const last = at(extent - 1);
  const shown = where(last.isNaN(), last, found);
  return reshape(shown, keepdims ? keptShape(x.shape, [along]) : x.shape.filter((_, k) => k !== along));
}
