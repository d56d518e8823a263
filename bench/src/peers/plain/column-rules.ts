import type { Rule } from "../../work.js";

/** One coordinate's N values, which it may reorder, to an estimate of their mean. */
export type ColumnRule = (values: Float64Array) => number;

/** How many values ψ has cut, of how many. */
export interface Tally {
  values: number;
  truncated: number;
}

/** The rule coordinate by coordinate, or null for one that is not. */
export function columnRule(rule: Rule, tally: Tally): ColumnRule | null {
  switch (rule.kind) {
    case "soft":
      return softTruncated(rule.delta, tally);
    case "median":
      return median;
    case "huber":
      return huber(rule.tolerance, rule.maximum);
    default:
      return null;
  }
}

/** Catoni and Giulini's ψ about the mean, at the scale sd · √(N / (2 ln 1/δ)). */
function softTruncated(delta: number, tally: Tally): ColumnRule {
  return (values) => {
    const N = values.length;
    tally.values += N;
    let sum = 0;
    for (let n = 0; n < N; n++) sum += values[n] as number;
    const mean = sum / N;
    let squares = 0;
    for (let n = 0; n < N; n++) squares += ((values[n] as number) - mean) ** 2;
    if (squares === 0) return mean;
    const width = Math.sqrt((squares / (N - 1)) * (N / (2 * Math.log(1 / delta))));
    let psi = 0;
    let truncated = 0;
    for (let n = 0; n < N; n++) {
      const u = ((values[n] as number) - mean) / width;
      if (Math.abs(u) > Math.SQRT2) {
        truncated++;
        psi += (Math.sign(u) * (2 * Math.SQRT2)) / 3;
      } else psi += u - (u * u * u) / 6;
    }
    tally.truncated += truncated;
    return mean + (width * psi) / N;
  };
}

/** Quickselect: values[k] becomes the k-th smallest, smaller ones before it. */
function select(values: Float64Array, k: number): number {
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = values[(left + right) >> 1] as number;
    let i = left;
    let j = right;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i <= j) {
        const held = values[i] as number;
        values[i++] = values[j] as number;
        values[j--] = held;
      }
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k] as number;
}

function median(values: Float64Array): number {
  const N = values.length;
  const upper = select(values, N >> 1);
  if (N % 2 === 1) return upper;
  let lower = -Infinity;
  for (let n = 0; n < N >> 1; n++) lower = Math.max(lower, values[n] as number);
  return (lower + upper) / 2;
}

/** θ ← θ + s/N Σ clamp((x − θ)/s, ±1.345) from the median, s = 1.4826 MAD, until it moves by at most tolerance · s. */
function huber(tolerance: number, maximum: number): ColumnRule {
  const k = 1.345;
  const deviations: Float64Array[] = [];
  return (values) => {
    const N = values.length;
    const work = (deviations[0] ??= new Float64Array(N));
    let theta = median(values);
    for (let n = 0; n < N; n++) work[n] = Math.abs((values[n] as number) - theta);
    const s = 1.4826 * median(work);
    if (s === 0) return theta;
    for (let turn = 0; turn < maximum; turn++) {
      let psi = 0;
      for (let n = 0; n < N; n++) {
        const u = ((values[n] as number) - theta) / s;
        psi += u > k ? k : u < -k ? -k : u;
      }
      const move = (s * psi) / N;
      theta += move;
      if (Math.abs(move) <= tolerance * s) break;
    }
    return theta;
  };
}
