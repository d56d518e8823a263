export { openDevice, type DeviceOptions } from "./device/open.js";
export { Device, type DeviceName } from "./device/device.js";
export { Tensor, type Nested } from "./tensor.js";
export { Cell } from "./cell.js";
export type { History } from "./history.js";
export { tidy } from "./scope.js";
export {
  neg,
  abs,
  sign,
  floor,
  ceil,
  trunc,
  round,
  exp,
  expm1,
  log,
  log1p,
  sqrt,
  square,
  reciprocal,
  sin,
  cos,
  tan,
  atan,
  sinh,
  cosh,
  tanh,
  sigmoid,
  softplus,
  logCosh,
  relu,
  isFinite,
  isNaN,
  add,
  sub,
  mul,
  div,
  pow,
  remainder,
  maximum,
  minimum,
  equal,
  notEqual,
  less,
  lessEqual,
  greater,
  greaterEqual,
  and,
  or,
  not,
  clamp,
  sum,
  mean,
  max,
  min,
  product,
  variance,
  matmul,
  argmax,
  argmin,
  sort,
  argsort,
  topk,
  median,
  cumsum,
  reshape,
  broadcastTo,
  permute,
  transpose,
  slice,
  gather,
  takeAlongAxis,
} from "./functions.js";
export { where } from "./ops/elementwise.js";
export { concat, stack, pad } from "./ops/manipulation.js";
export { oneHot, scatterAdd } from "./ops/indexing.js";
export { eigh } from "./ops/linear-algebra.js";
export { iterate } from "./iterate.js";
export { read } from "./read.js";
export { generator, type Generator } from "./random/generator.js";
export { codedError, hasCode, type CodedError, type ErrorCode } from "./errors.js";
export { DeviceRandom } from "./random/device-random.js";
export type { DType, TypedArray } from "./dtype.js";
export type { HostValues, TensorOptions } from "./ops/creation.js";
export type { SliceRange } from "./layout.js";
export type { AxisOptions } from "./ops/reduction.js";
export type { Readable } from "./read.js";
export { Scalar, type ScalarFunction } from "./scalar/scalar.js";
export { Column, type ColumnProgram } from "./kernel/column.js";
export type { ElementwiseMethods } from "./scalar/elementwise.js";
export { isSampleMatrix, type SampleMatrix } from "./samples/sample-matrix.js";
export { denseSamples } from "./samples/dense.js";
export { expanded, outer } from "./samples/expanded.js";
export { indexed } from "./samples/indexed.js";
export { summed } from "./samples/summed.js";
export { concatenated } from "./samples/concatenated.js";
export { capture, type Captured } from "./capture/capture.js";
