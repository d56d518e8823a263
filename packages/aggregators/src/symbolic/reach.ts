import { codedError } from "@robgrad/tensor";
import type { Expression } from "@robgrad/tensor/kernels";
import { evaluator } from "./evaluate.js";

/** Standardized residuals are at most this: values up to 1e15 on a scale of 1e-15. */
const [leastPower, mostPower] = [-20, 100];

/** Powers of two and what lies between them, up to `end`. */
export function magnitudes(end: number): number[] {
  const found: number[] = [];
  for (let power = leastPower; power < mostPower; power++) {
    for (const part of [1, 1.25, 1.5, 1.75]) found.push(part * 2 ** power);
  }
  return found.filter((u) => u <= end);
}

/**
 * Up to where a formula can be evaluated in float32: `end`, or less if it overflows on the way but has long reached its
 * limit by then, so that holding it there changes no digit.
 *
 * @throws  BAD_ARGUMENT when it overflows before.
 */
export function reach(subject: string, e: Expression, end: number): number {
  const at = evaluator(e);
  if (Number.isNaN(at(0))) throw refused(subject, "a number at 0, found none or one beyond float32");
  const within = magnitudes(end);
  const bad = within.find((u) => Number.isNaN(at(u)) || Number.isNaN(at(-u)));
  if (bad === undefined && !(end < Infinity && (Number.isNaN(at(end)) || Number.isNaN(at(-end))))) return end;
  if (end < Infinity) {
    throw refused(subject, `finite values within float32 on [−${end}, ${end}], found none at ±${bad ?? end}`);
  }
  const held = within[within.indexOf(bad as number) - 1] ?? 0;
  const sizes = [held, held / 2].map(at) as [number, number];
  const settled = (sign: number) =>
    Math.abs(at(sign * held) - at((sign * held) / 2)) <= 2 ** -50 * Math.max(1, Math.abs(sizes[0]));
  if (held >= 4 && settled(1) && settled(-1)) return held;
  throw refused(
    subject,
    `values that settle before they leave float32, found ${sizes[1]} at ${held / 2}, ${sizes[0]} at ${held} and none at ${bad}; hold the formula: { on: [-a, a] }`,
  );
}

export const refused = (subject: string, message: string) =>
  codedError("BAD_ARGUMENT", `${subject}: expected ${message}`);
