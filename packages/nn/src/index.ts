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
export { Flatten } from "./links/flatten.js";
export { Embedding, type EmbeddingOptions } from "./links/embedding.js";
export { Residual } from "./links/residual.js";
export { Dropout } from "./links/dropout.js";
export { LayerNorm } from "./links/layer-norm.js";
export { GroupNorm } from "./links/group-norm.js";
export { BatchNorm, type BatchNormOptions } from "./links/batch-norm.js";
export type { NormalizationOptions } from "./links/normalization.js";
export {
  MultiHeadAttention,
  type AttentionOptions,
  type MultiHeadAttentionOptions,
} from "./links/multi-head-attention.js";
export { Conv1d } from "./links/conv1d.js";
export { Conv2d } from "./links/conv2d.js";
export type { ConvolutionLinkOptions } from "./links/convolution.js";
export { MaxPool2d } from "./links/max-pool2d.js";
export { AvgPool2d } from "./links/avg-pool2d.js";
export { softmaxCrossEntropy, type SoftmaxCrossEntropyOptions } from "./losses/softmax-cross-entropy.js";
export { binaryCrossEntropy, type BinaryCrossEntropyOptions } from "./losses/binary-cross-entropy.js";
export { LSTM, type LSTMLinkOptions, type Peephole } from "./links/lstm.js";
export { GRU, type GRULinkOptions } from "./links/gru.js";
export { squaredError } from "./losses/squared-error.js";
export { absoluteError } from "./losses/absolute-error.js";
export { huberLoss } from "./losses/huber-loss.js";
export { quantileLoss } from "./losses/quantile-loss.js";
export type { HasParameters, Optimizer } from "./optimizers/optimizer.js";
export type { Rate, VaryingRate } from "./optimizers/rate.js";
export { sgd } from "./optimizers/sgd.js";
export { momentum } from "./optimizers/momentum.js";
export { rmsprop } from "./optimizers/rmsprop.js";
export { adam, adamw, type AdamOptions } from "./optimizers/adam.js";
export { clipByGlobalNorm } from "./optimizers/clip-by-global-norm.js";
export { schedule, type Schedule } from "./schedules/schedule.js";
export { follow, type Follow } from "./schedules/follow.js";
export { cosine } from "./schedules/cosine.js";
export { stepDecay } from "./schedules/step-decay.js";
export { warmUp } from "./schedules/warm-up.js";
export { accuracy } from "./evaluation.js";
export { saveSafetensors, type SaveOptions } from "./serialization/save-safetensors.js";
export { loadSafetensors, type LoadOptions } from "./serialization/load-safetensors.js";
export type { HasCells, Saved } from "./serialization/named-cells.js";
export { summary, type Summary, type SummaryRow } from "./summary.js";
