import { codedError } from "../errors.js";
import { isFloating } from "../dtype.js";
import { apply, constant, input } from "../scalar/expression.js";
import { normalizeAxes, normalizeAxis } from "../shape.js";
import { withoutTemporaries } from "../scope.js";
import type { Tensor } from "../tensor.js";
import { describe, mapExpression, tensorsOf } from "./elementwise.js";
import { reduceFormula, type AxisOptions } from "./reduction.js";
import { sort } from "./sorting.js";

/** What a variance is taken over, and its divisor. */
export interface VarianceOptions extends AxisOptions {
  /** Subtracted from the number of elements in the divisor; 0 unless given. */
  readonly correction?: number;
}

function checkFloating(subject: string, x: Tensor): void {
  tensorsOf(subject, [x]);
  if (!isFloating(x.dtype)) {
    throw codedError("DTYPE_MISMATCH", `${subject}: expected a floating dtype, found ${describe(x)}; cast it`);
  }
}

const squaredDeviation = apply("square", apply("sub", input(0), input(1)));

export function variance(x: Tensor, { axis, keepdims = false, correction = 0 }: VarianceOptions = {}): Tensor {
  checkFloating("variance", x);
  const axes = normalizeAxes("variance", axis, x.shape.length);
  const count = axes.reduce((product, k) => product * (x.shape[k] as number), 1);
  if (!(count - correction > 0)) {
    throw codedError(
      "BAD_ARGUMENT",
      `variance: expected more than ${correction} elements (correction), found ${count}`,
    );
  }
  return withoutTemporaries(x.device, () => {
    const mean = x.mean({ axis: axes, keepdims: true });
    const divided = apply("div", input(0), constant(count - correction));
    return reduceFormula("sum", squaredDeviation, [x, mean], { axis: axes, keepdims }, divided);
  });
}

// Halves before the sum, which may not be a finite number; NaN sorts last, so one anywhere shows in input 2.
const half = (e: ReturnType<typeof input>) => apply("mul", e, constant(0.5));
const middleOfOdd = apply("where", apply("isNaN", input(1)), input(1), input(0));
const middleOfEven = apply("where", apply("isNaN", input(2)), input(2), apply("add", half(input(0)), half(input(1))));

export function median(
  x: Tensor,
  { axis, keepdims = false }: { readonly axis?: number; readonly keepdims?: boolean } = {},
): Tensor {
  checkFloating("median", x);
  if (axis === undefined) {
    return withoutTemporaries(x.device, () => {
      const result = median(x.reshape([x.size]), { axis: 0 });
      return keepdims ? result.reshape(x.shape.map(() => 1)) : result;
    });
  }
  const along = normalizeAxis("median", axis, x.shape.length);
  const extent = x.shape[along] as number;
  if (extent === 0) {
    throw codedError("SHAPE_MISMATCH", `median: expected at least one element along axis ${along}, found none`);
  }
  return withoutTemporaries(x.device, () => {
    const sorted = sort(x, { axis: along });
    const lead = x.shape.slice(0, along).map(() => null);
    const at = (k: number) => sorted.slice(...lead, [k, k + 1]);
    const middle = extent >> 1;
    const last = at(extent - 1);
    const result =
      extent % 2 === 1
        ? mapExpression("median", middleOfOdd, [at(middle), last])
        : mapExpression("median", middleOfEven, [at(middle - 1), at(middle), last]);
    return keepdims ? result : result.reshape(x.shape.filter((_, k) => k !== along));
  });
}
