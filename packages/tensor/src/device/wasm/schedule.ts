import { bytesPerElement, type TypedArray } from "../../dtype.js";
import {
  isIndex,
  type ColumnKernel,
  type ContractKernel,
  type IterateKernel,
  type Kernel,
  type MapKernel,
  type Operand,
  type ReduceKernel,
  type View,
} from "../../kernel/kernel.js";
import { normalize, type Normalized } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import { bodyFunctions } from "../../scalar/operations.js";
import { ModuleBuilder, type Code, type FunctionBody, type ImportedFunction } from "./assembler.js";
import { withParameters } from "./constants.js";
import { emitContract, planContract } from "./contract.js";
import { staysIntegral, type Constants } from "./formula.js";
import { columnConstants, columnKernelKey, columnViews, emitColumn, planColumn } from "./column.js";
import type { Start } from "./loops.js";
import { emitMap, planMap, startsOf } from "./map.js";
import { kindOf } from "./operands.js";
import type { Block, LinearMemory } from "./memory.js";
import { emitReduce, planReduce } from "./reduce.js";
import { runRoutine } from "./routines.js";

/** A compiled kernel: addresses in bytes, then constants. */
type Run = (...args: number[]) => void;

interface Compiled {
  readonly run: Run;
  /** Bytes of working memory; its address comes last among the addresses. */
  readonly scratch: number;
}

/** What modules import from JavaScript: see {@link importedFunctions}. */
const hostFunctions: Record<ImportedFunction, (...args: never[]) => number> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  pow: Math.pow,
  remainder: bodyFunctions.remainder,
};

interface Printing {
  readonly scratch: number;
  readonly print: (f: FunctionBody, starts: readonly Start[], constants: Constants, parameters: readonly Code[]) => void;
}

/** More compiled kernels than this are more than a program repeats. */
const mostKernels = 4096;

const addressOf = (view: View) => (view.storage.buffer as Block).address + view.offset * bytesPerElement(view.dtype);

/** What of a formula's constants decides how it is printed. */
const traits = new WeakMap<Normalized, string>();
function traitsOf(f: Normalized): string {
  let known = traits.get(f);
  if (known === undefined) traits.set(f, (known = `${staysIntegral(f) ? "n" : ""}${f.constants.some(Number.isNaN) ? "!" : ""}`));
  return known;
}

const formulaKey = (f: Normalized) => f.key + traitsOf(f);

function operandKey(operand: Operand): string {
  return isIndex(operand) ? `@${operand.axis}` : `${operand.dtype}:${operand.strides.join()}`;
}

/**
 * Turns kernels into calls. A module is printed and compiled once for each structure with its shapes and strides;
 * addresses and constants are arguments.
 */
export class WasmSchedule {
  readonly #memory: LinearMemory;
  readonly #relaxed: boolean;
  readonly #compiled = new Map<string, Compiled>();

  constructor(memory: LinearMemory, relaxed: boolean) {
    this.#memory = memory;
    this.#relaxed = relaxed;
  }

  run(kernel: Kernel): void {
    this.prepare(kernel)();
  }

  /** The kernel bound to its memory, for running it again and again. */
  prepare(kernel: Kernel): () => void {
    switch (kernel.form) {
      case "map":
        return this.#map(kernel);
      case "reduce":
        return this.#reduce(kernel);
      case "contract":
        return this.#contract(kernel);
      case "column":
        return this.#column(kernel);
      case "routine":
        return () => runRoutine(kernel, this.#memory);
      case "iterate":
        return this.#iterate(kernel);
    }
  }

  close(): void {
    this.#compiled.clear();
  }

  /** Compiles on first use. `print` gets a start for each address. */
  #kernel(
    key: string,
    addresses: number,
    constants: number,
    make: () => Printing,
  ): Compiled {
    let compiled = this.#compiled.get(key);
    if (compiled !== undefined) return compiled;
    const { scratch, print } = make();
    const module = new ModuleBuilder();
    const types = [...Array.from({ length: addresses }, () => "i32" as const), ...Array.from({ length: constants }, () => "f64" as const)];
    const index = module.function(types, [], (f, ...parameters) => {
      const starts = parameters.slice(0, addresses).map((parameter): Start => ({ base: parameter.get, offset: 0 }));
      const numbers = parameters.slice(addresses).map((parameter) => parameter.get);
      withParameters(f, numbers, (g, values) => print(g, starts, values, numbers));
    });
    module.export("run", index);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), {
      host: { memory: this.#memory.memory, ...hostFunctions },
    });
    if (this.#compiled.size >= mostKernels) this.#compiled.clear();
    this.#compiled.set(key, (compiled = { run: instance.exports["run"] as Run, scratch }));
    return compiled;
  }

