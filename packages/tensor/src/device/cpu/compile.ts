import type { ColumnStatement, ColumnTrace } from "../../kernel/column.js";
import { factorViews } from "../../kernel/column-structure.js";
import type { Factors, Monoid } from "../../kernel/kernel.js";
import { normalize, type Expression, type Normalized } from "../../scalar/expression.js";
import { bodyFunctions } from "../../scalar/operations.js";
import { printFormula, type Arithmetic } from "./print.js";
import { quantileOf, sortColumn } from "./order-statistics.js";

export type Numbers = { [index: number]: number; readonly length: number };

/** A printed loop nest. `buffers[0]` is written; the rest is what the kernel reads. */
export type LoopFunction = (
  buffers: readonly Numbers[],
  offsets: readonly number[],
  strides: readonly (readonly number[])[],
  extents: readonly number[],
  constants: readonly number[],
) => void;

function evaluateSource<F>(parameters: string, source: string, scope: Readonly<Record<string, unknown>>): F {
  const make = new Function(...Object.keys(scope), `"use strict"; return function (${parameters}) {${source}};`) as (
    ...values: unknown[]
  ) => F;
  return make(...Object.values(scope));
}

/** True where the page's or process's policy lets printed JavaScript run. */
export function canCompile(): boolean {
  try {
    return (new Function("return 1") as () => number)() === 1;
  } catch {
    return false;
  }
}

const names = (count: number, name: (k: number) => string) => Array.from({ length: count }, (_, k) => name(k));
const slot = (k: number) => `k${k}`;

/** Declarations of buffers, strides and constants as locals. */
function declarations(operands: number, axes: number, constants: number, extents: string): string {
  let text = "";
  for (let k = 0; k < operands; k++) {
    text += `const b${k} = buffers[${k}];`;
    for (let axis = 0; axis < axes; axis++) text += `const s${k}_${axis} = strides[${k}][${axis}];`;
  }
  for (let axis = 0; axis < axes; axis++) text += `const e${axis} = ${extents}[${axis}];`;
  for (let k = 0; k < constants; k++) text += `const k${k} = constants[${k}];`;
  return text;
}

/** Nested loops over axes from … to − 1 that move one pointer per operand; `p{k}_{axis}` is operand k's inside axis. */
function nest(from: number, to: number, operands: readonly number[], body: string): string {
  let open = "";
  let close = "";
  for (let axis = from; axis < to; axis++) {
    const start = operands.map((k) => `p${k}_${axis} = p${k}_${level(axis - 1)}`);
    const step = operands.map((k) => `p${k}_${axis} += s${k}_${axis}`);
    open += `for (let i${axis} = 0, ${start.join(", ")}; i${axis} < e${axis}; i${axis}++, ${step.join(", ")}) {`;
    close += "}";
  }
  return open + body + close;
}

const starts = (operands: number) => `const ${names(operands, (k) => `p${k}_start = offsets[${k}]`).join(", ")};`;

/** `p{k}_start` outside all loops, `p{k}_{axis}` inside the loop over that axis. */
const level = (axis: number) => (axis < 0 ? "start" : String(axis));

/** Text of operand k (buffer k + 1, since 0 is written): an element, or the pointer itself for an index operand. */
const element = (indices: readonly boolean[], inside: string) => (k: number) =>
  indices[k] ? `p${k + 1}_${inside}` : `b${k + 1}[p${k + 1}_${inside}]`;

export function compileMap(
  f: Normalized,
  rank: number,
  indices: readonly boolean[],
  arithmetic: Arithmetic,
): LoopFunction {
  const operands = indices.length + 1;
  const inside = level(rank - 1);
  const { statements, value } = printFormula(f, element(indices, inside), slot, arithmetic, "t");
  const body = `${statements} b0[p0_${inside}] = ${value};`;
  const all = names(operands, String).map(Number);
  const source =
    declarations(operands, rank, f.constants.length, "extents") + starts(operands) + nest(0, rank, all, body);
  return evaluateSource("buffers, offsets, strides, extents, constants", source, bodyFunctions);
}

