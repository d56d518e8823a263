import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import type { Start } from "./loops.js";
import { kernelPrinter, kernelViews, type KernelPrinter, type PrintedKernel } from "./print-kernel.js";
import type { IterateKernel, Kernel, RoutineKernel, View } from "../../kernel/kernel.js";
import { input } from "../../scalar/expression.js";
import { noFault } from "../faults.js";

/** Kernels that can stand in a list which becomes one function. */
export type ListedKernel = PrintedKernel | RoutineKernel | IterateKernel;

export function isListed(kernel: Kernel): kernel is ListedKernel {
  if (kernel.form === "iterate") return kernel.body.every(isListed);
  return kernel.form !== "routine" || kernel.name === "check";
}

/** A list of kernels that knows how to print itself. */
export interface PrintedList {
  /** Bytes of working memory, which all of them use in turn. */
  readonly scratch: number;
  /** Prints into a function, at its present end; every kernel becomes a function of its own, which it calls. */
  readonly print: (f: FunctionBody, addressOf: (view: View) => number, scratch: number) => void;
}

/** Decides how kernels with constant addresses are to be printed. */
export function planList(kernels: readonly ListedKernel[], relaxed: boolean): PrintedList {
  const parts = kernels.map((kernel): PrintedList => {
    if (kernel.form === "iterate") return loop(kernel, relaxed);
    if (kernel.form === "routine") return { scratch: 0, print: (f, addressOf) => printCheck(f, kernel, addressOf) };
    return call(kernel, kernelPrinter(kernel, relaxed));
  });
  return {
    scratch: Math.max(0, ...parts.map((part) => part.scratch)),
    print: (f, addressOf, scratch) => {
      for (const part of parts) part.print(f, addressOf, scratch);
    },
  };
}

function call(kernel: PrintedKernel, printer: KernelPrinter): PrintedList {
  return {
    scratch: printer.scratch,
    print: (f, addressOf, scratch) => {
      const at = (offset: number): Start => ({ base: null, offset });
      const starts = kernelViews(kernel).map((view) => at(addressOf(view)));
      f.call(f.module.function([], [], (g) => printer.print(g, starts, at(scratch), "printed")));
    },
  };
}

/** The body, then the new state into place, until the test holds or all turns are done. */
function loop({ body, copies, until, maximum }: IterateKernel, relaxed: boolean): PrintedList {
  const turn = planList(body as readonly ListedKernel[], relaxed);
  const moves = planList(
    copies.map(({ from, to }) => ({ form: "map", out: to, f: input(0), operands: [from] })),
    relaxed,
  );
  return {
    scratch: turn.scratch,
    print: (f, addressOf, scratch) => {
      f.scope(() => {
        const left = f.variable("i32");
        const stop = f.variable("i32");
        f.set(left, integer(maximum));
        f.block(() => {
          f.loop(() => {
            turn.print(f, addressOf, scratch);
            // The test looks at the state before it moves.
            if (until !== null) f.set(stop, (g) => g.load("i32.load8_u", { base: null, offset: addressOf(until) }));
            moves.print(f, addressOf, scratch);
            if (until !== null) f.branchIf(1, stop.get);
            f.advance(left, -1);
            f.branchIf(0, left.get);
          });
        });
      });
    },
  };
}

/** Writes what a test found to the fault cell, unless that names a fault already. */
function printCheck(
  f: FunctionBody,
  { inputs, outputs, attributes }: RoutineKernel,
  addressOf: (view: View) => number,
): void {
  const load =
    (offset: number): Code =>
    (g) =>
      g.load("i32.load", { base: null, offset });
  const first = load(addressOf(inputs[0] as View));
  const cell = addressOf(outputs[0] as View);
  const found = binary("i32.ne", first, integer(noFault));
  const clear: Code = (g) => {
    load(cell)(g);
    g.emit("i32.eqz");
  };
  f.if(binary("i32.and", found, clear), () => {
    const words = ["code", "node", "parameter"].map((name) => integer(attributes[name] as number));
    [...words, first].forEach((word, k) => f.store("i32.store", { base: null, offset: cell + 4 * k }, word));
  });
}
