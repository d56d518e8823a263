import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import type { Start } from "./loops.js";
import {
  kernelConstants,
  kernelKey,
  kernelPrinter,
  kernelViews,
  type KernelPrinter,
  type PrintedKernel,
} from "./print-kernel.js";
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
  const keys = kernels.map(keyOf);
  const copies = new Map<string, number>();
  for (const key of keys) copies.set(key, (copies.get(key) ?? 0) + 1);
  const parts = kernels.map((kernel, k): PrintedList => {
    if (kernel.form === "iterate") return loop(kernel, relaxed);
    if (kernel.form === "routine") {
      const print = kernel.name === "check" ? printCheck : printAppend;
      return { scratch: 0, print: (f, addressOf) => print(f, kernel, addressOf) };
    }
    const key = keys[k] as string;
    const often = (copies.get(key) as number) > mostCopies;
    return call(kernel, kernelPrinter(kernel, relaxed), often ? key : null);
  });
  return {
    scratch: Math.max(0, ...parts.map((part) => part.scratch)),
    print: (f, addressOf, scratch) => {
      for (const part of parts) part.print(f, addressOf, scratch);
    },
  };
}

/** Kernels that are repeated more often, as those of a sequence are, share one function of their addresses. */
const mostCopies = 3;

/** Equal keys mean equal code, up to addresses. */
function keyOf(kernel: ListedKernel): string {
  if (kernel.form === "routine" || kernel.form === "iterate") return "";
  // 1 / −0 is not 1 / 0.
  return `${kernelKey(kernel)} ${kernelConstants(kernel)
    .map((value) => `${value}/${1 / value}`)
    .join()}`;
}

/** @param key  Names the function that equal kernels share; null for one with the addresses printed in. */
function call(kernel: PrintedKernel, printer: KernelPrinter, key: string | null): PrintedList {
  return {
    scratch: printer.scratch,
    print: (f, addressOf, scratch) => {
      const at = (offset: number): Start => ({ base: null, offset });
      const addresses = kernelViews(kernel).map(addressOf);
      const print = (g: FunctionBody, starts: readonly Start[]) => printer.print(g, starts, at(scratch), "printed");
      if (key === null) f.call(f.module.function([], [], (g) => print(g, addresses.map(at))));
      else {
        const types = addresses.map(() => "i32" as const);
        const shared = f.module.named(key, types, [], (g, ...all) =>
          print(
            g,
            all.map(({ get }) => ({ base: get, offset: 0 })),
          ),
        );
        f.call(shared, ...addresses.map(integer));
      }
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
  const bytes = bytesPerElement(values.dtype);
  const length = sizeOf(row.shape);
  const at = addressOf(place);
  const [load, store] = (
    { 1: ["i32.load8_u", "i32.store8"], 4: ["i32.load", "i32.store"], 8: ["f64.load", "f64.store"] } as const
  )[bytes as 1 | 4 | 8];
  f.if(binary("i32.lt_u", loadWord(at), integer(values.shape[0] as number)), () => {
    f.scope(() => {
      const base = f.let("i32", binary("i32.mul", loadWord(at), integer(length * bytes)));
      for (let k = 0; k < length; k++) {
        f.store(store, { base, offset: addressOf(values) + k * bytes }, (g) =>
          g.load(load, { base: null, offset: addressOf(row) + k * bytes }),
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
