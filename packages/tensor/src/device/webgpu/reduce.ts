import type { Loops } from "../../kernel/access.js";
import type { Monoid, ReduceKernel, View } from "../../kernel/kernel.js";
import { input } from "../../scalar/expression.js";
import { sizeOf } from "../../shape.js";
import { numbersFor, printFormula, useFunction, type NumberType } from "./formula.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage, type Value } from "./shader.js";
import { mergedAxes, operandText, printAddresses, stridesOf } from "./walk.js";

/** Invocations that share the terms of one output. */
const teamLanes = 128;
/** Outputs that a workgroup computes side by side. */
const mostAbreast = 32;
/** Fewer terms than this are added by one invocation. */
const fewTerms = 32;
/** Terms of an output that one workgroup takes; more are shared by several, whose results are reduced in turn. */
const mostTerms = 8192;

/** Sums of floats keep what rounding loses (D. Knuth's two-sum): there is no float64 to add in. */
const isExact = (monoid: Monoid, type: NumberType): boolean => monoid === "sum" && type === "f32";

const isArg = (monoid: Monoid): boolean => monoid === "argmax" || monoid === "argmin";

/** A running result: the variables that hold it, and how it is joined with another. */
interface Accumulator {
  readonly type: NumberType;
  /** Declares `name` (and `name_at`, the place of a winner, or `name_low`, what rounding lost) with the result of no terms. */
  readonly start: (shader: ShaderBuilder, name: string) => void;
  readonly join: (shader: ShaderBuilder, name: string, value: string, at: string) => string;
}

function identity(shader: ShaderBuilder, monoid: Monoid, type: NumberType): string {
  switch (monoid) {
    case "sum":
      return `${type}(0)`;
    case "product":
      return `${type}(1)`;
    case "max":
    case "argmax":
      return type === "f32" ? `-${useFunction(shader, "infinity")}()` : type === "i32" ? "i32(-2147483648)" : "0u";
    case "min":
    case "argmin":
      return type === "f32" ? `${useFunction(shader, "infinity")}()` : type === "i32" ? "2147483647" : "4294967295u";
  }
}

/** No place: a winner that there is not yet. */
const nowhere = "0xffffffffu";

function accumulator(monoid: Monoid, type: NumberType): Accumulator {
  const start = (shader: ShaderBuilder, name: string) => {
    shader.line(`var ${name} = ${identity(shader, monoid, type)};`);
    if (isArg(monoid)) shader.line(`var ${name}_at = ${nowhere};`);
    if (isExact(monoid, type)) shader.line(`var ${name}_low = 0.0;`);
  };
  const join = (shader: ShaderBuilder, name: string, value: string, at: string): string => {
    switch (monoid) {
      case "sum": {
        if (!isExact(monoid, type)) return `${name} += ${value};`;
        const [total, gone] = [shader.name("sum"), shader.name("gone")];
        return `let ${total} = ${name} + ${value}; let ${gone} = ${total} - ${name}; ${name}_low += (${name} - (${total} - ${gone})) + (${value} - ${gone}); ${name} = ${total};`;
      }
      case "product":
        return `${name} *= ${value};`;
      case "max":
      case "min": {
        const call = type === "f32" ? useFunction(shader, monoid === "max" ? "maximum" : "minimum") : monoid;
        return `${name} = ${call}(${name}, ${value});`;
      }
      default: {
        const better = monoid === "argmax" ? ">" : "<";
        const wins =
          type === "f32"
            ? `${value} ${better} ${name} || (${useFunction(shader, "is_nan")}(${value}) && !is_nan(${name}))`
            : `${value} ${better} ${name}`;
        const equal =
          type === "f32" ? `(${value} == ${name} || (is_nan(${value}) && is_nan(${name})))` : `${value} == ${name}`;
        return `if (${wins} || (${equal} && ${at} < ${name}_at)) { ${name} = ${value}; ${name}_at = ${at}; }`;
      }
    }
  };
  return { type, start, join };
}

