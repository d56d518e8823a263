import type { Cell, Scalar, Tensor } from "@robgrad/tensor";
import { input, substitute, traceScalar, type Expression, type FaultTest } from "@robgrad/tensor/kernels";
import type { Parameter } from "../parameter.js";
import type { Clock } from "../schedules/clock.js";
import { checkGradients, type HasParameters, type Optimizer } from "./optimizer.js";
import { withDecay, type Rate } from "./rate.js";
import { Rates } from "./rates.js";

/** What a formula may read: the weight w, its gradient g, moments as they are by then, and rates. */
type Symbols<Name extends string> = { readonly [K in Name | "w" | "g"]: Scalar };

/** An optimizer as formulas. */
export interface Formulas<Moment extends string, RateName extends string> {
  readonly rates: Readonly<Record<RateName, Rate>>;
  /** A rate λ to which g is g + λ w. */
  readonly decay?: Rate;
  /** The number of updates, if formulas ask for it. */
  readonly clock?: Clock;
  /** What becomes of moments, which start at 0, one after another. */
  readonly moments: { readonly [K in Moment]: (symbols: Symbols<Moment | RateName>) => Scalar };
  /** What becomes of w after that. */
  readonly next: (symbols: Symbols<Moment | RateName>) => Scalar;
  /** Whether squares of gradients have to be finite, too. */
  readonly squares?: boolean;
}

/** A formula of a cell, and the operands that it reads. */
interface Step {
  readonly f: Expression;
  readonly reads: readonly number[];
}

/** Where squares leave the range of numbers; an infinite one would stay in a moment and end all steps. */
const squareOverflows = ({ dtype }: Tensor): FaultTest => {
  const bound = dtype === "float64" ? 1.3e154 : 1.8e19;
  return { outside: [-bound, bound] };
};

/** An optimizer that keeps one cell for each moment of every parameter. */
export function withMoments<Moment extends string, RateName extends string>(
  subject: string,
  { rates: given, decay = 0, clock, moments, next, squares = false }: Formulas<Moment, RateName>,
): Optimizer {
  const names = Object.keys(moments) as Moment[];
  const symbols = ["w", "g", ...names, ...(Object.keys(given) as RateName[])] as const;
  // Operands of formulas: w, g, the moments, then rates that vary.
  const firstRate = 2 + names.length;
  const rates = new Rates(subject, { ...given, weightDecay: decay }, firstRate, clock);
  const gradient = withDecay(rates.formulas.at(-1) as Expression);

  const stepOf = (own: number, formula: (symbols: Symbols<Moment | RateName>) => Scalar): Step => {
    const traced = traceScalar(
      subject,
      (...inputs) => formula(Object.fromEntries(symbols.map((name, k) => [name, inputs[k]])) as never),
      symbols.length,
    );
    const whole = substitute(traced, (k) =>
      k === 1 ? gradient : k < firstRate ? input(k) : (rates.formulas[k - firstRate] as Expression),
    );
    const reads: number[] = [];
    const f = substitute(whole, (k) => {
      if (k === own) return input(0);
      const place = reads.indexOf(k);
      return input(place < 0 ? reads.push(k) : place + 1);
    });
    return { f, reads };
  };
  const steps = names.map((name, k) => stepOf(2 + k, moments[name]));
  const last = stepOf(0, next);

  const cells = new Map<Parameter, readonly Cell[]>();
  const cellsOf = (parameter: Parameter): readonly Cell[] => {
    let found = cells.get(parameter);
    if (found === undefined) {
      const { device, shape, dtype } = parameter.cell;
      found = device.beforeStep(() => {
        const zeros = device.zeros(shape, { dtype });
        const made = names.map(() => device.cell(zeros));
        zeros.dispose();
        return made;
      });
      cells.set(parameter, found);
    }
    return found;
  };

  return {
    update(gradients: ReadonlyMap<Parameter, Tensor>) {
      if (squares) checkGradients(subject, gradients, squareOverflows, "the square of the gradient of");
      else checkGradients(subject, gradients);
      rates.during(gradients.keys(), (varying) => {
        for (const [parameter, g] of gradients) {
          const kept = cellsOf(parameter);
          const operand = (k: number): Tensor =>
            k === 1
              ? g
              : k < firstRate
                ? (k === 0 ? parameter.cell : (kept[k - 2] as Cell)).current
                : (varying[k - firstRate] as Tensor);
          steps.forEach(({ f, reads }, m) => (kept[m] as Cell).update(f, reads.map(operand)));
          parameter.cell.update(last.f, last.reads.map(operand));
        }
      });
    },
    state(model: HasParameters) {
      const state = new Map(rates.state(model));
      for (const [path, parameter] of model.namedParameters()) {
        cellsOf(parameter).forEach((cell, k) => state.set(`${path}.${names[k]}`, cell));
      }
      return state;
    },
    dispose() {
      for (const kept of cells.values()) for (const cell of kept) cell.dispose();
      cells.clear();
      rates.dispose();
    },
  };
}