interface PrintedMonoid {
  readonly start: string;
  readonly step: (v: string) => string;
  readonly result: string;
}

/** A map whose element i takes element i of every operand's storage. */
export function compileUnitMap(f: Normalized, operands: number, arithmetic: Arithmetic): LoopFunction {
  const { statements, value } = printFormula(f, (k) => `b${k + 1}[i]`, slot, arithmetic, "t");
  const source =
    declarations(operands + 1, 0, f.constants.length, "extents") +
    `const e = extents[0]; for (let i = 0; i < e; i++) { ${statements} b0[i] = ${value}; }`;
  return evaluateSource("buffers, offsets, strides, extents, constants", source, bodyFunctions);
}

const monoids: Record<Monoid, PrintedMonoid> = {
  sum: { start: "let acc = 0;", step: (v) => `acc += ${v};`, result: "acc" },
  product: { start: "let acc = 1;", step: (v) => `acc *= ${v};`, result: "acc" },
  max: { start: "let acc = -Infinity;", step: (v) => `acc = Math.max(acc, ${v});`, result: "acc" },
  min: { start: "let acc = Infinity;", step: (v) => `acc = Math.min(acc, ${v});`, result: "acc" },
  argmax: winner(">"),
  argmin: winner("<"),
};

/** A monoid on the elements of a kernel; sums and products of integers wrap. */
function monoidOf(monoid: Monoid, arithmetic: Arithmetic): PrintedMonoid {
  if (arithmetic === "floating" || (monoid !== "sum" && monoid !== "product")) return monoids[monoid];
  const wrap = arithmetic === "int32" ? "| 0" : ">>> 0";
  const next = (v: string) => (monoid === "sum" ? `acc + ${v}` : `Math.imul(acc, ${v})`);
  return { ...monoids[monoid], step: (v) => `acc = (${next(v)}) ${wrap};` };
}

function winner(better: string): PrintedMonoid {
  return {
    start: "let best = 0, at = -1, count = 0;",
    step: (v: string) =>
      `const v = ${v}; if (at < 0 || v ${better} best || (v !== v && best === best)) { best = v; at = count; } count++;`,
    result: "at",
  };
}

export function compileReduce(
  f: Normalized,
  monoid: Monoid,
  epilogue: Normalized | null,
  kept: number,
  reduced: number,
  indices: readonly boolean[],
  arithmetic: Arithmetic,
): LoopFunction {
  const operands = indices.length + 1;
  const rank = kept + reduced;
  const outLevel = level(kept - 1);
  const inner = printFormula(f, element(indices, level(rank - 1)), slot, arithmetic, "t");
  const { start, step, result } = monoidOf(monoid, arithmetic);
  const offset = f.constants.length;
  const outer =
    epilogue &&
    printFormula(
      epilogue,
      () => "result",
      (k) => slot(offset + k),
      arithmetic,
      "u",
    );
  const write = outer
    ? `const result = ${result}; ${outer.statements} b0[p0_${outLevel}] = ${outer.value};`
    : `b0[p0_${outLevel}] = ${result};`;
  const reading = names(indices.length, (k) => String(k + 1)).map(Number);
  const body = start + nest(kept, rank, reading, inner.statements + step(inner.value)) + write;
  const source =
    declarations(operands, rank, offset + (epilogue?.constants.length ?? 0), "extents") +
    starts(operands) +
    nest(0, kept, [0, ...reading], body);
  return evaluateSource("buffers, offsets, strides, extents, constants", source, bodyFunctions);
}

