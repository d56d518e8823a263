import type { PerAxis } from "@robgrad/autograd";
import { codedError, relu, sigmoid, softplus, tanh } from "@robgrad/tensor";
import { AvgPool2d } from "../links/avg-pool2d.js";
import { BatchNorm } from "../links/batch-norm.js";
import { Conv1d } from "../links/conv1d.js";
import { Conv2d } from "../links/conv2d.js";
import { Dropout } from "../links/dropout.js";
import { Flatten } from "../links/flatten.js";
import { LayerNorm } from "../links/layer-norm.js";
import { Linear } from "../links/linear.js";
import { MaxPool2d } from "../links/max-pool2d.js";
import { Residual } from "../links/residual.js";
import { Sequential } from "../sequential.js";
import type { OnnxAttribute, OnnxGraph } from "./graph.js";

/** Adds a layer to a graph: x is the name of its input, the result that of its output. */
export type OnnxForm = (layer: never, x: string, graph: OnnxGraph) => string;

/** Forms by the class of a link, or by the function itself. */
export type OnnxForms = ReadonlyMap<unknown, OnnxForm>;

const operator =
  (name: string): OnnxForm =>
  (_, x, graph) =>
    graph.node(name, [x]);

/** Any number of axes before the last one: a product and a sum rather than Gemm, which takes matrices only. */
const linear = ({ W, b }: Linear, x: string, graph: OnnxGraph): string => {
  const product = graph.node("MatMul", [x, graph.node("Transpose", [graph.value(W.cell)], { perm: [1, 0] })]);
  return b === null ? product : graph.node("Add", [product, graph.value(b.cell)]);
};

const perAxis = (given: PerAxis, axes: number): readonly number[] =>
  typeof given === "number" ? Array.from({ length: axes }, () => given) : given;

/** Padding of both ends of every axis, as ONNX takes it: all beginnings, then all ends. */
const pads = (padding: PerAxis, axes: number) => [...perAxis(padding, axes), ...perAxis(padding, axes)];

const convolution = (layer: Conv1d | Conv2d, x: string, graph: OnnxGraph): string => {
  const { W, b } = layer;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = layer["options"];
  const kernel = W.shape.slice(2);
  return graph.node("Conv", [x, graph.value(W.cell), ...(b === null ? [] : [graph.value(b.cell)])], {
    kernel_shape: kernel,
    strides: perAxis(stride, kernel.length),
    pads: pads(padding, kernel.length),
    dilations: perAxis(dilation, kernel.length),
    group: groups,
  });
};

const pooling = (layer: MaxPool2d | AvgPool2d): Readonly<Record<string, OnnxAttribute>> => {
  const kernel = perAxis(layer.kernel, 2);
  const { stride = kernel, padding = 0 } = layer.options;
  return { kernel_shape: kernel, strides: perAxis(stride, 2), pads: pads(padding, 2) };
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
  [Conv1d, convolution],
  [Conv2d, convolution],
  [
    MaxPool2d,
    (layer: MaxPool2d, x, graph) =>
      graph.node("MaxPool", [x], { ...pooling(layer), dilations: perAxis(layer.options.dilation ?? 1, 2) }),
  ],
  [
    AvgPool2d,
    (layer: AvgPool2d, x, graph) => {
      const { dilation = 1 } = layer.options;
      if (perAxis(dilation, 2).some((step) => step !== 1)) {
        throw codedError(
          "BAD_ARGUMENT",
          `exportOnnx: expected AvgPool2d without dilation, which ONNX has since version 19 only, found ${String(dilation)}`,
        );
      }
      return graph.node("AveragePool", [x], { ...pooling(layer), count_include_pad: 1 });
    },
  ],
  [Flatten, (_, x, graph) => graph.node("Flatten", [x], { axis: 1 })],
  [Dropout, (_, x) => x],
  [
    Residual,
    ({ body, shortcut }: Residual, x, graph) =>
      graph.node("Add", [graph.layer("body", body, x), shortcut === null ? x : graph.layer("shortcut", shortcut, x)]),
  ],
  [
    BatchNorm,
    (layer: BatchNorm, x, graph) => {
      const { gain, shift, runningMean, runningVariance } = layer;
      const values = [gain.cell, shift.cell, runningMean, runningVariance].map((cell) => graph.value(cell));
      return graph.node("BatchNormalization", [x, ...values], { epsilon: { float: layer["epsilon"] } });
    },
  ],
  [
    LayerNorm,
    (layer: LayerNorm, x, graph) => {
      const { gain, shift } = layer;
      return graph.node("LayerNormalization", [x, graph.value(gain.cell), graph.value(shift.cell)], {
        axis: -gain.shape.length,
        epsilon: { float: layer["epsilon"] },
      });
    },
  ],
]);