/** A reduction as walks over its outputs and, for each, its terms. */
interface Plan {
  readonly kernel: ReduceKernel;
  /** Whether one workgroup computes all outputs. */
  readonly single: boolean;
  readonly outer: Loops;
  readonly inner: Loops;
  readonly outputs: number;
  readonly terms: number;
}

function planOf(kernel: ReduceKernel, single: boolean): Plan {
  const { out, shape, axes, operands } = kernel;
  const rank = shape.length;
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = operands.map((operand) => stridesOf(operand, rank));
  const written = new Array<number>(rank).fill(0);
  kept.forEach((axis, k) => (written[axis] = out.strides[k] as number));
  return {
    kernel,
    single,
    outer: mergedAxes(shape, kept, [written, ...strides]),
    inner: mergedAxes(shape, axes, strides),
    outputs: sizeOf(out.shape),
    terms: axes.reduce((product, axis) => product * (shape[axis] as number), 1),
  };
}

/** The reduction of a kernel in one dispatch, or in two where few outputs have many terms. */
export function reduceStages(kernel: ReduceKernel, context: PrintContext): Stage[] {
  const plan = planOf(kernel, context.single);
  const { outputs, terms } = plan;
  if (terms <= fewTerms) return [alone(plan)];
  const share = isAbreast(plan) ? mostTerms / 8 : mostTerms;
  const parts = Math.min(Math.ceil(terms / share), Math.max(1, Math.floor(16384 / outputs)));
  if (parts === 1 || isArg(kernel.monoid)) return [together(plan, 1, null)];
  const { out, monoid } = kernel;
  // Of a sum of floats there are two terms for every part.
  const width = monoid === "sum" && out.dtype === "float32" ? 2 * parts : parts;
  const partial = context.scratch(out.dtype === "bool" ? "uint32" : out.dtype, [outputs, width]);
  return [together(plan, parts, partial), ...joined(plan, partial)];
}

/** Whether neighbouring terms are neighbours in memory, so that invocations do well to share them. */
function walksAlongTerms({ inner, outer }: Plan): boolean {
  const last = (loops: Loops) => loops.strides.map((strides) => strides.at(-1) ?? 0);
  const [, ...kept] = last(outer);
  return last(inner).some((stride, k) => stride === 1 && kept[k] !== 1);
}

const isAbreast = (plan: Plan): boolean => plan.outputs >= mostAbreast && (plan.single || !walksAlongTerms(plan));

/** Outputs that a workgroup computes side by side. */
function abreastOf(plan: Plan): number {
  if (isAbreast(plan)) return mostAbreast;
  return plan.single ? powerFrom(plan.outputs) : 1;
}

/** The least power of two that is not below n. */
const powerFrom = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** The second dispatch: parts of every output. */
function joined({ kernel, single, outputs }: Plan, partial: View): Stage[] {
  const { out, monoid, epilogue } = kernel;
  const shape = [...out.shape, partial.shape[1] as number];
  const parts = partial.shape[1] as number;
  let step = outputs * parts;
  const strides = shape.map((extent) => (step = extent === 0 ? 0 : step / extent));
  const again: ReduceKernel = {
    form: "reduce",
    out,
    shape,
    axes: [out.shape.length],
    monoid,
    f: input(0),
    epilogue,
    operands: [{ ...partial, shape, strides }],
  };
  const plan = planOf(again, single);
  return [parts <= fewTerms ? alone(plan) : together(plan, 1, null)];
}

interface Printed {
  readonly acc: Accumulator;
  /** Prints the value of term `number`, of an output whose operands start at `starts`. */
  readonly term: (number: string, starts: readonly string[]) => string;
  readonly starts: (output: string) => { readonly to: string; readonly from: readonly string[] };
  /** Prints what becomes of a result. */
  readonly finish: (to: string, name: string) => void;
}

