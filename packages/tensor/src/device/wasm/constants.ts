import { FunctionBody, ModuleBuilder, unary, type Code } from "./assembler.js";
import type { Constants, NumberType } from "./formula.js";
import { constantI32x4, f32x4, f64x2 } from "./lanes.js";

/** A number in every lane, as code that holds it. */
export function literal(value: number, type: NumberType): Code {
  if (type === "f32") return f32x4.constant(value);
  if (type === "f64") return f64x2.constant(value);
  return constantI32x4(value);
}

/** Constants printed into the code: for kernels whose numbers never change. */
export function bakedConstants(values: readonly number[]): Constants {
  return (slot, type) => literal(values[slot] as number, type);
}

/** A float64 parameter in every lane. Integers wrap as they do in JavaScript. */
function splat(value: Code, type: NumberType): Code {
  if (type === "f64") return unary("f64x2.splat", value);
  if (type === "f32") return unary("f32x4.splat", unary("f32.demote_f64", value));
  return unary("i32x4.splat", unary("i32.wrap_i64", unary("i64.trunc_sat_f64_s", value)));
}

/**
 * Prints with constants that are float64 parameters. Each is spread over lanes once, before anything else: a first
 * printing, thrown away, finds out which and as what.
 */
export function withParameters(
  f: FunctionBody,
  parameters: readonly Code[],
  print: (f: FunctionBody, constants: Constants) => void,
): void {
  const wanted = new Map<string, () => void>();
  const values = new Map<string, Code>();
  const rehearsal = new FunctionBody(
    new ModuleBuilder(),
    f.parameters.map(({ type }) => type),
  );
  print(rehearsal, (slot, type) => {
    const key = `${slot} ${type}`;
    if (!wanted.has(key)) wanted.set(key, () => values.set(key, f.let("v128", splat(parameters[slot] as Code, type))));
    return literal(0, type);
  });
  for (const spread of wanted.values()) spread();
  print(f, (slot, type) => values.get(`${slot} ${type}`) as Code);
}
