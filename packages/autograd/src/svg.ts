import { instance } from "@viz-js/viz";
import type { ComputationalGraph } from "./computational-graph.js";

/**
 * Draws a computational graph as SVG with Graphviz, which `@viz-js/viz` (an optional peer) brings as WebAssembly: in
 * Node and in browsers, with nothing to install beside it.
 *
 * @param graph  Of `computationalGraph`, or the annotated one of an `evaluationTrace`.
 * @returns      Resolves to an `<svg>` element as text.
 * @see          Tutorial, Figures 1 and 2.
 * @example
 * const x = new Variable(device.tensor([2]), { name: "x" });
 * const svg = await graphSvg(computationalGraph(x.square()));
 */
export async function graphSvg(graph: ComputationalGraph): Promise<string> {
  const viz = await instance();
  return viz.renderString(graph.toDot(), { format: "svg" }).replace(/^[^]*?(?=<svg)/, "");
}
