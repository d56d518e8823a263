import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import type { Factors, Monoid } from "../../kernel/kernel.js";
import { normalize, type Expression, type Normalized } from "../../scalar/expression.js";
import { operation } from "../../scalar/operations.js";
import type { ColumnFunction, LoopFunction, Numbers } from "./compile.js";
import { factorViews } from "../../kernel/column-structure.js";
import { quantileOf, sortColumn } from "./order-statistics.js";
import type { Arithmetic } from "./print.js";

/**
 * The same loops as the printed ones, walked in plain JavaScript. They run where a content security policy forbids
 * printing, and they are what the printed kernels are tested against.
 */
type Formula = (inputs: (index: number) => number, constants: readonly number[]) => number;

function wrap(value: number, arithmetic: Arithmetic): number {
  return arithmetic === "int32" ? value | 0 : value >>> 0;
}

function formula({ nodes }: Normalized, arithmetic: Arithmetic): Formula {
  const values = new Float64Array(nodes.length);
  const steps = nodes.map((node): Formula => {
    if (node.kind === "input") return (inputs) => inputs(node.index);
    if (node.kind === "slot") return (_, constants) => constants[node.slot] as number;
    const { js, jsInteger } = operation(node.operation);
    const wraps = arithmetic !== "floating" && jsInteger !== undefined;
    const { evaluate } = wraps ? jsInteger : js;
    const args = new Array<number>(node.arguments.length);
    return () => {
      for (let k = 0; k < args.length; k++) args[k] = values[node.arguments[k] as number] as number;
      const value = evaluate(...args);
      return wraps ? wrap(value, arithmetic) : value;
    };
  });
  return (inputs, constants) => {
    for (let i = 0; i < steps.length; i++) values[i] = (steps[i] as Formula)(inputs, constants);
    return values[nodes.length - 1] as number;
  };
}

/** Calls `visit` with one pointer per operand for every point of the axes from … to − 1. */
function walk(
  from: number,
  to: number,
  extents: readonly number[],
  strides: readonly (readonly number[])[],
  pointers: readonly number[],
  visit: (pointers: readonly number[]) => void,
): void {
  if (from === to) {
    visit(pointers);
    return;
  }
  for (let i = 0; i < (extents[from] as number); i++) {
    const moved = pointers.map((p, k) => p + i * ((strides[k] as readonly number[])[from] as number));
    walk(from + 1, to, extents, strides, moved, visit);
  }
}

export function interpretMap(
  f: Normalized,
  _rank: number,
  indices: readonly boolean[],
  arithmetic: Arithmetic,
): LoopFunction {
  const body = formula(f, arithmetic);
  return (buffers, offsets, strides, extents, constants) => {
    walk(0, extents.length, extents, strides, offsets, (p) => {
      (buffers[0] as Numbers)[p[0] as number] = body((k) => load(buffers, indices, p, k), constants);
    });
  };
}

function load(buffers: readonly Numbers[], indices: readonly boolean[], p: readonly number[], k: number): number {
  const pointer = p[k + 1] as number;
  return indices[k] ? pointer : ((buffers[k + 1] as Numbers)[pointer] as number);
}

/** One reduction: feed values, then take the result. */
function accumulator(monoid: Monoid, arithmetic: Arithmetic): { push(value: number): void; result(): number } {
  let value = monoid === "product" ? 1 : monoid === "max" ? -Infinity : monoid === "min" ? Infinity : 0;
  let at = -1;
  let count = 0;
  return {
    push(v) {
      if (monoid === "sum") value = arithmetic === "floating" ? value + v : wrap(value + v, arithmetic);
      else if (monoid === "product")
        value = arithmetic === "floating" ? value * v : wrap(Math.imul(value, v), arithmetic);
      else if (monoid === "max") value = Math.max(value, v);
      else if (monoid === "min") value = Math.min(value, v);
      else {
        const better = monoid === "argmax" ? v > value : v < value;
        if (at < 0 || better || (Number.isNaN(v) && !Number.isNaN(value))) {
          value = v;
          at = count;
        }
        count++;
      }
    },
    result: () => (monoid === "argmax" || monoid === "argmin" ? at : value),
  };
}

export function interpretReduce(
  f: Normalized,
  monoid: Monoid,
  epilogue: Normalized | null,
  kept: number,
  _reduced: number,
  indices: readonly boolean[],
  arithmetic: Arithmetic,
): LoopFunction {
  const body = formula(f, arithmetic);
  const after = epilogue && formula(epilogue, arithmetic);
  return (buffers, offsets, strides, extents, constants) => {
    const afterwards = constants.slice(f.constants.length);
    walk(0, kept, extents, strides, offsets, (outer) => {
      const total = accumulator(monoid, arithmetic);
      walk(kept, extents.length, extents, strides, outer, (p) =>
        total.push(body((k) => load(buffers, indices, p, k), constants)),
      );
      const result = total.result();
      (buffers[0] as Numbers)[outer[0] as number] = after ? after(() => result, afterwards) : result;
    });
  };
}

