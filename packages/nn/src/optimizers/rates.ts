import { codedError, tidy, type Cell, type Tensor } from "@robgrad/tensor";
import { checkElements, input, type Expression } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import { Clock } from "../schedules/clock.js";
import type { Follow } from "../schedules/follow.js";
import type { Schedule } from "../schedules/schedule.js";
import type { HasParameters } from "./optimizer.js";
import { rateConstant, type Rate } from "./rate.js";

/** The rates of one optimizer. */
export class Rates {
  readonly #subject: string;
  readonly #varying: (readonly [string, Schedule | Follow])[] = [];
  /** Counts updates, if anything asks for their number. */
  readonly #clock: Clock | undefined;
  /** As parts of a formula: constants; and inputs, one after another, for those that vary. */
  readonly formulas: readonly Expression[];

  /** @param first  The number of the first input that stands for a rate. */
  constructor(subject: string, given: Readonly<Record<string, Rate>>, first: number, clock?: Clock) {
    this.#subject = subject;
    this.formulas = Object.entries(given).map(([name, rate]) => {
      if (typeof rate === "number" || !("sgd" in Object(rate))) return rateConstant(subject, name, rate);
      return input(first + this.#varying.push([name, rate as Schedule | Follow]) - 1);
    });
    const counts = this.#varying.some(([, rate]) => typeof rate === "function");
    this.#clock = clock ?? (counts ? new Clock(subject) : undefined);
  }

  /** Does an update of parameters, which gets the values of rates that vary, and counts it. */
  during(parameters: Iterable<Parameter>, update: (varying: readonly Tensor[]) => void): void {
    const [first] = parameters;
    if (first === undefined || (this.#varying.length === 0 && this.#clock === undefined)) return update([]);
    tidy(() => {
      update(this.#varying.map(([name, rate]) => this.#valueOf(name, rate, first.cell)));
      this.#clock?.advance();
    });
  }

  #valueOf(name: string, rate: Schedule | Follow, cell: Cell): Tensor {
    const value = typeof rate === "function" ? (this.#clock as Clock).at(rate, cell) : rate.current();
    const { device, dtype } = cell;
    if (value.device !== device || value.dtype !== dtype) {
      throw codedError(
        value.device === device ? "DTYPE_MISMATCH" : "DEVICE_MISMATCH",
        `${this.#subject}: expected ${name} to be ${dtype} on the device of the parameters, found ${value.dtype} on ${value.device.name}`,
      );
    }
    checkElements(value, "nonFinite", { kind: "non-finite value", node: this.#subject, parameter: name });
    return value;
  }

  state(model: HasParameters): ReadonlyMap<string, Cell> {
    return this.#clock?.state(model) ?? new Map<string, Cell>();
  }

  dispose(): void {
    this.#clock?.dispose();
  }
}
