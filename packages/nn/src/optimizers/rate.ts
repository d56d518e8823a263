import { codedError } from "@robgrad/tensor";
import { apply, constant, input, type Expression } from "@robgrad/tensor/kernels";
import type { Optimizer } from "./optimizer.js";

/** A number that an optimizer multiplies by, or what varies in its place: a schedule, or `follow(cell)`. */
export type Rate = number | VaryingRate;

/** A rate that is no number. It brings what it takes to vary, which `sgd` with numbers alone does not load. */
export interface VaryingRate {
  /** @internal Makes `sgd` with such rates. */
  readonly sgd: (stepSize: Rate, weightDecay: Rate) => Optimizer;
}

/** A rate that is a number as a part of a formula. */
export function rateConstant(subject: string, name: string, rate: Rate): Expression {
  if (typeof rate === "number" && rate >= 0 && rate < Infinity) return constant(rate);
  throw codedError("BAD_ARGUMENT", `${subject}: expected a finite ${name} ≥ 0, found ${String(rate)}`);
}

/** The gradient, input 1, with the decay of weights, input 0, at a rate. */
export function withDecay(rate: Expression): Expression {
  return rate.kind === "constant" && rate.value === 0 ? input(1) : apply("add", input(1), apply("mul", rate, input(0)));
}
