import type { Tensor } from "@robgrad/tensor";
import { FunctionNode } from "../function-node.js";
import { isCarried, type SampleAxis, type SampleContext, type SampleTracking } from "../sample-axis.js";
import type { Variable } from "../variable.js";
import { variableOf } from "./operand.js";
import { reshape } from "./reshape.js";
import { sumTo } from "./sum-to.js";
import { transpose } from "./permute.js";

/** C = A B on the last two axes, both operands with at least two. */
export class MatmulFunction extends FunctionNode {
  override get label(): string {
    return "matmul";
  }

  forward([a, b]: readonly [Tensor, Tensor]): readonly Tensor[] {
    this.retainInputs(...(this.requiresGrad(0) ? [1] : []), ...(this.requiresGrad(1) ? [0] : []));
    return [a.matmul(b)];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    const [a, b] = [this.inputShape(0), this.inputShape(1)];
    return [
      () => sumTo(matmul(gy, transpose(this.retained(1))), a),
      () => {
        if (b.length > 2) return sumTo(matmul(transpose(this.retained(0)), gy), b);
        // One matrix for the whole batch: its rows are just more rows.
        const rows = (x: Variable) => reshape(x, [-1, x.shape[x.shape.length - 1] as number]);
        return matmul(transpose(rows(this.retained(0))), rows(gy));
      },
    ];
  }

  /** A matrix shared by all samples on the right: row n is Σₜ xₙₜ ⊗ δₙₜ. */
  override backwardSamples([gy]: readonly [Variable], { samples, outputs: [state], flow }: SampleContext) {
    if (!isCarried(state) || this.inputShape(1).length > 2 || state.axis >= gy.shape.length - 1) return [null, null];
    return [null, () => flow.productRows(this.retained(0).value, gy.value, state, samples)];
  }

  override sampleAxis(states: readonly [SampleAxis, SampleAxis], tracking: SampleTracking): SampleAxis {
    return tracking.flow.productSamples("matmul", states, this, tracking, (k, rank) => rank - (k === 0 ? 1 : 2));
  }
}

export function matmul(a: Variable | Tensor, b: Variable | Tensor): Variable {
  const left = variableOf("matmul", a);
  const right = variableOf("matmul", b);
  const [p, q] = [left.shape.length, right.shape.length];
  if (p === 0 || q === 0 || (p > 1 && q > 1)) return new MatmulFunction().apply(left, right)[0] as Variable;
  // A vector is a row on the left, a column on the right.
  const product = matmul(
    p === 1 ? reshape(left, [1, left.shape[0] as number]) : left,
    q === 1 ? reshape(right, [right.shape[0] as number, 1]) : right,
  );
  const { length } = product.shape;
  return reshape(
    product,
    product.shape.filter((_, axis) => !(p === 1 && axis === length - 2) && !(q === 1 && axis === length - 1)),
  );
}
