import type { OperationName } from "./operations.js";

/**
 * The elementwise operations that tensors, Variables and traced scalars share.
 * Two operands broadcast by NumPy's rule; a number stands for a constant of the operand's dtype.
 */
export interface ElementwiseMethods<Self> {
  /** a + b */
  add(other: Self | number): Self;
  /** a − b */
  sub(other: Self | number): Self;
  /** a · b */
  mul(other: Self | number): Self;
  /** a / b; floating dtypes only. */
  div(other: Self | number): Self;
  /** aᵇ; floating dtypes only. The derivative in b at a = 0 is taken as 0. */
  pow(exponent: Self | number): Self;
  /** a − ⌊a/b⌋·b, with the sign of b. */
  remainder(other: Self | number): Self;
  /** The larger of two; NaN if either is. A tie gives each half of the derivative. */
  maximum(other: Self | number): Self;
  /** The smaller of two; NaN if either is. A tie gives each half of the derivative. */
  minimum(other: Self | number): Self;
  /** −u */
  neg(): Self;
  /** |u|, derivative 0 at 0. */
  abs(): Self;
  /** −1, 0 or 1. */
  sign(): Self;
  /** The largest whole number ≤ u. */
  floor(): Self;
  /** The smallest whole number ≥ u. */
  ceil(): Self;
  /** u without its fraction. */
  trunc(): Self;
  /** The nearest whole number, halves to even. */
  round(): Self;
  /** eᵘ */
  exp(): Self;
  /** eᵘ − 1, accurate near 0. */
  expm1(): Self;
  /** ln u */
  log(): Self;
  /** ln(1 + u), accurate near 0. */
  log1p(): Self;
  /** √u */
  sqrt(): Self;
  /** u² */
  square(): Self;
  /** 1/u */
  reciprocal(): Self;
  sin(): Self;
  cos(): Self;
  tan(): Self;
  /** arctan u in (−π/2, π/2). */
  atan(): Self;
  sinh(): Self;
  cosh(): Self;
  tanh(): Self;
  /** 1/(1 + e⁻ᵘ) */
  sigmoid(): Self;
  /** ln(1 + eᵘ) without overflow. */
  softplus(): Self;
  /** ln cosh u without overflow. */
  logCosh(): Self;
  /** max(u, 0), derivative 0 at 0. */
  relu(): Self;
  /** a = b, as bool. */
  equal(other: Self | number): Self;
  /** a ≠ b, as bool. */
  notEqual(other: Self | number): Self;
  /** a < b, as bool. */
  less(other: Self | number): Self;
  /** a ≤ b, as bool. */
  lessEqual(other: Self | number): Self;
  /** a > b, as bool. */
  greater(other: Self | number): Self;
  /** a ≥ b, as bool. */
  greaterEqual(other: Self | number): Self;
  /** Both of two bools. */
  and(other: Self): Self;
  /** Either of two bools. */
  or(other: Self): Self;
  /** The opposite of a bool. */
  not(): Self;
  /** Neither NaN nor infinite, as bool. */
  isFinite(): Self;
  /** NaN, as bool. */
  isNaN(): Self;
  /** u held within [low, high]; derivative 1 on the closed interval. */
  clamp(low: Self | number, high: Self | number): Self;
}

/** Names of {@link ElementwiseMethods}, for classes that derive the methods from the scalar table. */
export const elementwiseMethods = [
  "add",
  "sub",
  "mul",
  "div",
  "pow",
  "remainder",
  "maximum",
  "minimum",
  "neg",
  "abs",
  "sign",
  "floor",
  "ceil",
  "trunc",
  "round",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "square",
  "reciprocal",
  "sin",
  "cos",
  "tan",
  "atan",
  "sinh",
  "cosh",
  "tanh",
  "sigmoid",
  "softplus",
  "logCosh",
  "relu",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "and",
  "or",
  "not",
  "isFinite",
  "isNaN",
  "clamp",
] as const satisfies readonly (keyof ElementwiseMethods<unknown> & OperationName)[];
