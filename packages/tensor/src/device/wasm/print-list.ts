import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import {
  kernelConstants,
  kernelKey,
  kernelPrinter,
  kernelViews,
  type KernelPrinter,
  type PrintedKernel,
} from "./print-kernel.js";
import type { Start } from "./loops.js";
import { bytesPerElement } from "../../dtype.js";
import type { IterateKernel, Kernel, RoutineKernel, View } from "../../kernel/kernel.js";
import { isRowMajor } from "../../layout.js";
import { input } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import { noFault } from "../faults.js";

/** Kernels that can stand in a list which becomes one function. */
export type ListedKernel = PrintedKernel | RoutineKernel | IterateKernel;

export function isListed(kernel: Kernel): kernel is ListedKernel {
  if (kernel.form === "iterate") return kernel.body.every(isListed);
  if (kernel.form !== "routine" || kernel.name === "check") return true;
  const [row] = kernel.inputs;
  return kernel.name === "append" && row !== undefined && isRowMajor(row) && sizeOf(row.shape) <= longestRow;
}

/** Rows of a history up to this many elements are copied element by element. */
const longestRow = 16;

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
    if (kernel.form === "routine") {
      const print = kernel.name === "check" ? printCheck : printAppend;
      return { scratch: 0, print: (f, addressOf) => print(f, kernel, addressOf) };
    }
    const printer = kernelPrinter(kernel, relaxed);
    return call(kernel, printer, kernels.length > longList ? keyOf(kernel) : kernel);
  });
  return {
    scratch: Math.max(0, ...parts.map((part) => part.scratch)),
    print: (f, addressOf, scratch) => {
      for (const part of parts) part.print(f, addressOf, scratch);
    },
  };
}

/** Longer lists repeat kernels at other addresses, as a sequence does: equal ones share one function of addresses. */
const longList = 128;

/** Equal keys mean equal code, up to addresses; 1 / −0 is not 1 / 0. */
const keyOf = (kernel: PrintedKernel): string =>
  `${kernelKey(kernel)} ${kernelConstants(kernel).flatMap((value) => [value, 1 / value])}`;

/** @param name  Of the function of addresses that equal kernels share; the kernel itself if it has one of its own. */
function call(kernel: PrintedKernel, { scratch, print }: KernelPrinter, name: unknown): PrintedList {
  return {
    scratch,
    print: (f, addressOf, working) => {
      const addresses = kernelViews(kernel).map(addressOf);
      const passed = name === kernel ? [] : addresses.map(integer);
      const printed = f.module.named(
        name,
        passed.map(() => "i32"),
        [],
        (g, ...parameters) => {
          const starts = parameters.map(({ get }): Start => ({ base: get, offset: 0 }));
          const at = (offset: number): Start => ({ base: null, offset });
          print(g, name === kernel ? addresses.map(at) : starts, at(working), "printed");
        },
      );
      f.call(printed, ...passed);
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

const loadWord =
  (offset: number): Code =>
  (f) =>
    f.load("i32.load", { base: null, offset });

/** Writes a row at the place that a cell counts, and counts on; nothing where there is no place left. */
function printAppend(f: FunctionBody, { inputs, outputs }: RoutineKernel, addressOf: (view: View) => number): void {
  const [row] = inputs as [View];
  const [values, place] = outputs as [View, View];
  const bytes = bytesPerElement(values.dtype) * sizeOf(row.shape);
  const at = addressOf(place);
  const [load, store, size] =
    values.dtype === "bool" ? (["i32.load8_u", "i32.store8", 1] as const) : (["i32.load", "i32.store", 4] as const);
  f.if(binary("i32.lt_u", loadWord(at), integer(values.shape[0] as number)), () => {
    f.scope(() => {
      const base = f.let("i32", binary("i32.mul", loadWord(at), integer(bytes)));
      for (let k = 0; k < bytes; k += size) {
        f.store(store, { base, offset: addressOf(values) + k }, (g) =>
          g.load(load, { base: null, offset: addressOf(row) + k }),
        );
      }
      f.store("i32.store", { base: null, offset: at }, binary("i32.add", loadWord(at), integer(1)));
    });
  });
}

/** Writes what a test found to the fault cell, unless that names a fault already. */
function printCheck(
  f: FunctionBody,
  { inputs, outputs, attributes }: RoutineKernel,
  addressOf: (view: View) => number,
): void {
  const first = loadWord(addressOf(inputs[0] as View));
  const cell = addressOf(outputs[0] as View);
  const found = binary("i32.ne", first, integer(noFault));
  const clear: Code = (g) => {
    loadWord(cell)(g);
    g.emit("i32.eqz");
  };
  f.if(binary("i32.and", found, clear), () => {
    const words = ["code", "node", "parameter"].map((name) => integer(attributes[name] as number));
    [...words, first].forEach((word, k) => f.store("i32.store", { base: null, offset: cell + 4 * k }, word));
  });
}
