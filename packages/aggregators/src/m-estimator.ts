import { where, type Column, type SampleMatrix, type Scalar, type ScalarFunction, type Tensor } from "@robgrad/tensor";
import { traceScalar } from "@robgrad/tensor/kernels";
import { defineAggregator, type Aggregator, type Residuals } from "./aggregator.js";
import { huberInfluence } from "./influence/huber.js";
import { logCoshInfluence } from "./influence/log-cosh.js";
import { checkOption, isNatural, isPositive } from "./option.js";
import { medianDeviation, varianceAbout } from "./scale.js";

/** Influence, scale, and when the fixed point is reached. */
export interface MEstimatorOptions {
  /** ψ: `"huber"` (k = 1.345), `"log-cosh"`, or your own odd function with ψ′(0) = 1 and slope at most 1. */
  readonly influence?: "huber" | "log-cosh" | ScalarFunction;
  /** s: 1.4826 times the median absolute deviation, the standard deviation, or a number in the gradient's units. */
  readonly scale?: "mad" | "sd" | number;
  /** A coordinate stops when it moves by at most this, in units of s. */
  readonly tolerance?: number;
  /** Most turns. */
  readonly maximum?: number;
}

const influences: Readonly<Record<string, ScalarFunction>> = {
  huber: huberInfluence(1.345),
  "log-cosh": logCoshInfluence,
};

/**
 * M-estimate of location, coordinate by coordinate.
 *
 *   x̂ solves Σₙ ψ((xₙ − θ)/s) = 0,   by θ ← θ + (s/N) Σₙ ψ((xₙ − θ)/s) from the median
 *
 * Two selections and one pass per turn, in memory of N values. A coordinate with s = 0 returns its median. Breakdown
 * point 1/2 with the MAD and a monotone, bounded ψ.
 *
 * @returns  Aggregator, [N, D] → [D], in the units of the gradient.
 * @throws   BAD_ARGUMENT when an option is out of range or ψ does not return a traced scalar.
 * @see      Tutorial, §4.1; M. Holland, K. Ikeda (2019), Better generalization with less data using robust gradient
 *           descent, equations (4)–(6).
 * @example  mEstimator({ influence: (u) => u.div(u.square().div(2).add(1).sqrt()), scale: "mad" })(gradients)
 */
export function mEstimator({
  influence = "huber",
  scale = "mad",
  tolerance = 1e-3,
  maximum = 50,
}: MEstimatorOptions = {}): Aggregator {
  const check = (option: string, value: unknown, valid: boolean, range: string) =>
    checkOption("mEstimator", option, value, valid, range);
  const psi =
    typeof influence === "function"
      ? influence
      : Object.hasOwn(influences, influence)
        ? influences[influence]
        : undefined;
  check("influence", influence, psi !== undefined, 'to be "huber", "log-cosh" or a function');
  check("scale", scale, scale === "mad" || scale === "sd" || isPositive(scale), 'to be "mad", "sd" or a number > 0');
  check(
    "tolerance",
    tolerance,
    typeof tolerance === "number" && tolerance >= 0 && tolerance < Infinity,
    "≥ 0 and finite",
  );
  check("maximum", maximum, isNatural(maximum), "to be a whole number ≥ 1");
  traceScalar("mEstimator: influence", psi as ScalarFunction, 1);

  const rule = (g: SampleMatrix): Tensor =>
    g.columns((c) => {
      const start = c.median();
      const s = typeof scale === "number" ? scale : spreadOf(c, start, scale);
      const perScale = typeof s === "number" ? 1 / s : where(s.greater(0), s.reciprocal(), 0);
      const step = (theta: Scalar) =>
        theta.add(c.mean((x) => (psi as ScalarFunction)(x.sub(theta).mul(perScale))).mul(s));
      return c.iterate(start, step, { maximum, tolerance: typeof s === "number" ? s * tolerance : s.mul(tolerance) });
    });
  const residuals = (g: SampleMatrix): Residuals => ({
    center: rule(g),
    scale:
      typeof scale === "number"
        ? g.device.full([g.features], scale, { dtype: g.dtype })
        : g.columns((c) => spreadOf(c, c.median(), scale)),
    influence: psi as ScalarFunction,
  });
  return defineAggregator("m-estimator", rule, { residuals });
}

function spreadOf(column: Column, median: Scalar, scale: "mad" | "sd"): Scalar {
  if (scale === "mad") return medianDeviation(column, median);
  return varianceAbout(column, column.mean(), Math.min(1, column.length - 1)).sqrt();
}
