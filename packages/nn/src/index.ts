export { relu, sigmoid, tanh, softplus } from "@robgrad/tensor";
export { Parameter } from "./parameter.js";
export { Link, type ForwardOptions } from "./link.js";
export { Sequential, type Layer } from "./sequential.js";
export {
  constant,
  glorot,
  he,
  lecun,
  uniform,
  type DistributionOption,
  type Initializer,
  type InitializerOptions,
} from "./initializers.js";
export { Linear, type LinearOptions } from "./links/linear.js";
export { Conv1d } from "./links/conv1d.js";
export { Conv2d } from "./links/conv2d.js";
export type { ConvolutionLinkOptions } from "./links/convolution.js";
export { MaxPool2d } from "./links/max-pool2d.js";
export { AvgPool2d } from "./links/avg-pool2d.js";
export { softmaxCrossEntropy } from "./losses/softmax-cross-entropy.js";
export { squaredError } from "./losses/squared-error.js";
export type { Optimizer } from "./optimizers/optimizer.js";
export { sgd } from "./optimizers/sgd.js";
export { momentum } from "./optimizers/momentum.js";
export { accuracy } from "./evaluation.js";