function printed(shader: ShaderBuilder, { kernel, outer, inner }: Plan): Printed {
  const { out, monoid, f, epilogue, operands } = kernel;
  const numbers = numbersFor(isArg(monoid) ? "int32" : out.dtype, operands, epilogue === null ? [f] : [f, epilogue]);
  const own = { float32: "f32", float64: "f32", int32: "i32", uint32: "u32", bool: "u32" } as const;
  const type = isArg(monoid) ? numbers : own[out.dtype];
  const written = shader.view(out, true);
  const read = operands.map((operand) => operandText(shader, operand));
  const acc = accumulator(monoid, type);
  return {
    acc,
    starts: (output) => {
      const [to, ...from] = printAddresses(shader, outer, output, [written.offset, ...read.map((r) => r.offset)]);
      return { to: to as string, from };
    },
    term: (number, starts) => {
      const addresses = printAddresses(shader, inner, number, starts);
      const value = printFormula(shader, f, (k) => read[k]?.load(addresses[k] as string) as Value, numbers);
      return shader.let({ type, text: convert(value, type) }).text;
    },
    finish: (to, name) => {
      const result: Value = isArg(monoid)
        ? { type: "i32", text: `i32(${name}_at)` }
        : isExact(monoid, type)
          ? shader.let({
              type,
              text: `select(${name}, ${name} + ${name}_low, ${useFunction(shader, "is_finite")}(${name}))`,
            })
          : { type, text: name };
      const value = epilogue === null ? result : printFormula(shader, epilogue, () => result, numbers);
      shader.line(written.store(to, value));
    },
  };
}

/** Adds up terms `first`, `first + step`, … below `end` into `name`. */
function walkTerms(
  shader: ShaderBuilder,
  { acc, term }: Printed,
  name: string,
  starts: readonly string[],
  [first, end, step]: readonly [string, string, string],
): void {
  const t = shader.name("t");
  shader.line(`for (var ${t} = ${first}; ${t} < ${end}; ${t} += ${step}) {`);
  shader.line(acc.join(shader, name, term(t, starts), t));
  shader.line("}");
}

/** An output an invocation. */
function alone(plan: Plan): Stage {
  return {
    lanes: 64,
    loops: true,
    print: (shader) => {
      const { single, outputs, terms } = plan;
      if (single && terms >= 4 && 2 * abreastOf(plan) <= shader.lanes && outputs <= shader.lanes / 2) {
        return together(plan, 1, null).print(shader);
      }
      const text = printed(shader, plan);
      const output = shader.name("n");
      const step = `${shader.lanes}u`;
      shader.line(
        `for (var ${output} = group * ${step} + lane; ${output} < ${shader.size(plan.outputs)}; ${output} += groups * ${step}) {`,
      );
      const { to, from } = text.starts(output);
      const name = shader.name("total");
      text.acc.start(shader, name);
      walkTerms(shader, text, name, from, ["0u", shader.size(plan.terms), "1u"]);
      text.finish(to, name);
      shader.line("}");
      return Math.ceil(plan.outputs / shader.lanes);
    },
  };
}

/**
 * An output, or one of `parts` of its terms, a workgroup; where neighbouring outputs, but not neighbouring terms, are
 * neighbours in memory, some outputs abreast.
 *
 * @param partial  Where results of parts go, [outputs, terms]; null when there is one part, which is the result.
 */
