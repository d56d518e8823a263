import { relu, sigmoid, softplus, tanh } from "@robgrad/tensor";
import type { Linear as LinearLink } from "../links/linear.js";
import { Linear } from "../links/linear.js";
import { Sequential } from "../sequential.js";
import type { OnnxGraph } from "./graph.js";

/** Adds a layer to a graph: x is the name of its input, the result that of its output. */
export type OnnxForm = (layer: never, x: string, graph: OnnxGraph) => string;

/** Forms by the class of a link, or by the function itself. */
export type OnnxForms = ReadonlyMap<unknown, OnnxForm>;

const operator =
  (name: string): OnnxForm =>
  (_, x, graph) =>
    graph.node(name, [x]);

/** Any number of axes before the last one: a product and a sum rather than Gemm, which takes matrices only. */
const linear = ({ W, b }: LinearLink, x: string, graph: OnnxGraph): string => {
  const product = graph.node("MatMul", [x, graph.node("Transpose", [graph.value(W.cell)], { perm: [1, 0] })]);
  return b === null ? product : graph.node("Add", [product, graph.value(b.cell)]);
};

/** The layers of this package that have a form. */
export const forms: OnnxForms = new Map<unknown, OnnxForm>([
  [relu, operator("Relu")],
  [tanh, operator("Tanh")],
  [sigmoid, operator("Sigmoid")],
  [softplus, operator("Softplus")],
  [
    Sequential,
    ({ layers }: Sequential, x, graph) => layers.reduce((value, layer, k) => graph.layer(`${k}`, layer, value), x),
  ],
  [Linear, linear],
]);
