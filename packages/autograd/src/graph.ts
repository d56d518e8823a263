import { place, type FunctionNode } from "./function-node.js";
import type { VariableNode } from "./variable-node.js";

/**
 * Every node that the Variables depend on, each before what it depends on.
 *
 * @param ends  Variables to look no further than.
 */
export function reachable(roots: readonly VariableNode[], ends?: ReadonlySet<VariableNode>): FunctionNode[] {
  const found = new Set<FunctionNode>();
  const pending: FunctionNode[] = [];
  const meet = (variable: VariableNode) => {
    const { creator } = variable;
    if (creator === null || found.has(creator) || ends?.has(variable)) return;
    found.add(creator);
    pending.push(creator);
  };
  roots.forEach(meet);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) node[place].inputs.forEach(meet);
  return [...found].sort((a, b) => b[place].sequence - a[place].sequence);
}
