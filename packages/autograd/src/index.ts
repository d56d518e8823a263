export { Variable, type BackwardOptions, type Operand, type VariableOptions, type VariableSource } from "./variable.js";
export { FunctionNode, type GradientThunk } from "./function-node.js";
export { isRecording, noGrad } from "./recording.js";
export { sampleGradients } from "./sample-gradients.js";
export type { CarriedSamples, SampleAxis, SampleContext, SampleTracking } from "./sample-axis.js";
export { linear } from "./functions/linear.js";
export { conv1d } from "./functions/conv1d.js";
export { conv2d } from "./functions/conv2d.js";
export type { ConvolutionOptions } from "./functions/convolution.js";
export { avgPool2d, maxPool2d } from "./functions/pooling.js";
export type { PerAxis, WindowOptions } from "./functions/window-options.js";
export { concat, stack } from "./functions/concat.js";
export { pad } from "./functions/pad.js";
export { where } from "./functions/where.js";
export { scatterAdd } from "./functions/scatter-add.js";
export { sort } from "./functions/sort.js";
export { logSumExp } from "./functions/log-sum-exp.js";
export { standardize, type Standardized, type StandardizeOptions } from "./functions/standardize.js";
export { lstm, type LSTMOptions, type LSTMParameters, type LSTMResult } from "./functions/lstm.js";
export { gru, type GRUOptions, type GRUParameters, type GRUResult } from "./functions/gru.js";
export type { SequenceOptions } from "./functions/recurrence.js";
export { logSoftmax, softmax, type SoftmaxOptions } from "./functions/softmax.js";
export {
  abs,
  add,
  atan,
  ceil,
  cos,
  cosh,
  div,
  equal,
  exp,
  expm1,
  floor,
  greater,
  isFinite,
  isNaN,
  less,
  log,
  log1p,
  logCosh,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  round,
  sigmoid,
  sign,
  sin,
  sinh,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  tan,
  tanh,
  trunc,
} from "@robgrad/tensor";
export { grad } from "./transforms/grad.js";
export { valueAndGrad, type GradOptions } from "./transforms/value-and-grad.js";
export { jvp, type Pushforward } from "./transforms/jvp.js";
export { jacobianForward, jacobianReverse } from "./transforms/jacobian.js";
export { hessian } from "./transforms/hessian.js";
export { hvp } from "./transforms/hvp.js";
export { vjp, type VectorJacobian } from "./transforms/vjp.js";
export { computationalGraph, type ComputationalGraph, type GraphData } from "./computational-graph.js";
export { evaluationTrace, type EvaluationTrace, type TraceOptions, type TraceRow } from "./evaluation-trace.js";
