import { where, type SampleMatrix, type Scalar, type ScalarFunction, type Tensor } from "@robgrad/tensor";
import { traceScalar } from "@robgrad/tensor/kernels";
import { defineAggregator, type Aggregator, type Residuals } from "./aggregator.js";
import { dispersion } from "./dispersion.js";
import { arctanInfluence } from "./influence/arctan.js";
import { catoniNarrowInfluence } from "./influence/catoni-narrow.js";
import { catoniWideInfluence } from "./influence/catoni-wide.js";
import { fairInfluence } from "./influence/fair.js";
import { gudermannianInfluence } from "./influence/gudermannian.js";
import { hampelInfluence } from "./influence/hampel.js";
import { huberInfluence } from "./influence/huber.js";
import { logCoshInfluence } from "./influence/log-cosh.js";
import { pseudoHuberInfluence } from "./influence/pseudo-huber.js";
import { tukeyInfluence } from "./influence/tukey.js";
import { checkOption, isNatural, isPositive } from "./option.js";
import { interquartileRange, medianDeviation, standardDeviation, type Scale } from "./scale.js";

const influences = {
  huber: huberInfluence(1.345),
  "log-cosh": logCoshInfluence,
  "pseudo-huber": pseudoHuberInfluence,
  fair: fairInfluence(1.3998),
  "catoni-wide": catoniWideInfluence,
  "catoni-narrow": catoniNarrowInfluence,
  gudermannian: gudermannianInfluence,
  arctan: arctanInfluence,
  tukey: tukeyInfluence(4.685),
  hampel: hampelInfluence(1.7, 3.4, 8.5),
} as const satisfies Record<string, ScalarFunction>;

const scales = {
  mad: medianDeviation,
  "mad-about-mean": (column) => medianDeviation(column, column.mean()),
  "mad-about-zero": (column) => medianDeviation(column, 0),
  iqr: interquartileRange,
  sd: standardDeviation,
  dispersion: dispersion(),
} as const satisfies Record<string, Scale>;

/** Influence, scale, and when the fixed point is reached. */
export interface MEstimatorOptions {
  /** ψ: one of ten by name, with its usual constants, or your own odd function with ψ′(0) = 1 and slope at most 1. */
  readonly influence?: keyof typeof influences | ScalarFunction;
  /**
   * s: 1.4826 times the median absolute deviation from the median, the mean or zero; 0.7413 times the interquartile
   * range; the standard deviation; the {@link dispersion}; a number in the gradient's units; or your own function.
   */
  readonly scale?: keyof typeof scales | number | Scale;
  /** A coordinate stops when it moves by at most this, in units of s. */
  readonly tolerance?: number;
  /** Most turns. */
  readonly maximum?: number;
}

/**
 * M-estimate of location, coordinate by coordinate.
 *
 *   x̂ solves Σₙ ψ((xₙ − θ)/s) = 0,   by θ ← θ + (s/N) Σₙ ψ((xₙ − θ)/s) from the median
 *
 * Two selections and one pass per turn, in memory of N values. A coordinate with s = 0 returns its median. Breakdown
 * point 1/2 with the MAD and a monotone, bounded ψ. Where ψ comes back to 0 (`"tukey"`, `"hampel"`) the solution found is
 * the one next to the median.
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
  const psi = typeof influence === "function" ? influence : named(influences, influence);
  check("influence", influence, psi !== undefined, `to be a function or one of ${Object.keys(influences).join(", ")}`);
  const spread = typeof scale === "function" ? scale : typeof scale === "number" ? () => scale : named(scales, scale);
  check(
    "scale",
    scale,
    spread !== undefined && (typeof scale !== "number" || isPositive(scale)),
    `to be a number > 0, a function or one of ${Object.keys(scales).join(", ")}`,
  );
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
      const s = (spread as Scale | (() => number))(c, start);
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
        : g.columns((c) => (spread as Scale)(c, c.median())),
    influence: psi as ScalarFunction,
  });
  return defineAggregator("m-estimator", rule, { residuals });
}

function named<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
