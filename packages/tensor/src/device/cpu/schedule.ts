import type { DType } from "../../dtype.js";
import { mergeAxes } from "../../kernel/access.js";
import { columnFormulas, columnKey, factorsKey, factorViews } from "../../kernel/column-structure.js";
import {
  factorsShape,
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
import { isRowMajor } from "../../layout.js";
import { sizeOf } from "../../shape.js";
import { normalize } from "../../scalar/expression.js";
import { elementsOf } from "./buffer.js";
import {
  compileColumn,
  compileContract,
  compileMap,
  compileReduce,
  compileUnitMap,
  type ColumnFunction,
  type LoopFunction,
  type Numbers,
} from "./compile.js";
import { interpretColumn, interpretContract, interpretMap, interpretReduce } from "./interpret.js";
import type { Arithmetic } from "./print.js";
import { runRoutine } from "./routines.js";

const none: readonly never[] = [];

const valuesOf = (operand: Operand): Numbers => (isIndex(operand) ? none : elementsOf(operand));
const offsetOf = (operand: Operand) => (isIndex(operand) ? 0 : operand.offset);

function arithmeticOf(operands: readonly Operand[]): Arithmetic {
  for (const operand of operands) {
    if (isIndex(operand)) continue;
    if (operand.dtype === "int32" || operand.dtype === "uint32") return operand.dtype;
    if (operand.dtype !== "bool") return "floating";
  }
  return "floating";
}

/**
 * A number beside float32 elements is a float32 number, on this device as on those that compute in float32: without
 * that x.equal(0.1) would never hold.
 */
function constantsFor(constants: readonly number[], out: View, operands: readonly Operand[]): readonly number[] {
  if (constants.length === 0 || (out.dtype !== "float32" && out.dtype !== "bool")) return constants;
  const single = operands.some((operand) => !isIndex(operand) && operand.dtype === "float32");
  return single ? constants.map(Math.fround) : constants;
}

function operandStrides(operand: Operand, rank: number): readonly number[] {
  if (!isIndex(operand)) return operand.strides;
  return Array.from({ length: rank }, (_, axis) => (axis === operand.axis ? 1 : 0));
}

const dtypeKey = (operand: Operand): DType | "index" => (isIndex(operand) ? "index" : operand.dtype);

const dtypeNumbers = { float32: 1, float64: 2, int32: 3, uint32: 4, bool: 5, index: 6 } as const;

/** What tells loops of one formula apart besides it: how many axes they nest and what they read and write. */
function signatureOf(outer: number, inner: number, out: View, operands: readonly Operand[]): number | string {
  // A number is found much faster than a text, as long as it is exact.
  if (operands.length > 12) return `${outer} ${inner} ${[out, ...operands].map(dtypeKey).join()}`;
  let signature = (outer * 16 + inner) * 8 + dtypeNumbers[out.dtype];
  for (const operand of operands) signature = signature * 8 + dtypeNumbers[dtypeKey(operand)];
  return signature;
}

/** Loops without axes: one index goes over all elements. */
const unit = -1;

/** True where element i of every operand is element i of its storage. */
function isUnit(views: readonly Operand[]): boolean {
  for (const view of views) if (isIndex(view) || view.offset !== 0 || !isRowMajor(view)) return false;
  return true;
}

/**
 * Turns kernels into calls. A kernel's structure is compiled once (or interpreted where compiling is forbidden);
 * buffers, strides, extents and constants are arguments of the compiled loop.
 */
export class CpuSchedule {
  readonly #compiles: boolean;
  readonly #loops = new Map<string, Map<number | string, LoopFunction>>();
  readonly #columns = new Map<string, ColumnFunction>();

  constructor(compiles: boolean) {
    this.#compiles = compiles;
  }

  run(kernel: Kernel): void {
    this.prepare(kernel)();
  }

  /** The kernel bound to its buffers, for running it again and again. */
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
        return () => runRoutine(kernel, elementsOf);
      case "iterate":
        return this.#iterate(kernel);
    }
  }

  #loop(formula: string, signature: number | string, make: () => LoopFunction): LoopFunction {
    let loops = this.#loops.get(formula);
    if (loops === undefined) this.#loops.set(formula, (loops = new Map()));
    let loop = loops.get(signature);
    if (loop === undefined) loops.set(signature, (loop = make()));
    return loop;
  }

  #map({ out, f, operands }: MapKernel): () => void {
    const normal = normalize(f);
    const views = [out, ...operands];
    const buffers = views.map(valuesOf);
    const constants = constantsFor(normal.constants, out, operands);
    if (this.#compiles && isUnit(views)) {
      const loop = this.#loop(normal.key, signatureOf(unit, 0, out, operands), () =>
        compileUnitMap(normal, operands.length, arithmeticOf(operands)),
      );
      const count = [sizeOf(out.shape)];
      return () => loop(buffers, none, none, count, constants);
    }
    const rank = out.shape.length;
    const { extents, strides } = mergeAxes(
      out.shape,
      views.map((view) => operandStrides(view, rank)),
    );
    const make = this.#compiles ? compileMap : interpretMap;
    const loop = this.#loop(normal.key, signatureOf(extents.length, 0, out, operands), () =>
      make(normal, extents.length, operands.map(isIndex), arithmeticOf(operands)),
    );
    const offsets = views.map(offsetOf);
    return () => loop(buffers, offsets, strides, extents, constants);
  }

  #reduce({ out, shape, axes, monoid, f, epilogue, operands }: ReduceKernel): () => void {
    const normal = normalize(f);
    const after = epilogue && normalize(epilogue);
    const rank = shape.length;
    const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const all = operands.map((operand) => operandStrides(operand, rank));
    const pick = (order: readonly number[]) => (strides: readonly number[]) =>
      order.map((axis) => strides[axis] as number);
    const outer = mergeAxes(pick(kept)(shape), [out.strides, ...all.map(pick(kept))]);
    const zeros = axes.map(() => 0);
    const inner = mergeAxes(pick(axes)(shape), [zeros, ...all.map(pick(axes))]);
    const extents = [...outer.extents, ...inner.extents];
    const strides = outer.strides.map((s, k) => [...s, ...(inner.strides[k] as readonly number[])]);
    const [rankOuter, rankInner] = [outer.extents.length, inner.extents.length];
    const make = this.#compiles ? compileReduce : interpretReduce;
    const loop = this.#loop(
      `${monoid} ${normal.key}>${after ? after.key : ""}`,
      signatureOf(rankOuter, rankInner, out, operands),
      () => make(normal, monoid, after, rankOuter, rankInner, operands.map(isIndex), arithmeticOf(operands)),
    );
    const views = [out, ...operands];
    const buffers = views.map(valuesOf);
    const offsets = views.map(offsetOf);
    const own = constantsFor(normal.constants, out, operands);
    const constants = after ? [...own, ...after.constants] : own;
    return () => loop(buffers, offsets, strides, extents, constants);
  }

  #contract({ out, a, b, epilogue, operands }: ContractKernel): () => void {
    const after = epilogue && normalize(epilogue);
    const views = [out, a, b, ...operands];
    const make = this.#compiles ? compileContract : interpretContract;
    const loop = this.#loop(`contract>${after ? after.key : ""}`, signatureOf(0, 0, out, [a, b, ...operands]), () =>
      make(after, operands.length),
    );
    // Axes of every operand in the order batch, m, n, k; 0 where it has none.
    const placed = (view: View) => [view.strides[0] as number, view.strides[1] as number, view.strides[2] as number, 0];
    const strides = [
      placed(out),
      [a.strides[0] as number, a.strides[1] as number, 0, a.strides[2] as number],
      [b.strides[0] as number, 0, b.strides[2] as number, b.strides[1] as number],
      ...operands.map(placed),
    ];
    const extents = [...out.shape, a.shape[2] as number];
    const buffers = views.map(elementsOf);
    const offsets = views.map((view) => view.offset);
    const constants = after ? after.constants : [];
    return () => loop(buffers, offsets, strides, extents, constants);
  }

  #column({ out, program, factors, operands }: ColumnKernel): () => void {
    const { views, columns } = factorViews(factors);
    const all = [out, ...views, ...operands];
    let loop: ColumnFunction | undefined;
    if (this.#compiles) {
      const key = `${factorsKey(factors)} ${out.dtype} ${operands.map(dtypeKey).join()} ${columnKey(program)}`;
      loop = this.#columns.get(key);
      if (loop === undefined) this.#columns.set(key, (loop = compileColumn(program, factors)));
    } else loop = interpretColumn(program, factors);
    const { samples } = factorsShape(factors);
    const lengths = columnLengths(program, samples);
    const buffers = all.map(elementsOf);
    const offsets = all.map((view) => view.offset);
    const strides = all.map((view) => view.strides);
    const extents = all.map((view) => view.shape);
    const constants = columnFormulas(program).flatMap((f) => normalize(f).constants);
    const column = loop;
    return () => {
      const vectors = lengths.map((length) => new Float64Array(length));
      const scratch = [...columns, samples].map((length) => new Float64Array(length));
      column(buffers, offsets, strides, extents, constants, vectors, scratch);
    };
  }

  #iterate({ body, copies, until, maximum }: IterateKernel): () => void {
    const calls = body.map((kernel) => this.prepare(kernel));
    return () => {
      for (let turn = 0; turn < maximum; turn++) {
        for (const call of calls) call();
        const stop = until !== null && elementsOf(until)[until.offset] !== 0;
        for (const { from, to } of copies) {
          const source = elementsOf(from) as Float64Array;
          (elementsOf(to) as Float64Array).set(
            source.subarray(from.offset, from.offset + sizeOf(from.shape)),
            to.offset,
          );
        }
        if (stop) break;
      }
    };
  }
}

/** Lengths of a program's vectors, in order. */
function columnLengths(program: ColumnKernel["program"], samples: number): number[] {
  const lengths = [samples];
  const visit = (statements: ColumnKernel["program"]["statements"]) => {
    for (const s of statements) {
      if (s.kind === "iterate") visit(s.body);
      else if (s.kind === "slice") lengths[s.vector] = s.stop - s.start;
      else if (s.kind === "map" || s.kind === "sorted") lengths[s.vector] = lengths[s.source] as number;
    }
  };
  visit(program.statements);
  return lengths;
}
