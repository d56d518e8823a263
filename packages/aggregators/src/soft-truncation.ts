import { codedError, where, type Column, type SampleMatrix, type Scalar, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator, type Residuals } from "./aggregator.js";
import { catoniGiulini } from "./influence/catoni-giulini.js";
import { smoothedCatoniGiulini } from "./influence/smoothed-catoni-giulini.js";
import { checkOption, isPositive } from "./option.js";
import { medianDeviation, varianceAbout } from "./scale.js";

/** How far soft truncation reaches, and from where. */
export interface SoftTruncationOptions {
  /** Confidence level in (0, 1); smaller truncates less. */
  readonly delta?: number;
  /** The variance is divided by N − correction, ≥ 0. */
  readonly correction?: number;
  /** Least variance, ≥ 0, in squared units of the gradient. */
  readonly varianceFloor?: number;
  /** What the truncated deviations are taken from. */
  readonly center?: "mean" | "median";
  /** Standard deviation about the centre, or 1.4826 times the median absolute deviation from the median. */
  readonly spread?: "sd" | "mad";
  /** Precision β > 0 of noise N(0, 1/β) that ψ is averaged over; `true` is √(2 ln 1/δ). */
  readonly smoothing?: number | boolean;
}

/**
 * Soft truncation of a mean, coordinate by coordinate.
 *
 *   x̂ = x̄ + σ · (s/N) Σₙ ψ((xₙ − x̄) / (σ s)),   s² = N / (2 ln 1/δ)
 *
 * One fused pass per statistic; no N × D buffer is formed. A coordinate with σ = 0 returns its centre, and a single
 * sample returns itself. Breakdown point 0, because mean and standard deviation are not robust; 1/2 with
 * `center: "median", spread: "mad"`. With `smoothing` β, ψ(u) is its mean over u + uε, ε ~ N(0, 1/β), at some 150
 * operations a value: the residuals of two nearly equal samples never meet different branches of ψ.
 *
 * @param delta  δ in (0, 1); smaller truncates less.
 * @returns      Aggregator, [N, D] → [D], in the units of the gradient.
 * @throws       BAD_ARGUMENT when an option is out of range; from the rule, unless N > correction or N = 1.
 * @see          Tutorial, Algorithm 2; ψ is its equation (2). M. Holland (2019), Robust descent using smoothed
 *               multiplicative noise.
 * @example      softTruncation({ delta: 0.005 })(gradients)
 */
export function softTruncation({
  delta = 0.005,
  correction = 1,
  varianceFloor = 0,
  center = "mean",
  spread = "sd",
  smoothing = false,
}: SoftTruncationOptions = {}): Aggregator {
  const check = (option: string, value: unknown, valid: boolean, range: string) =>
    checkOption("softTruncation", option, value, valid, range);
  check("delta", delta, typeof delta === "number" && delta > 0 && delta < 1, "in (0, 1)");
  check(
    "correction",
    correction,
    typeof correction === "number" && correction >= 0 && correction < Infinity,
    "≥ 0 and finite",
  );
  check(
    "varianceFloor",
    varianceFloor,
    typeof varianceFloor === "number" && varianceFloor >= 0 && varianceFloor < Infinity,
    "≥ 0 and finite",
  );
  check("center", center, center === "mean" || center === "median", '"mean" or "median"');
  check("spread", spread, spread === "sd" || spread === "mad", '"sd" or "mad"');
  check(
    "smoothing",
    smoothing,
    typeof smoothing === "boolean" || isPositive(smoothing),
    "> 0 and finite, or a boolean",
  );
  const psi =
    smoothing === false
      ? catoniGiulini
      : smoothedCatoniGiulini(smoothing === true ? Math.sqrt(2 * Math.log(1 / delta)) : smoothing);

  /** Centre and width s σ of a column of N samples. */
  const standardize = (c: Column, samples: number): readonly [Scalar, Scalar] => {
    const origin = center === "mean" ? c.mean() : c.median();
    const sigma =
      spread === "sd"
        ? varianceAbout(c, origin, correction).maximum(varianceFloor).sqrt()
        : medianDeviation(c, center === "median" ? origin : c.median()).maximum(Math.sqrt(varianceFloor));
    return [origin, sigma.mul(Math.sqrt(samples / (2 * Math.log(1 / delta))))];
  };
  const residuals = (g: SampleMatrix): Residuals => ({
    center: g.columns((c) => standardize(c, g.samples)[0]),
    scale: g.columns((c) => standardize(c, g.samples)[1]),
    influence: psi,
  });
  const rule = (g: SampleMatrix): Tensor => {
    const { samples } = g;
    if (samples === 1) return g.mean();
    if (spread === "sd" && samples <= correction) {
      throw codedError("BAD_ARGUMENT", `expected more samples than correction = ${correction}, found ${samples}`);
    }
    return g.columns((c) => {
      const [origin, width] = standardize(c, samples);
      const perWidth = where(width.greater(0), width.reciprocal(), 0);
      return origin.add(width.mul(c.mean((x) => psi(x.sub(origin).mul(perWidth)))));
    });
  };
  return defineAggregator("soft-truncation", rule, { residuals });
}
