import { place, type FunctionNode } from "./function-node.js";
import type { VariableNode } from "./variable-node.js";

/** Every node that the Variables depend on, each before what it depends on. */
export function reachable(roots: readonly VariableNode[]): FunctionNode[] {
  const found = new Set<FunctionNode>();
  const pending: FunctionNode[] = [];
  const meet = ({ creator }: VariableNode) => {
    if (creator === null || found.has(creator)) return;
    found.add(creator);
    pending.push(creator);
  };
  roots.forEach(meet);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) node[place].inputs.forEach(meet);
  return [...found].sort((a, b) => b[place].sequence - a[place].sequence);
}
