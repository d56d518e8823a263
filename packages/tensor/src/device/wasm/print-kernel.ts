import type { Code, FunctionBody } from "./assembler.js";
import { bakedConstants } from "./constants.js";
import { emitContract, planContract, planSquares } from "./contract.js";
import { staysIntegral, type Constants } from "./formula.js";
import type { Start } from "./loops.js";
import { emitMap, indexStart, planMap } from "./map.js";
import { Part } from "./part.js";
import { emitReduce, planReduce } from "./reduce.js";
import {
  isIndex,
  type ColumnKernel,
  type ContractKernel,
  type MapKernel,
  type Operand,
  type ReduceKernel,
  type View,
} from "../../kernel/kernel.js";
import { normalize, type Normalized } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";

export const columns = new Part("column programs", () => import("./column.js"));

/** Kernels that are printed; the others are loops of kernels and routines in JavaScript. */
export type PrintedKernel = MapKernel | ReduceKernel | ContractKernel | ColumnKernel;

/** Views of a kernel in the order in which its printer takes their addresses; index operands have none. */
export function kernelViews(kernel: PrintedKernel): readonly View[] {
  switch (kernel.form) {
    case "map":
    case "reduce":
      return [kernel.out, ...kernel.operands.filter((operand): operand is View => !isIndex(operand))];
    case "contract":
      return [kernel.out, kernel.a, kernel.b, ...kernel.operands];
    case "column":
      return columns.module.columnViews(kernel);
  }
}

/** Constants of all formulas of a kernel, in the order in which its printer numbers them. */
export function kernelConstants(kernel: PrintedKernel): readonly number[] {
  if (kernel.form === "column") return columns.module.columnConstants(kernel);
  const before = kernel.form === "contract" ? [] : normalize(kernel.f).constants;
  const epilogue = kernel.form === "map" ? null : kernel.epilogue;
  return epilogue === null ? before : [...before, ...normalize(epilogue).constants];
}

/** What of a formula's constants decides how it is printed. */
const traits = new WeakMap<Normalized, string>();

function formulaKey(f: Normalized): string {
  let known = traits.get(f);
  if (known === undefined) {
    known = `${f.key}${staysIntegral(f) ? "n" : ""}${f.constants.some(Number.isNaN) ? "!" : ""}`;
    traits.set(f, known);
  }
  return known;
}

function operandKey(operand: Operand): string {
  return isIndex(operand) ? `@${operand.axis}` : `${operand.dtype}:${operand.strides.join()}`;
}

/** Equal keys mean equal code, up to addresses and the values of constants. */
export function kernelKey(kernel: PrintedKernel): string {
  if (kernel.form === "column") return `k ${columns.module.columnKernelKey(kernel)}`;
  const after = kernel.form === "map" || kernel.epilogue === null ? "" : formulaKey(normalize(kernel.epilogue));
  let key = `${kernel.form} ${after} ${kernel.out.shape.join()}`;
  if (kernel.form === "contract") key += ` ${kernel.a.shape[2]}`;
  else key += ` ${formulaKey(normalize(kernel.f))}`;
  if (kernel.form === "reduce") key += ` ${kernel.monoid} ${kernel.shape.join()} ${kernel.axes.join()}`;
  const operands = kernel.form === "contract" ? kernelViews(kernel) : [kernel.out, ...kernel.operands];
  for (const operand of operands) key += ` ${operandKey(operand)}`;
  // Half of the work may do where both operands are the same elements.
  const [, a, b] = operands as readonly Partial<View>[];
  return a?.storage?.buffer === b?.storage?.buffer && a?.offset === b?.offset ? `${key} =` : key;
}

/** Where the numbers of formulas come from: f64 values that code pushes, or printed into the code. */
export type ConstantSource =
  | {
      /** The same numbers, spread over lanes already. */
      readonly spread: Constants;
      readonly parameters: readonly Code[];
    }
  | "printed";

/** A kernel that knows how to print itself. */
export interface KernelPrinter {
  /** Bytes of working memory it needs, 16-byte aligned. */
  readonly scratch: number;
  /**
   * Prints into a function, at its present end.
   *
   * @param starts   Addresses of {@link kernelViews}, offsets included: constants or locals.
   * @param scratch  Address of the working memory; kernels that run after one another may share it.
   */
  readonly print: (f: FunctionBody, starts: readonly Start[], scratch: Start, constants: ConstantSource) => void;
}

/** Starts of all operands from those of the views among them. */
export function operandStarts(operands: readonly Operand[], views: readonly Start[]): Start[] {
  let next = 0;
  return operands.map((operand) => (isIndex(operand) ? indexStart : (views[next++] as Start)));
}

/** @param values  {@link kernelConstants}, for those that are printed. */
export function constantsFrom(source: ConstantSource, values: readonly number[]): Constants {
  return source === "printed" ? bakedConstants(values) : source.spread;
}

/** Decides how a kernel is to be printed. */
export function kernelPrinter(kernel: PrintedKernel, relaxed: boolean): KernelPrinter {
  const values = kernelConstants(kernel);
  const spread = (source: ConstantSource): Constants => constantsFrom(source, values);
  if (sizeOf(kernel.out.shape) === 0) return { scratch: 0, print() {} };
  switch (kernel.form) {
    case "map":
      return {
        scratch: 0,
        print: (f, [out, ...rest], _, constants) => {
          emitMap(
            f,
            planMap(kernel, relaxed),
            [out as Start, ...operandStarts(kernel.operands, rest)],
            spread(constants),
          );
        },
      };
    case "contract":
    case "reduce": {
      const product = kernel.form === "contract" ? planContract(kernel, relaxed) : planSquares(kernel, relaxed);
      if (product !== null) {
        return {
          scratch: product.scratch,
          print: (f, starts, scratch, constants) => emitContract(f, product, starts, scratch, spread(constants)),
        };
      }
      const reduction = kernel as ReduceKernel;
      const own = normalize(reduction.f).constants.length;
      return {
        scratch: 0,
        print: (f, [out, ...rest], _, constants) => {
          const all = spread(constants);
          const after: Constants = (slot, type) => all(own + slot, type);
          emitReduce(
            f,
            planReduce(reduction, relaxed),
            [out as Start, ...operandStarts(reduction.operands, rest)],
            all,
            after,
          );
        },
      };
    }
    case "column": {
      const { emitColumn, planColumn } = columns.module;
      const plan = planColumn(kernel, relaxed);
      return {
        scratch: plan.scratch,
        print: (f, starts, scratch, constants) => {
          emitColumn(
            f,
            plan,
            starts,
            scratch,
            constants === "printed" ? { values } : { parameters: constants.parameters },
          );
        },
      };
    }
  }
}
