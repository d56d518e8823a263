import { codedError, type Cell, type Tensor } from "@robgrad/tensor";
import { apply, constant, input, type Expression } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import type { HasParameters } from "./optimizer.js";

/** A number that an optimizer multiplies by, or what varies in its place: a schedule, or `follow(cell)`. */
export type Rate = number | VaryingRate;

/** A rate that is no number. It brings what it takes to vary, which optimizers with numbers alone do not load. */
export interface VaryingRate {
  /** @internal */
  readonly varying: MakeRates;
}

/** The rates of one optimizer. */
export interface Rates {
  /** As parts of a formula: constants; and inputs, one after another, for those that vary. */
  readonly formulas: readonly Expression[];
  /** Does an update of parameters, which gets the values of rates that vary, and counts it. */
  during(parameters: Iterable<Parameter>, update: (varying: readonly Tensor[]) => void): void;
  state(model: HasParameters): ReadonlyMap<string, Cell>;
  dispose(): void;
}

type GivenRates = Readonly<Record<string, Rate>>;

/** @internal Makes the rates of an optimizer of which one varies, given their formulas. */
export type MakeRates = (subject: string, given: GivenRates, formulas: readonly Expression[]) => Rates;

/**
 * The rates of an optimizer.
 *
 * @param first  The number of the first input that stands for a rate.
 * @param make   For optimizers that count their updates whatever the rates.
 */
export function ratesOf(subject: string, given: GivenRates, first: number, make?: MakeRates): Rates {
  const formulas = Object.entries(given).map(([name, rate]) => {
    const varying = (rate as Partial<VaryingRate> | undefined)?.varying;
    if (varying !== undefined) {
      make ??= varying;
      return input(first++);
    }
    if (typeof rate === "number" && rate >= 0 && rate < Infinity) return constant(rate);
    throw codedError("BAD_ARGUMENT", `${subject}: expected a finite ${name} ≥ 0, found ${String(rate)}`);
  });
  return (
    make?.(subject, given, formulas) ?? {
      formulas,
      during: (_, update) => update([]),
      state: () => new Map(),
      dispose() {},
    }
  );
}

/** The gradient, input 1, with the decay of weights, input 0, at a rate. */
export function withDecay(rate: Expression): Expression {
  return rate.kind === "constant" && rate.value === 0 ? input(1) : apply("add", input(1), apply("mul", rate, input(0)));
}
