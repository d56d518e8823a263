import { codedError } from "@robgrad/tensor";

/** Throws BAD_ARGUMENT unless the share of a moment that stays is in [0, 1). */
export function checkDecayRate(subject: string, name: string, rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw codedError("BAD_ARGUMENT", `${subject}: expected ${name} in [0, 1), found ${rate}`);
}

/** Throws BAD_ARGUMENT unless what keeps a denominator from 0 is finite and positive. */
export function checkEpsilon(subject: string, epsilon: number): void {
  if (epsilon > 0 && epsilon < Infinity) return;
  throw codedError("BAD_ARGUMENT", `${subject}: expected a finite epsilon > 0, found ${epsilon}`);
}
