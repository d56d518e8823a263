import { codedError, denseSamples, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { shrinkage } from "./clipping.js";
import { checkOption, isPositive } from "./option.js";

/** One of three: a norm, a quantile of the norms, or no threshold at all. */
export interface NormClipOptions {
  /** c > 0, in the units of the gradient; 1 unless another option is given. */
  readonly maxNorm?: number;
  /** q in [0, 1]: c is the q-quantile of the N norms, anew at every step. */
  readonly quantile?: number;
  /** γ > 0, in the units of the gradient: gₙ/(‖gₙ‖ + γ) instead of a threshold. */
  readonly automatic?: number;
}

/**
 * The mean of gradients whose norm is cut to c.
 *
 *   x̂ = (1/N) Σₙ gₙ · min(1, c/‖gₙ‖)        with `maxNorm` c, or c = the `quantile` of ‖g₁‖ … ‖g_N‖
 *   x̂ = (1/N) Σₙ gₙ/(‖gₙ‖ + γ)              with `automatic` γ
 *
 * One pass for the norms and one weighted sum. No sample moves the result by more than c/N (1/N); the norm is that of a
 * parameter, or of a group: `aggregate(gradients, normClip(), { group: all })`. A given c does not follow the gradients'
 * scale and belongs to the problem; a quantile follows it, and breaks down when more than 1 − q of the samples are
 * hostile; the automatic form returns a direction of length at most 1.
 *
 * @param options  At most one of `maxNorm`, `quantile` and `automatic`.
 * @returns        Aggregator, [N, D] → [D].
 * @throws         BAD_ARGUMENT when an option is out of range, or for two of them.
 * @see            M. Abadi et al. (2016), Deep learning with differential privacy, Algorithm 1, without its noise;
 *                 G. Andrew et al. (2021), Differentially private learning with adaptive clipping; Z. Bu et al. (2023),
 *                 Automatic clipping: differentially private deep learning made easier and stronger, §3.
 * @example        normClip({ maxNorm: 2 })(gradients)
 */
export function normClip(options: NormClipOptions = {}): Aggregator {
  const given = (["maxNorm", "quantile", "automatic"] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) {
    throw codedError(
      "BAD_ARGUMENT",
      `normClip: expected one of maxNorm, quantile and automatic, found ${given.join(" and ")}`,
    );
  }
  const { maxNorm = 1, quantile, automatic } = options;
  checkOption("normClip", "maxNorm", maxNorm, isPositive(maxNorm), "> 0 and finite");
  checkOption(
    "normClip",
    "quantile",
    quantile,
    quantile === undefined || (typeof quantile === "number" && quantile >= 0 && quantile <= 1),
    "in [0, 1]",
  );
  checkOption("normClip", "automatic", automatic, automatic === undefined || isPositive(automatic), "> 0 and finite");

  const weights = (g: SampleMatrix): Tensor => {
    const squared = g.squaredNorms();
    const share = 1 / g.samples;
    if (automatic !== undefined) return squared.map((s) => s.sqrt().add(automatic).reciprocal().mul(share));
    if (quantile === undefined) {
      return squared.map((s) => s.sqrt().maximum(maxNorm).reciprocal().mul(maxNorm).mul(share));
    }
    const norms = squared.sqrt();
    const threshold = denseSamples(norms.reshape([g.samples, 1])).columns((c) => c.quantile(quantile));
    return shrinkage(squared, threshold).mul(share);
  };
  return defineAggregator("norm-clip", (g) => g.combine(weights(g)), { weights });
}
