import { denseSamples, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { mapExpression, reduceFormula, repeatedAxes, type Expression } from "@robgrad/tensor/kernels";
import { isCarried, rowsOf, type SampleAxis } from "./sample-axis.js";
import type { Variable } from "./variable.js";

/** A gradient before it is summed over the axes along which an operand was repeated: a formula, and what it reads. */
export interface UnsummedGradient {
  readonly label: string;
  readonly formula: Expression;
  readonly tensors: readonly Tensor[];
}

/**
 * Rows of an operand that is repeated along the sample axis: the sums of its gradient, but not over samples.
 *
 * @param unsummed  The gradient, asked for with the rows; null for one that is zero everywhere.
 * @returns         null for an operand that is not repeated along it.
 */
export function repeatedRows(
  gy: Variable,
  state: SampleAxis | undefined,
  samples: number,
  shape: readonly number[],
  unsummed: () => UnsummedGradient | null,
): (() => SampleMatrix) | null {
  if (!isCarried(state)) return null;
  const axes = repeatedAxes(shape, gy.shape);
  if (!axes.includes(state.axis)) return null;
  const others = axes.filter((axis) => axis !== state.axis);
  return () => {
    const gradient = unsummed();
    if (gradient === null) return denseSamples(gy.device.zeros([samples, ...shape], { dtype: gy.dtype }));
    const { label, formula, tensors } = gradient;
    const kept =
      others.length > 0
        ? reduceFormula("sum", formula, tensors, { axis: others, keepdims: true })
        : formula.kind === "input"
          ? (tensors[formula.index] as Tensor)
          : mapExpression(label, formula, tensors);
    return denseSamples(rowsOf(kept, state, samples, shape));
  };
}