function together(plan: Plan, parts: number, partial: View | null): Stage {
  return {
    lanes: isAbreast(plan) ? 256 : teamLanes,
    loops: true,
    print: (shader) => {
      const { monoid } = plan.kernel;
      const { lanes } = shader;
      const abreast = Math.min(abreastOf(plan), lanes / 2);
      const team = lanes / abreast;
      // Those of one workgroup that have no term need not be asked.
      const halves = plan.single ? Math.min(team, powerFrom(plan.terms)) / 2 : team / 2;
      const work = Math.ceil(plan.outputs / abreast) * parts;
      const text = printed(shader, plan);
      const { acc } = text;
      const values = shader.shared(acc.type, lanes);
      // What goes with a value lies in the second half, should both be of one type.
      const second = isArg(monoid) ? "at" : isExact(monoid, acc.type) ? "low" : null;
      const places = second === null ? "" : shader.shared(second === "at" ? "u32" : "f32", 2 * lanes);
      const place = (at: string) => `${places}[${at} + ${lanes}u]`;
      const keep = () => {
        shader.line(`${values}[lane] = ${name};`);
        if (second !== null) shader.line(`${place("lane")} = ${name}_${second};`);
      };
      const item = shader.name("w");
      const name = shader.name("total");
      shader.line(`for (var ${item} = group; ${item} < ${shader.size(work)}; ${item} += groups) {`);
      const [member, column] = abreast === 1 ? ["lane", "0u"] : [shader.name("member"), shader.name("column")];
      if (abreast > 1) {
        shader.line(`let ${member} = lane / ${abreast}u;`);
        shader.line(`let ${column} = lane % ${abreast}u;`);
      }
      let block = item;
      let part = "0u";
      let [first, end] = ["0u", shader.size(plan.terms)];
      if (parts > 1) {
        const [count, length, terms] = [parts, Math.ceil(plan.terms / parts), plan.terms].map((n) => shader.size(n));
        [block, part] = [shader.name("block"), shader.name("part")];
        shader.line(`let ${block} = ${item} / ${count};`);
        shader.line(`let ${part} = ${item} - ${block} * ${count};`);
        [first, end] = [shader.name("first"), shader.name("end")];
        shader.line(`let ${first} = ${part} * ${length};`);
        shader.line(`let ${end} = min(${first} + ${length}, ${terms});`);
      }
      let output = block;
      let inside = "";
      if (abreast > 1) {
        const reached = shader.name("n");
        [output, inside] = [shader.name("n"), shader.name("inside")];
        const last = shader.size(plan.outputs);
        shader.line(`let ${reached} = ${block} * ${abreast}u + ${column};`);
        shader.line(`let ${inside} = ${reached} < ${last};`);
        // Those beyond the last output repeat it, so that everybody meets at the barriers.
        shader.line(`let ${output} = min(${reached}, ${last} - 1u);`);
      }
      const range = [`${first} + ${member}`, end, `${team}u`] as const;
      const { to, from } = text.starts(output);
      acc.start(shader, name);
      walkTerms(shader, text, name, from, range);
      shader.line("workgroupBarrier();");
      keep();
      const half = shader.name("half");
      shader.line(`for (var ${half} = ${Math.floor(halves)}u; ${half} > 0u; ${half} = ${half} >> 1u) {`);
      shader.line("workgroupBarrier();");
      shader.line(`if (${member} < ${half}) {`);
      const other = shader.let({ type: acc.type, text: `${values}[lane + ${half} * ${abreast}u]` }).text;
      const beside = second === null ? "" : shader.name(second);
      if (second !== null) shader.line(`let ${beside} = ${place(`lane + ${half} * ${abreast}u`)};`);
      shader.line(acc.join(shader, name, other, beside));
      if (second === "low") shader.line(`${name}_low += ${beside};`);
      keep();
      shader.line("}");
      shader.line("}");
      shader.line(`if (${member} == 0u${inside === "" ? "" : ` && ${inside}`}) {`);
      if (partial === null) text.finish(to, name);
      else {
        const target = shader.view(partial, true);
        const place = shader.name("place");
        shader.line(`let ${place} = ${output} * ${shader.size(parts)} + ${part};`);
        if (second !== "low") shader.line(target.store(`${target.offset} + ${place}`, { type: acc.type, text: name }));
        else {
          const low = `select(0.0, ${name}_low, ${useFunction(shader, "is_finite")}(${name}))`;
          shader.line(target.store(`${target.offset} + 2u * ${place}`, { type: "f32", text: name }));
          shader.line(target.store(`${target.offset} + 2u * ${place} + 1u`, { type: "f32", text: low }));
        }
      }
      shader.line("}");
      shader.line("}");
      return work;
    },
  };
}
