/**
 * The nine attacks of ByzFL on rows of gradients. An entry of their own: the suite at `./testing` needs vitest, these do not.
 *
 * @module
 */

export type { Attack } from "./attacks/attack.js";
export type { OptimalAttackOptions } from "./attacks/worst-factor.js";
export { signFlipping } from "./attacks/sign-flipping.js";
export { innerProductManipulation } from "./attacks/inner-product-manipulation.js";
export { optimalInnerProductManipulation } from "./attacks/optimal-inner-product-manipulation.js";
export { aLittleIsEnough } from "./attacks/a-little-is-enough.js";
export { optimalALittleIsEnough } from "./attacks/optimal-a-little-is-enough.js";
export { mimic } from "./attacks/mimic.js";
export { inf } from "./attacks/inf.js";
export { gaussian } from "./attacks/gaussian.js";
export { labelFlipping } from "./attacks/label-flipping.js";
