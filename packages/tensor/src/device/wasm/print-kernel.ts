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
  switch (kernel.form) {
    case "map":
      return normalize(kernel.f).constants;
    case "reduce": {
      const { constants } = normalize(kernel.f);
      return kernel.epilogue === null ? constants : [...constants, ...normalize(kernel.epilogue).constants];
    }
    case "contract":
      return kernel.epilogue === null ? [] : normalize(kernel.epilogue).constants;
    case "column":
      return columns.module.columnConstants(kernel);
  }
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
  switch (kernel.form) {
    case "map": {
      let key = `m ${formulaKey(normalize(kernel.f))} ${kernel.out.shape.join()} ${operandKey(kernel.out)}`;
      for (const operand of kernel.operands) key += ` ${operandKey(operand)}`;
      return key;
    }
    case "reduce": {
      const { monoid, f, epilogue, shape, axes, out } = kernel;
      const after = epilogue === null ? "" : formulaKey(normalize(epilogue));
      let key = `r ${monoid} ${formulaKey(normalize(f))}>${after} ${shape.join()} ${axes.join()} ${operandKey(out)}`;
      for (const operand of kernel.operands) key += ` ${operandKey(operand)}`;
      const [a, b] = kernel.operands as readonly Partial<View>[];
      // Half of the work may do where both operands are the same elements.
      return a?.storage?.buffer === b?.storage?.buffer && a?.offset === b?.offset ? `${key} =` : key;
    }
    case "contract": {
      const { out, a, epilogue } = kernel;
      let key = `c ${epilogue === null ? "" : formulaKey(normalize(epilogue))} ${out.shape.join()} ${a.shape[2]}`;
      for (const view of kernelViews(kernel)) key += ` ${operandKey(view)}`;
      return key;
    }
    case "column":
      return `k ${columns.module.columnKernelKey(kernel)}`;
  }
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
