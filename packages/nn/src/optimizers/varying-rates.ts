import { codedError, tidy, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import { Clock } from "../schedules/clock.js";
import type { Follow } from "../schedules/follow.js";
import type { Schedule } from "../schedules/schedule.js";
import type { MakeRates, Rates } from "./rates.js";

/** The rates of an optimizer of which at least one varies, or whose updates are counted for another reason. */
export const varyingRates =
  (counter?: Clock): MakeRates =>
  (subject, given, formulas): Rates => {
    const varying = Object.entries(given).filter(([, rate]) => typeof rate !== "number") as unknown as readonly [
      string,
      Schedule | Follow,
    ][];
    const counts = varying.some(([, rate]) => typeof rate === "function");
    const clock = counter ?? (counts ? new Clock(subject) : undefined);
    return {
      formulas,
      during(parameters: Iterable<Parameter>, update: (values: readonly Tensor[]) => void) {
        const [first] = parameters;
        if (first === undefined) return;
        const { device, dtype } = first.cell;
        tidy(() => {
          const values = varying.map(([name, rate]) => {
            const value = typeof rate === "function" ? (clock as Clock).at(rate, first.cell) : rate.current();
            if (value.device !== device || value.dtype !== dtype) {
              throw codedError(
                value.device === device ? "DTYPE_MISMATCH" : "DEVICE_MISMATCH",
                `${subject}: expected ${name} to be ${dtype} on the device of the parameters, found ${value.dtype} on ${value.device.name}`,
              );
            }
            checkElements(value, "nonFinite", { kind: "non-finite value", node: subject, parameter: name });
            return value;
          });
          update(values);
          clock?.advance();
        });
      },
      state: (model) => clock?.state(model) ?? new Map(),
      dispose: () => clock?.dispose(),
    };
  };
