export { checkBackward, checkDoubleBackward, type CheckOptions } from "./testing/check-backward.js";
export { checkSampleGradients, type SampleCheckOptions } from "./testing/check-sample-gradients.js";
export { checkTangent } from "./testing/check-tangent.js";
