import type { Variable } from "../variable.js";
import { makeVariable } from "../variable-node.js";
import { takeAlongAxis } from "./take-along-axis.js";

/** The k largest along an axis in descending order; their gradients go back to where they came from. */
export function topk(
  x: Variable,
  k: number,
  { axis = -1 }: { readonly axis?: number } = {},
): { readonly values: Variable; readonly indices: Variable } {
  const { indices } = x.current.topk(k, { axis });
  return { values: takeAlongAxis(x, indices, { axis }), indices: makeVariable(indices) };
}
