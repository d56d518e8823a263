/**
 * What tests of devices are made of. Needs the optional peers vitest and fast-check.
 *
 * @module
 */

export { forEachDevice, type DeviceUnderTest } from "./testing/devices.js";
export { expectClose, type Tolerance } from "./testing/tolerance.js";
export { memoryReturns } from "./testing/memory.js";
export { broadcastPairs, shapes, stridedArrays, type StridedArray } from "./testing/arbitraries.js";