/** Buffers: out, a, b, then epilogue operands; axes: batch, m, n, k. Four columns share each element of a. */
export function compileContract(epilogue: Normalized | null, operands: number): LoopFunction {
  const outs = operands + 1;
  const write = (column: number, sum: string) => {
    const at = (k: number) => `p${k} + (n + ${column}) * s${k}_2`;
    if (epilogue === null) return `b0[${at(0)}] = ${sum};`;
    const printed = printFormula(epilogue, (k) => (k === 0 ? sum : `b${k + 2}[${at(k + 2)}]`), slot, "floating", "t");
    return `{${printed.statements} b0[${at(0)}] = ${printed.value};}`;
  };
  const placed = [0, ...names(operands, (k) => String(k + 3)).map(Number)];
  const rows = placed.map((k) => `const p${k} = offsets[${k}] + batch * s${k}_0 + m * s${k}_1;`).join("");
  const source =
    declarations(outs + 2, 4, epilogue?.constants.length ?? 0, "extents") +
    `for (let batch = 0; batch < e0; batch++) for (let m = 0; m < e1; m++) {
      const pa = offsets[1] + batch * s1_0 + m * s1_1, pb = offsets[2] + batch * s2_0;
      ${rows}
      let n = 0;
      for (; n + 3 < e2; n += 4) {
        let c0 = 0, c1 = 0, c2 = 0, c3 = 0;
        let q = pb + n * s2_2;
        for (let k = 0, p = pa; k < e3; k++, p += s1_3, q += s2_3) {
          const v = b1[p];
          c0 += v * b2[q]; c1 += v * b2[q + s2_2]; c2 += v * b2[q + 2 * s2_2]; c3 += v * b2[q + 3 * s2_2];
        }
        ${[0, 1, 2, 3].map((c) => write(c, `c${c}`)).join("")}
      }
      for (; n < e2; n++) {
        let c0 = 0;
        for (let k = 0, p = pa, q = pb + n * s2_2; k < e3; k++, p += s1_3, q += s2_3) c0 += b1[p] * b2[q];
        ${write(0, "c0")}
      }
    }`;
  return evaluateSource("buffers, offsets, strides, extents, constants", source, bodyFunctions);
}

/** Runs a column program over all coordinates. Scratch vectors have the exact lengths the program needs. */
export type ColumnFunction = (
  buffers: readonly Numbers[],
  offsets: readonly number[],
  strides: readonly (readonly number[])[],
  extents: readonly (readonly number[])[],
  constants: readonly number[],
  vectors: readonly Float64Array[],
  scratch: readonly Float64Array[],
) => void;

/** Text that writes (or adds) the values of coordinate d into `target`. */
function fill(factors: Factors, target: string, add: boolean, next: { view: number; scratch: number }): string {
  const assign = add ? "+=" : "=";
  switch (factors.kind) {
    case "dense": {
      const v = next.view++;
      return `for (let n = 0, p = o${v} + d * s${v}_1, e = x${v}_0; n < e; n++, p += s${v}_0) ${target}[n] ${assign} b${v}[p];`;
    }
    case "expanded": {
      const v = next.view++;
      const x = next.view++;
      return `{
        const q = Math.floor(d / x${x}_2);
        const at = o${v} + q * s${v}_2, ax = o${x} + (d - q * x${x}_2) * s${x}_2, T = x${v}_1;
        for (let n = 0; n < x${v}_0; n++) {
          let acc = 0;
          for (let t = 0, p = at + n * s${v}_0, r = ax + n * s${x}_0; t < T; t++, p += s${v}_1, r += s${x}_1) acc += b${v}[p] * b${x}[r];
          ${target}[n] ${assign} acc;
        }
      }`;
    }
    case "mixed": {
      const w = next.view++;
      const scratch = `scratch${next.scratch++}`;
      return `{${fill(factors.base, scratch, false, next)}
        for (let m = 0; m < x${w}_0; m++) {
          let acc = 0;
          for (let n = 0, p = o${w} + m * s${w}_0; n < x${w}_1; n++, p += s${w}_1) { const w = b${w}[p]; if (w !== 0) acc += w * ${scratch}[n]; }
          ${target}[m] ${assign} acc;
        }
      }`;
    }
    case "summed":
      return factors.parts.map((part, k) => fill(part, target, add || k > 0, next)).join("");
  }
}