export function interpretContract(epilogue: Normalized | null): LoopFunction {
  const after = epilogue && formula(epilogue, "floating");
  return (buffers, offsets, strides, extents, constants) => {
    const [batches, rows, columns, depth] = extents as readonly [number, number, number, number];
    const at = (k: number, i: number, j: number, l: number) =>
      (offsets[k] as number) + i * stride(strides, k, 0) + j * stride(strides, k, 1) + l * stride(strides, k, 2);
    for (let b = 0; b < batches; b++) {
      for (let m = 0; m < rows; m++) {
        for (let n = 0; n < columns; n++) {
          let sum = 0;
          for (let k = 0; k < depth; k++) {
            const left =
              (offsets[1] as number) +
              b * stride(strides, 1, 0) +
              m * stride(strides, 1, 1) +
              k * stride(strides, 1, 3);
            const right =
              (offsets[2] as number) +
              b * stride(strides, 2, 0) +
              k * stride(strides, 2, 3) +
              n * stride(strides, 2, 2);
            sum += ((buffers[1] as Numbers)[left] as number) * ((buffers[2] as Numbers)[right] as number);
          }
          (buffers[0] as Numbers)[at(0, b, m, n)] = after
            ? after((k) => (k === 0 ? sum : ((buffers[k + 2] as Numbers)[at(k + 2, b, m, n)] as number)), constants)
            : sum;
        }
      }
    }
  };
}

const stride = (strides: readonly (readonly number[])[], k: number, axis: number) =>
  (strides[k] as readonly number[])[axis] as number;

export function interpretColumn(program: ColumnTrace, factors: Factors): ColumnFunction {
  const registers = new Float64Array(program.registers);
  const read = (k: number) => registers[k] as number;
  const formulas = new Map<Expression, Formula>();
  const value = (e: Expression) => {
    let f = formulas.get(e);
    const normal = normalize(e);
    if (f === undefined) formulas.set(e, (f = formula(normal, "floating")));
    return f(read, normal.constants);
  };
  return (buffers, offsets, strides, extents, _constants, vectors, scratch) => {
    const order = scratch[scratch.length - 1] as Float64Array;
    const run = (list: readonly ColumnStatement[]): void => {
      for (const s of list) {
        switch (s.kind) {
          case "map": {
            const source = vectors[s.source] as Float64Array;
            const target = vectors[s.vector] as Float64Array;
            source.forEach((element, n) => {
              registers[s.element] = element;
              target[n] = value(s.f);
            });
            break;
          }
          case "sorted":
            (vectors[s.vector] as Float64Array).set(vectors[s.source] as Float64Array);
            sortColumn(vectors[s.vector] as Float64Array);
            break;
          case "slice":
            (vectors[s.vector] as Float64Array).set((vectors[s.source] as Float64Array).subarray(s.start, s.stop));
            break;
          case "reduce": {
            const source = vectors[s.source] as Float64Array;
            const total = accumulator(s.monoid === "mean" ? "sum" : s.monoid, "floating");
            source.forEach((element) => {
              registers[s.element] = element;
              total.push(value(s.f));
            });
            registers[s.register] = s.monoid === "mean" ? total.result() / source.length : total.result();
            break;
          }
          case "quantile":
            registers[s.register] = quantileOf(vectors[s.source] as Float64Array, order, s.q);
            break;
          case "let":
            registers[s.register] = value(s.f);
            break;
          case "iterate": {
            registers[s.register] = value(s.initial);
            const limit = value(s.tolerance);
            for (let turn = 0; turn < s.maximum; turn++) {
              run(s.body);
              const next = value(s.next);
              const change = Math.abs(next - (registers[s.register] as number));
              registers[s.register] = next;
              if (change <= limit) break;
            }
          }
        }
      }
    };
    const views = factorViews(factors).views.length;
    const at = (view: number, ...index: number[]) =>
      (buffers[view] as Numbers)[
        index.reduce((p, i, axis) => p + i * stride(strides, view, axis), offsets[view] as number)
      ] as number;
    const features = (extents[0] as readonly number[])[0] as number;
    for (let d = 0; d < features; d++) {
      valuesOf(factors, d, at, extents, { view: 1 }).forEach((v, n) => ((vectors[0] as Float64Array)[n] = v));
      for (let k = 0; k < program.operands; k++) registers[k] = at(1 + views + k, d);
      run(program.statements);
      (buffers[0] as Numbers)[(offsets[0] as number) + d * stride(strides, 0, 0)] = value(program.result);
    }
  };
}

/** The values of coordinate d, by the definition of each factor source. */
function valuesOf(
  factors: Factors,
  d: number,
  at: (view: number, ...index: number[]) => number,
  extents: readonly (readonly number[])[],
  next: { view: number },
): number[] {
  const extent = (view: number, axis: number) => (extents[view] as readonly number[])[axis] as number;
  const each = (count: number, f: (k: number) => number) => Array.from({ length: count }, (_, k) => f(k));
  switch (factors.kind) {
    case "dense": {
      const rows = next.view++;
      return each(extent(rows, 0), (n) => at(rows, n, d));
    }
    case "expanded": {
      const delta = next.view++;
      const x = next.view++;
      const p = extent(x, 2);
      return each(extent(delta, 0), (n) =>
        each(extent(delta, 1), (t) => at(delta, n, t, Math.floor(d / p)) * at(x, n, t, d % p)).reduce(
          (a, b) => a + b,
          0,
        ),
      );
    }
    case "mixed": {
      const weights = next.view++;
      const base = valuesOf(factors.base, d, at, extents, next);
      return each(extent(weights, 0), (m) =>
        base.reduce((sum, v, n) => (at(weights, m, n) === 0 ? sum : sum + at(weights, m, n) * v), 0),
      );
    }
    case "summed":
      return factors.parts
        .map((part) => valuesOf(part, d, at, extents, next))
        .reduce((sum, values) => sum.map((v, n) => v + (values[n] as number)));
  }
}