  #map(kernel: MapKernel): () => void {
    const { out, operands } = kernel;
    const f = normalize(kernel.f);
    let key = `m ${formulaKey(f)} ${out.shape.join()} ${operandKey(out)}`;
    for (const operand of operands) key += ` ${operandKey(operand)}`;
    const { run } = this.#kernel(key, 1 + operands.length, f.constants.length, () => ({
      scratch: 0,
      print: (g, [written, ...read], constants) => {
        if (sizeOf(out.shape) === 0) return;
        const plan = planMap(kernel, this.#relaxed);
        const starts = startsOf(plan.operands, (k) => read[k] as Start);
        emitMap(g, plan, [written as Start, ...starts], constants);
      },
    }));
    const args = [addressOf(out)];
    for (const operand of operands) args.push(isIndex(operand) ? 0 : addressOf(operand));
    for (const constant of f.constants) args.push(constant);
    return () => run(...args);
  }

  #reduce(kernel: ReduceKernel): () => void {
    const { out, operands, shape, axes, monoid } = kernel;
    const f = normalize(kernel.f);
    const after = kernel.epilogue && normalize(kernel.epilogue);
    const numbers = after === null ? f.constants : [...f.constants, ...after.constants];
    let key = `r ${monoid} ${formulaKey(f)}>${after === null ? "" : formulaKey(after)} ${shape.join()} ${axes.join()} ${operandKey(out)}`;
    for (const operand of operands) key += ` ${operandKey(operand)}`;
    const { run } = this.#kernel(key, 1 + operands.length, numbers.length, () => ({
      scratch: 0,
      print: (g, [written, ...read], constants) => {
        if (sizeOf(out.shape) === 0) return;
        const plan = planReduce(kernel, this.#relaxed);
        const starts = startsOf(operands.map(kindOf), (k) => read[k] as Start);
        const rest: Constants = (slot, type) => constants(f.constants.length + slot, type);
        emitReduce(g, plan, [written as Start, ...starts], constants, rest);
      },
    }));
    const args = [addressOf(out)];
    for (const operand of operands) args.push(isIndex(operand) ? 0 : addressOf(operand));
    for (const number of numbers) args.push(number);
    return () => run(...args);
  }

  #contract(kernel: ContractKernel): () => void {
    const { out, a, b, operands } = kernel;
    const after = kernel.epilogue && normalize(kernel.epilogue);
    const views = [out, a, b, ...operands];
    let key = `c ${after === null ? "" : formulaKey(after)} ${out.shape.join()} ${a.shape[2]}`;
    for (const view of views) key += ` ${operandKey(view)}`;
    const constants = after === null ? [] : after.constants;
    const { run, scratch } = this.#kernel(key, views.length + 1, constants.length, () => {
      const plan = planContract(kernel, this.#relaxed);
      return {
        scratch: plan.scratch,
        print: (g, starts, values) => {
          const [written, left, right, ...rest] = starts as [Start, Start, Start, ...Start[]];
          const memory = rest.pop() as Start;
          emitContract(g, plan, { out: written, a: left, b: right, operands: rest, scratch: memory }, values);
        },
      };
    });
    const addresses = views.map(addressOf);
    return () => run(...addresses, this.#memory.scratch(scratch), ...constants);
  }

  #column(kernel: ColumnKernel): () => void {
    const views = columnViews(kernel);
    const constants = columnConstants(kernel);
    const { run, scratch } = this.#kernel(`k ${columnKernelKey(kernel)}`, views.length + 1, constants.length, () => {
      const plan = planColumn(kernel, this.#relaxed);
      return {
        scratch: plan.scratch,
        print: (g, starts, _, parameters) => {
          emitColumn(g, plan, starts.slice(0, -1), starts.at(-1) as Start, { parameters });
        },
      };
    });
    const addresses = views.map(addressOf);
    return () => run(...addresses, this.#memory.scratch(scratch), ...constants);
  }

  #iterate({ body, copies, until, maximum }: IterateKernel): () => void {
    const elements = (view: View): TypedArray => this.#memory.elements(view.storage.buffer as Block);
    const calls = body.map((kernel) => this.prepare(kernel));
    return () => {
      for (let turn = 0; turn < maximum; turn++) {
        for (const call of calls) call();
        const stop = until !== null && elements(until)[until.offset] !== 0;
        for (const { from, to } of copies) {
          const source = elements(from).subarray(from.offset, from.offset + sizeOf(from.shape));
          (elements(to) as Float64Array).set(source as Float64Array, to.offset);
        }
        if (stop) return;
      }
    };
  }
}