/** Buffers: out, then the factors' views, then per-feature operands. */
export function compileColumn(program: ColumnTrace, factors: Factors): ColumnFunction {
  const { views, columns } = factorViews(factors);
  let constants = 0;
  let unique = 0;
  const formula = (e: Expression) => {
    const normal = normalize(e);
    const first = constants;
    constants += normal.constants.length;
    return printFormula(
      normal,
      (k) => `r${k}`,
      (k) => slot(first + k),
      "floating",
      `t${unique++}_`,
    );
  };
  const length = (v: number) => `v${v}.length`;
  const print = (list: readonly ColumnStatement[]): string =>
    list
      .map((s) => {
        switch (s.kind) {
          case "map": {
            const f = formula(s.f);
            return `for (let n = 0; n < ${length(s.source)}; n++) { const r${s.element} = v${s.source}[n]; ${f.statements} v${s.vector}[n] = ${f.value}; }`;
          }
          case "sorted":
            return `v${s.vector}.set(v${s.source}); sortColumn(v${s.vector});`;
          case "slice":
            return `for (let n = 0; n < ${length(s.vector)}; n++) v${s.vector}[n] = v${s.source}[n + ${s.start}];`;
          case "reduce": {
            const f = formula(s.f);
            const { start, step, result } = monoids[s.monoid === "mean" ? "sum" : s.monoid];
            const value = s.monoid === "mean" ? `${result} / ${length(s.source)}` : result;
            return `{ ${start} for (let n = 0; n < ${length(s.source)}; n++) { const r${s.element} = v${s.source}[n]; ${f.statements} ${step(f.value)} } r${s.register} = ${value}; }`;
          }
          case "quantile":
            return `r${s.register} = quantileOf(v${s.source}, order, ${s.q});`;
          case "let": {
            const f = formula(s.f);
            return `{ ${f.statements} r${s.register} = ${f.value}; }`;
          }
          case "iterate": {
            const initial = formula(s.initial);
            const tolerance = formula(s.tolerance);
            const body = print(s.body);
            const next = formula(s.next);
            return `{ ${initial.statements} r${s.register} = ${initial.value}; ${tolerance.statements} const limit = ${tolerance.value};
              for (let turn = 0; turn < ${s.maximum}; turn++) { ${body} ${next.statements} const next = ${next.value};
                const change = Math.abs(next - r${s.register}); r${s.register} = next; if (change <= limit) break; } }`;
          }
        }
      })
      .join("\n");
  const elements = new Set<number>();
  const collect = (list: readonly ColumnStatement[]) => {
    for (const s of list) {
      if (s.kind === "map" || s.kind === "reduce") elements.add(s.element);
      if (s.kind === "iterate") collect(s.body);
    }
  };
  collect(program.statements);
  const registers = Array.from({ length: program.registers }, (_, k) => k).filter((k) => !elements.has(k));
  const filling = fill(factors, "v0", false, { view: 1, scratch: 0 });
  const body = print(program.statements);
  const result = formula(program.result);
  const first = 1 + views.length;
  const all = first + program.operands;
  let head = "";
  for (let k = 0; k < all; k++) {
    head += `const b${k} = buffers[${k}], o${k} = offsets[${k}];`;
    const rank = k === 0 || k >= first ? 1 : (views[k - 1] as { shape: readonly number[] }).shape.length;
    for (let axis = 0; axis < rank; axis++)
      head += `const s${k}_${axis} = strides[${k}][${axis}], x${k}_${axis} = extents[${k}][${axis}];`;
  }
  for (let k = 0; k < constants; k++) head += `const k${k} = constants[${k}];`;
  for (let k = 0; k < program.vectors; k++) head += `const v${k} = vectors[${k}];`;
  columns.forEach((_, k) => (head += `const scratch${k} = scratch[${k}];`));
  head += `const order = scratch[${columns.length}];`;
  if (registers.length > 0) head += `let ${registers.map((k) => `r${k} = 0`).join(", ")};`;
  const load = names(program.operands, (k) => `r${k} = b${first + k}[o${first + k} + d * s${first + k}_0];`).join("");
  const source = `${head} for (let d = 0; d < x0_0; d++) { ${filling} ${load} ${body} ${result.statements} b0[o0 + d * s0_0] = ${result.value}; }`;
  return evaluateSource("buffers, offsets, strides, extents, constants, vectors, scratch", source, {
    ...bodyFunctions,
    quantileOf,
    sortColumn,
  });
}
