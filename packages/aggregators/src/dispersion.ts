import { where, type Column, type Scalar } from "@robgrad/tensor";
import { checkOption, isNatural, isPositive } from "./option.js";
import { varianceAbout, type Scale } from "./scale.js";

/** How wide an M-estimate of location looks, and when the dispersion is found. */
export interface DispersionOptions {
  /** Confidence level in (0, 1); smaller truncates less. */
  readonly delta?: number;
  /** β in (0, 1): the mean of u²/(1 + u²) that u = (x − x̄)/σ̂ shall have. */
  readonly beta?: number;
  /** Least σ̂, ≥ 0, in the units of the gradient. */
  readonly floor?: number;
  /** σ̂ stops when it changes by at most this share. */
  readonly tolerance?: number;
  /** Most turns. */
  readonly maximum?: number;
}

/**
 * The scale of Holland and Ikeda: a dispersion that far values hardly move, as wide as the number of samples allows.
 *
 *   s = σ̂ √(N / ln 1/δ),   σ̂ solves (1/N) Σₙ χ((xₙ − x̄)/σ̂) = 0,   χ(u) = u²/(1 + u²) − β
 *
 * by σ ← σ √(1 + mean χ/β) from the standard deviation, one pass a turn. β = 0.3443205 makes σ̂ the standard deviation of
 * normal data. A floor other than 0 gives up equivariance to scale.
 *
 * @returns  For `mEstimator({ scale })`.
 * @throws   BAD_ARGUMENT when an option is out of range.
 * @see      M. Holland, K. Ikeda (2019), Efficient learning with robust gradient descent.
 * @example  mEstimator({ influence: "gudermannian", scale: dispersion({ delta: 0.01 }) })(gradients)
 */
export function dispersion({
  delta = 0.01,
  beta = 0.3443205,
  floor = 1e-3,
  tolerance = 1e-3,
  maximum = 50,
}: DispersionOptions = {}): Scale {
  const check = (option: string, value: unknown, valid: boolean, range: string) =>
    checkOption("dispersion", option, value, valid, range);
  check("delta", delta, isPositive(delta) && delta < 1, "in (0, 1)");
  check("beta", beta, isPositive(beta) && beta < 1, "in (0, 1)");
  check("floor", floor, floor === 0 || isPositive(floor), "≥ 0 and finite");
  check("tolerance", tolerance, tolerance === 0 || isPositive(tolerance), "≥ 0 and finite");
  check("maximum", maximum, isNatural(maximum), "to be a whole number ≥ 1");

  return (column: Column): Scalar => {
    const center = column.mean();
    const sd = varianceAbout(column, center, Math.min(1, column.length - 1)).sqrt();
    const perSd = where(sd.greater(0), sd.reciprocal(), 0);
    // The state is ln(σ/sd), so that the tolerance is a share.
    const step = (state: Scalar) => {
      const width = perSd.mul(state.neg().exp());
      const meanChi = column.mean((x) => bounded(x.sub(center).mul(width))).sub(beta);
      return state.add(
        meanChi
          .mul(1 / beta)
          .log1p()
          .mul(0.5),
      );
    };
    const state = column.iterate(0, step, { maximum, tolerance });
    const sigma = where(sd.greater(0), sd.mul(state.exp()), 0);
    return sigma.maximum(floor).mul(Math.sqrt(column.length / Math.log(1 / delta)));
  };
}

/** u²/(1 + u²); beyond 1e9 it is 1 to all digits, and u² would overflow float32. */
function bounded(u: Scalar): Scalar {
  const square = u.clamp(-1e9, 1e9).square();
  return square.div(square.add(1));
}
