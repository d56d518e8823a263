import type { Expression } from "@robgrad/tensor/kernels";
import { evaluator } from "./evaluate.js";
import { magnitudes, refused } from "./reach.js";

/** What an influence function does to an estimate of location. */
export interface Characteristics {
  /** sup |ψ|; infinite for one that grows without bound. */
  readonly bound: number;
  /** Whether ψ never falls. */
  readonly monotone: boolean;
  /** γ* = sup |ψ| / E ψ′(Z), Z standard normal: the most that a small share of bad samples moves the estimate, per share. */
  readonly grossErrorSensitivity: number;
  /** (E ψ′(Z))² / E ψ(Z)²: the variance of the mean over that of the estimate, for many normal samples. */
  readonly efficiency: number;
}

/**
 * Checks that ψ is odd with slope 1 at 0 and keeps its digits in float32, and measures it.
 *
 * The expectations are sums over steps of 1/1024; E ψ′(Z) = E Z ψ(Z).
 *
 * @param e     ψ as it will be evaluated.
 * @throws      BAD_ARGUMENT naming what is missing and where.
 */
export function characteristics(subject: string, e: Expression): Characteristics {
  const psi = evaluator(e);
  const psi32 = evaluator(e, Math.fround);
  const slope = slopeAtZero(psi);
  if (!(Math.abs(slope - 1) <= 1e-6)) {
    const found = Number(slope.toPrecision(6));
    throw refused(subject, `ψ′(0) = 1, found ${found}${found > 0 ? `; divide the formula by ${found}` : ""}`);
  }
  const grid = [0, ...Array.from({ length: 1280 }, (_, k) => (k + 1) / 64), ...magnitudes(Infinity)].sort(
    (a, b) => a - b,
  );
  let bound = 0;
  let monotone = true;
  let before = -Infinity;
  for (const u of grid) {
    const value = psi(u);
    if (!(Math.abs(value + psi(-u)) <= 1e-12 * Math.max(1, Math.abs(value)))) {
      throw refused(subject, `an odd function, found ψ(${u}) = ${value} and ψ(${-u}) = ${psi(-u)}`);
    }
    if (!(Math.abs(psi32(Math.fround(u)) - psi(Math.fround(u))) <= 1e-4 * Math.max(1, Math.abs(value)))) {
      throw refused(subject, `a form that keeps its digits in float32, found ${psi32(u)} instead of ${value} at ${u}`);
    }
    if (value < before - 1e-12 * Math.max(1, bound)) monotone = false;
    before = value;
    bound = Math.max(bound, Math.abs(value));
  }
  // What has not settled over the last 15 powers of ten grows, however slowly.
  const nearer = Math.max(...grid.filter((u) => u <= 1e15).map((u) => Math.abs(psi(u))));
  if (bound > 1.001 * nearer) bound = Infinity;

  let [slopeSum, squareSum] = [0, 0];
  const step = 1 / 1024;
  for (let k = 1; k * step < 9; k++) {
    const z = k * step;
    const value = psi(z);
    const weight = (2 * step * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
    slopeSum += weight * z * value;
    squareSum += weight * value * value;
  }
  return {
    bound,
    monotone,
    grossErrorSensitivity: bound / slopeSum,
    efficiency: slopeSum ** 2 / squareSum,
  };
}

/** ψ′(0) of an odd function, by differences: derivatives of |x| and sign(x) say nothing at 0. */
function slopeAtZero(psi: (u: number) => number): number {
  const h = 2 ** -16;
  const [near, far] = [psi(h / 2) - psi(-h / 2), psi(h) - psi(-h)];
  return (2 * near) / h - far / (2 * h);
}
