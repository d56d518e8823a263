import type { MEstimatorOptions } from "../src/index.js";

type InfluenceName = Extract<MEstimatorOptions["influence"], string>;

/** The ten influence functions as formulas of numbers, for |u| < 1e9. */
export const influenceFunctions: Readonly<Record<InfluenceName, (u: number) => number>> = {
  huber: (u) => Math.max(-1.345, Math.min(1.345, u)),
  "log-cosh": Math.tanh,
  "pseudo-huber": (u) => u / Math.sqrt(1 + (u * u) / 2),
  fair: (u) => u / (1 + Math.abs(u) / 1.3998),
  "catoni-wide": (u) => Math.sign(u) * Math.log1p(Math.abs(u) + (u * u) / 2),
  "catoni-narrow": (u) =>
    Math.abs(u) < 1 ? -Math.sign(u) * Math.log1p(-Math.abs(u) + (u * u) / 2) : Math.sign(u) * Math.LN2,
  gudermannian: (u) => 2 * Math.atan(Math.tanh(u / 2)),
  arctan: Math.atan,
  tukey: (u) => (Math.abs(u) > 4.685 ? 0 : u * (1 - (u / 4.685) ** 2) ** 2),
  hampel: (u) => {
    const a = Math.abs(u);
    if (a <= 1.7) return u;
    if (a <= 3.4) return Math.sign(u) * 1.7;
    return a <= 8.5 ? (Math.sign(u) * 1.7 * (8.5 - a)) / 5.1 : 0;
  },
};

/** E ψ(u + uε) for ε ~ N(0, 1/β): Simpson's rule between the kinks of ψ. */
export function smoothedPsi(u: number, beta: number): number {
  const psi = (y: number) => {
    const c = Math.max(-Math.SQRT2, Math.min(Math.SQRT2, y));
    return c - c ** 3 / 6;
  };
  const cuts = [-9, ...[-Math.SQRT2, Math.SQRT2].map((y) => (y / u - 1) * Math.sqrt(beta)), 9]
    .map((z) => Math.max(-9, Math.min(9, z)))
    .sort((a, b) => a - b);
  const f = (z: number) => (psi(u * (1 + z / Math.sqrt(beta))) * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
  let total = 0;
  for (let k = 0; k + 1 < cuts.length; k++) {
    const [low, high] = [cuts[k]!, cuts[k + 1]!];
    const steps = 2000;
    const h = (high - low) / steps;
    for (let i = 0; i <= steps; i++) {
      total += ((i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * h * f(low + i * h)) / 3;
    }
  }
  return total;
}
