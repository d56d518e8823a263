/**
 * For packages that build on kernels (autograd does): formulas as data, their derivatives, and what runs them.
 *
 * @module
 */

export { apply, constant, input, substitute, type Expression } from "./scalar/expression.js";
export { operation, type Operation, type OperationName } from "./scalar/operations.js";
export { differentiate } from "./scalar/differentiate.js";
export { elementwiseMethods } from "./scalar/elementwise.js";
export { traceScalar } from "./scalar/scalar.js";
export { mapExpression } from "./ops/elementwise.js";
export { reduceFormula, type ReductionName } from "./ops/reduction.js";
export { convolutionInputGradient, convolutionWeightGradients, convolve, type Convolution } from "./ops/convolution.js";
export { spreadOverWindows, windowElements, windowMaxima, windowMeans, windowWinners } from "./ops/pooling.js";
export { windowCounts, type Windows } from "./ops/windows.js";
export { convolved } from "./samples/convolved.js";
export { empty } from "./ops/creation.js";
export { writeMap, writeProduct } from "./ops/write.js";
export { checkElements, type FaultOrigin, type FaultTest } from "./ops/check.js";
export { blockAverages, blockMeans } from "./samples/block-means.js";
export { squaredDistancesTo } from "./samples/distances-to.js";
export { checkSamples } from "./samples/check-samples.js";
export { ownedTensors, tensorsIn } from "./scope.js";
export type * from "./kernel/kernel.js";
export {
  broadcastShapes,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  repeatedAxes,
  sameShape,
  sizeOf,
} from "./shape.js";
export { isFloating } from "./dtype.js";
export { resolveRange } from "./layout.js";
export { resolveShape } from "./ops/manipulation.js";
export { rewrapped } from "./capture/capture.js";
