import { codedError, tidy, type Cell, type Tensor } from "@robgrad/tensor";
import { apply, checkElements, constant, input, type Expression } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import type { Clock } from "../schedules/clock.js";
import type { Schedule } from "../schedules/schedule.js";

/**
 * A number that an optimizer multiplies by, or what stands for one: a schedule, which is a function of how many updates
 * there have been, or a cell or a tensor of rank 0, whose value at the update counts.
 */
export type Rate = number | Schedule | Cell | Tensor;

/** The rates of one optimizer: constants in its formulas, or operands of its kernels. */
export class Rates {
  readonly #subject: string;
  readonly #varying: (readonly [string, Exclude<Rate, number>])[] = [];
  /** The rates as parts of a formula; those that vary are inputs from `first` on. */
  readonly formulas: readonly Expression[];
  /** Counts updates, if a rate asks for their number. */
  readonly clock: Clock | undefined;

  constructor(subject: string, rates: Readonly<Record<string, Rate>>, first: number, clock?: Clock) {
    this.#subject = subject;
    this.formulas = Object.entries(rates).map(([name, rate]) => {
      if (typeof rate === "number" && rate >= 0 && rate < Infinity) return constant(rate);
      if (typeof rate === "function" && "clock" in rate) clock ??= rate.clock(subject);
      else if ((rate as Partial<Tensor>).shape?.length !== 0) {
        throw codedError(
          "BAD_ARGUMENT",
          `${subject}: expected ${name} to be a finite number ≥ 0, a schedule, or a cell or tensor of rank 0, found ${String(rate)}`,
        );
      }
      return input(first + this.#varying.push([name, rate as Exclude<Rate, number>]) - 1);
    });
    this.clock = clock;
  }

  /** An update of parameters: `update` gets the values of rates that vary, checked to be finite. Then it is counted. */
  during(parameters: Iterable<Parameter>, update: (varying: readonly Tensor[]) => void): void {
    const [first] = parameters;
    if (first === undefined || this.#varying.length === 0) return update([]);
    const { device, dtype } = first.cell;
    tidy(() => {
      const values = this.#varying.map(([name, rate]) => {
        const value =
          "clock" in rate ? (this.clock as Clock).at(rate, first.cell) : "current" in rate ? rate.current : rate;
        if (value.device !== device || value.dtype !== dtype) {
          throw codedError(
            value.device === device ? "DTYPE_MISMATCH" : "DEVICE_MISMATCH",
            `${this.#subject}: expected ${name} to be ${dtype} on the device of the parameters, found ${value.dtype} on ${value.device.name}`,
          );
        }
        checkElements(value, "nonFinite", { kind: "non-finite value", node: this.#subject, parameter: name });
        return value;
      });
      update(values);
      this.clock?.advance();
    });
  }
}

/** The gradient, input 1, with the decay of weights, input 0, at a rate. */
export function withDecay(rate: Expression): Expression {
  return rate.kind === "constant" && rate.value === 0 ? input(1) : apply("add", input(1), apply("mul", rate, input(0)));
}
