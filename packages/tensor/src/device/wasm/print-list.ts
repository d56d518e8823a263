import { binary, integer, type Code, type FunctionBody } from "./assembler.js";
import { Part } from "./part.js";
import {
  kernelConstants,
  kernelKey,
  kernelPrinter,
  kernelViews,
  type KernelPrinter,
  type PrintedKernel,
} from "./print-kernel.js";
import type { Start } from "./loops.js";
import type { IterateKernel, Kernel, RoutineKernel, View } from "../../kernel/kernel.js";
import { isRowMajor } from "../../layout.js";
import { sizeOf } from "../../shape.js";
import { noFault } from "../faults.js";

const loops = new Part("loops", () => import("./print-loop.js"));
const histories = new Part("histories", () => import("./print-append.js"));

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
  const copies = new Map<unknown, number>();
  const keys = kernels.map((kernel) => {
    const key = keyOf(kernel);
    copies.set(key, (copies.get(key) ?? 0) + 1);
    return key;
  });
  const parts = kernels.map((kernel, k): PrintedList => {
    if (kernel.form === "iterate") return loops.module.planLoop(kernel, relaxed);
    if (kernel.form === "routine") {
      const print = kernel.name === "check" ? printCheck : histories.module.printAppend;
      return { scratch: 0, print: (f, addressOf) => print(f, kernel, addressOf) };
    }
    const shared = (copies.get(keys[k]) as number) > mostCopies;
    return call(kernel, kernelPrinter(kernel, relaxed), shared ? keys[k] : kernel);
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
const keyOf = (kernel: ListedKernel): unknown =>
  kernel.form === "routine" || kernel.form === "iterate"
    ? kernel
    : // 1 / −0 is not 1 / 0.
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

const loadWord =
  (offset: number): Code =>
  (f) =>
    f.load("i32.load", { base: null, offset });

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
