/**
 * Compares the parts of a function with what they must be: differences, other devices, single losses.
 *
 * @module
 */

export { checkBackward, checkDoubleBackward, type CheckOptions } from "./testing/check-backward.js";
export { checkSampleGradients, type SampleCheckOptions } from "./testing/check-sample-gradients.js";
export { checkOnDevice, type DeviceCheckOptions } from "./testing/check-on-device.js";
export { checkTangent } from "./testing/check-tangent.js";
