import { huberInfluence } from "@robgrad/aggregators";
import type { Characteristics } from "@robgrad/aggregators/symbolic";
import { hasCode, type Device, type ScalarFunction } from "@robgrad/tensor";
import { readCompetitor } from "../competitor-text.js";
import { influenceOf } from "./formula-rule.js";

/** The constant with which Huber's ψ is 95 % as efficient as the mean. */
export const huberBound = 1.345;

/** An influence function at some residuals. */
export interface InfluenceCurve {
  readonly x: readonly number[];
  readonly psi: readonly number[];
  readonly huber: readonly number[];
}

/** What there is to know of an influence function. */
export interface InfluenceFacts extends Characteristics {
  /** The steepest slope between the residuals of the curve. */
  readonly steepest: number;
}

/** What a formula is. */
export interface FormulaCheck {
  /** What was checked, as `readCompetitor` reads it. */
  readonly text: string;
  /** Why it is no influence function; null where it is one. */
  readonly refusal: string | null;
  readonly found: {
    readonly curve: InfluenceCurve;
    readonly own: InfluenceFacts;
    readonly huber: InfluenceFacts;
  } | null;
}

const [reach, parts] = [6, 40];
const x = Array.from({ length: 2 * reach * parts + 1 }, (_, k) => (k - reach * parts) / parts);

/**
 * Looks at a formula: whether it is an influence function, its curve, and what is known of it beside Huber's. One that
 * grows without bound is looked at like any other.
 *
 * @throws  Rejects with BAD_ARGUMENT for a text that `readCompetitor` does not read as a formula.
 */
export async function checkFormula(device: Device, text: string): Promise<FormulaCheck> {
  const read = readCompetitor(text);
  if (read.kind === "rule") throw new Error(`expected a formula, found ${text}`);
  try {
    const influence = await influenceOf({ ...read, bounded: false });
    const known = await influenceOf({ ...read, kind: "psi", formula: "x", on: huberBound });
    const [psi, huber] = await Promise.all([valuesOf(influence, device), valuesOf(huberInfluence(huberBound), device)]);
    return {
      text,
      refusal: null,
      found: { curve: { x, psi, huber }, own: factsOf(influence, psi), huber: factsOf(known, huber) },
    };
  } catch (error) {
    if (!hasCode(error, "BAD_ARGUMENT")) throw error;
    return { text, refusal: error.message, found: null };
  }
}

async function valuesOf(psi: ScalarFunction, device: Device): Promise<number[]> {
  const at = device.tensor(Float64Array.from(x), { shape: [x.length], dtype: "float64" });
  const values = at.map(psi);
  try {
    return Array.from(await values.data());
  } finally {
    values.dispose();
    at.dispose();
  }
}

function factsOf(
  { bound, monotone, grossErrorSensitivity, efficiency }: Characteristics,
  values: readonly number[],
): InfluenceFacts {
  const steepest = Math.max(...values.slice(1).map((value, k) => (value - values[k]!) * parts));
  return { bound, monotone, grossErrorSensitivity, efficiency, steepest };
}
