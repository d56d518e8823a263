import { codedError } from "../errors.js";
import { apply, constant, input } from "../scalar/expression.js";
import { normalizeAxes, normalizeAxis } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { operandsOf, where } from "./elementwise.js";
import { reduceFormula, type AxisOptions } from "./reduction.js";
import { sort } from "./sorting.js";

export interface VarianceOptions extends AxisOptions {
  /** Subtracted from the number of elements in the divisor; 0 unless given. */
  readonly correction?: number;
}

export function variance(x: Tensor, { axis, keepdims, correction = 0 }: VarianceOptions = {}): Tensor {
  operandsOf("variance", [x]);
  const axes = normalizeAxes("variance", axis, x.shape.length);
  const count = axes.reduce((product, k) => product * (x.shape[k] as number), 1);
  if (!(count - correction > 0)) {
    throw codedError(
      "BAD_ARGUMENT",
      `variance: expected more than ${correction} elements (correction), found ${count}`,
    );
  }
  const mean = x.mean({ axis: axes, keepdims: true });
  const squared = apply("square", apply("sub", input(0), input(1)));
  return reduceFormula("sum", apply("mul", squared, constant(1 / (count - correction))), [x, mean], {
    axis: axes,
    keepdims,
  });
}

export function median(
  x: Tensor,
  { axis, keepdims = false }: { readonly axis?: number; readonly keepdims?: boolean } = {},
): Tensor {
  operandsOf("median", [x]);
  if (axis === undefined) {
    const result = median(x.reshape([x.size]), { axis: 0 });
    return keepdims ? result.reshape(x.shape.map(() => 1)) : result;
  }
  const along = normalizeAxis("median", axis, x.shape.length);
  const extent = x.shape[along] as number;
  if (extent === 0)
    throw codedError("SHAPE_MISMATCH", `median: expected at least one element along axis ${along}, found none`);
  const sorted = sort(x, { axis: along });
  const lead = x.shape.slice(0, along).map(() => null);
  const middle = (extent - 1) >> 1;
  const at = (k: number) => sorted.slice(...lead, [k, k + 1]);
  const found = at(middle)
    .add(at(extent >> 1))
    .mul(0.5);
  // NaN sorts last, so one anywhere shows there.
  const last = at(extent - 1);
  const result = where(last.isNaN(), last, found);
  return keepdims ? result : result.reshape(x.shape.filter((_, k) => k !== along));
}
