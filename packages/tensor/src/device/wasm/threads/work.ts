import type { ColumnStatement } from "../../../kernel/column.js";
import { factorsShape } from "../../../kernel/kernel.js";
import { pairwiseSquares } from "../../../kernel/pairwise-squares.js";
import { normalize, type Expression } from "../../../scalar/expression.js";
import { sizeOf } from "../../../shape.js";
import type { PrintedKernel } from "../print-kernel.js";

/** Nanoseconds per element of what is not one instruction: polynomials, and calls into JavaScript. */
const dear: Readonly<Record<string, number>> = { sin: 30, cos: 30, tan: 30, pow: 30, remainder: 10 };
const polynomials = new Set(["exp", "expm1", "log", "log1p", "tanh", "sinh", "cosh", "sigmoid", "softplus", "atan"]);

function formulaCost(f: Expression | null): number {
  if (f === null) return 0;
  let cost = 0;
  for (const node of normalize(f).nodes) {
    if (node.kind === "input") cost += 0.2;
    else if (node.kind === "apply") cost += dear[node.operation] ?? (polynomials.has(node.operation) ? 1 : 0.1);
  }
  return cost;
}

function statementCost(statement: ColumnStatement): number {
  switch (statement.kind) {
    case "map":
    case "reduce":
      return 0.2 + formulaCost(statement.f);
    case "sorted":
    case "quantile":
      return 5;
    case "iterate":
      return 8 * statement.body.reduce((sum, inner) => sum + statementCost(inner), 0);
    default:
      return 0;
  }
}

/** Roughly how many nanoseconds one thread needs for a kernel. */
export function kernelWork(kernel: PrintedKernel): number {
  switch (kernel.form) {
    case "map":
      return sizeOf(kernel.out.shape) * (0.2 + formulaCost(kernel.f));
    case "reduce":
      if (pairwiseSquares(kernel) !== null) return sizeOf(kernel.shape) * 0.1;
      return sizeOf(kernel.shape) * (0.3 + formulaCost(kernel.f));
    case "contract":
      return sizeOf(kernel.out.shape) * ((kernel.a.shape[2] as number) * 0.06 + formulaCost(kernel.epilogue));
    case "column": {
      const { samples, features } = factorsShape(kernel.factors);
      const each = kernel.program.statements.reduce((sum, statement) => sum + statementCost(statement), 0);
      return samples * features * each;
    }
  }
}
