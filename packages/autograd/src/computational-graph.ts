import { formatShape } from "@robgrad/tensor/kernels";
import { place } from "./function-node.js";
import { reachable } from "./graph.js";
import type { VariableNode } from "./variable-node.js";
import type { Variable } from "./variable.js";

/** A graph as plain data: Variables and functions by id, and edges in the direction of the computation. */
export interface GraphData {
  readonly variables: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly requiresGrad: boolean;
    /** What a trace knows of it, line by line. */
    readonly notes: readonly string[];
  }[];
  readonly functions: readonly { readonly id: string; readonly label: string }[];
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** The history of Variables, to be drawn. */
export interface ComputationalGraph {
  /** Graphviz: ovals are Variables, boxes are functions. */
  toDot(): string;
  /** Mermaid flowchart: rounded nodes are Variables, boxes are functions. */
  toMermaid(): string;
  toJSON(): GraphData;
}

/**
 * The graph of what led to a Variable, for drawing.
 *
 * @param outputs  A Variable, or several.
 * @returns        `toDot()`, `toMermaid()` and `toJSON()`. Nodes are numbered in the order of the computation.
 * @see            Tutorial, Figures 1 and 2; Chainer, `build_computational_graph`.
 * @example        const x = new Variable(device.tensor([2]), { name: "x" }); computationalGraph(x.square()).toMermaid();
 */
export function computationalGraph(outputs: Variable | readonly Variable[]): ComputationalGraph {
  const roots = Array.isArray(outputs) ? (outputs as readonly Variable[]) : [outputs as Variable];
  return annotatedGraph(
    roots.map(({ node }) => node),
    new Map(),
  );
}

/** The graph of what led to Variables, with lines of text on some of them. */
export function annotatedGraph(
  roots: readonly VariableNode[],
  notes: ReadonlyMap<VariableNode, readonly string[]>,
): ComputationalGraph {
  const data = graphData(roots, notes);
  return {
    toDot: () =>
      lines("digraph {", [
        ...data.variables.map(
          (variable) => `${variable.id} [shape=oval, label="${caption(variable).map(dotText).join("\\n")}"];`,
        ),
        ...data.functions.map(({ id, label }) => `${id} [shape=box, label="${dotText(label)}"];`),
        ...data.edges.map(([from, to]) => `${from} -> ${to};`),
      ]) + "}\n",
    toMermaid: () =>
      lines("flowchart TD", [
        ...data.variables.map((variable) => `${variable.id}(["${caption(variable).map(mermaidText).join("<br/>")}"])`),
        ...data.functions.map(({ id, label }) => `${id}["${mermaidText(label)}"]`),
        ...data.edges.map(([from, to]) => `${from} --> ${to}`),
      ]),
    toJSON: () => data,
  };
}

function graphData(roots: readonly VariableNode[], notes: ReadonlyMap<VariableNode, readonly string[]>): GraphData {
  const ids = new Map<VariableNode, string>();
  const idOf = (node: VariableNode) => {
    let id = ids.get(node);
    if (id === undefined) ids.set(node, (id = `v${ids.size}`));
    return id;
  };
  const functions: { id: string; label: string }[] = [];
  const edges: [string, string][] = [];
  for (const node of reachable(roots).reverse()) {
    const id = `f${functions.length}`;
    functions.push({ id, label: node.label });
    for (const input of node[place].inputs) edges.push([idOf(input), id]);
    for (const output of node[place].outputs) edges.push([id, idOf(output)]);
  }
  roots.forEach(idOf);
  const variables = [...ids].map(([node, id]) => ({
    id,
    name: node.name ?? null,
    dtype: node.dtype,
    shape: node.shape,
    requiresGrad: node.requiresGrad,
    notes: notes.get(node) ?? [],
  }));
  return { variables, functions, edges };
}

function caption({ name, dtype, shape, notes }: GraphData["variables"][number]): string[] {
  return [`${name === null ? "" : `${name}: `}${dtype} ${formatShape(shape)}`, ...notes];
}

const lines = (head: string, body: readonly string[]) => [head, ...body.map((line) => `  ${line}`), ""].join("\n");
const dotText = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
const mermaidText = (text: string) => text.replaceAll('"', "#quot;");
