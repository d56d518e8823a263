import { codedError, Tensor, where, type SampleMatrix } from "@robgrad/tensor";
import { centeredGram } from "./centered-gram.js";
import { defineAggregator, describe, type Aggregator } from "./aggregator.js";
import { checkWeiszfeld, weiszfeldDefaults, weiszfeldWeights, type WeiszfeldOptions } from "./weiszfeld.js";

/**
 * The geometric median: the point with the least sum of distances to the rows.
 *
 *   x̂ = argmin_u Σₙ ‖gₙ − u‖
 *
 * One pass for the N × N distances, N² per turn of Weiszfeld's iteration on them, one weighted sum. It acts on a
 * vector: a parameter, or a group. Breakdown point 1/2. Of two rows it is the mean.
 *
 * @param tolerance  It stops when no weight moves by more than this, in [0, 1).
 * @param maximum    Most turns.
 * @param epsilon    Smallest distance told from 0, as a share of the median distance, in (0, 1).
 * @param smoothing  ν ≥ 0, in the units of the gradient: a distance z below ν counts as ν/2 + z²/2ν, which makes the sum
 *                   smooth; 0 for the median itself.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when an option is out of range.
 * @see              {@link geometricMedianGap} for how close it came; K. Pillutla, S. Kakade, Z. Harchaoui (2022), Robust aggregation for federated learning, §3.
 * @example          geometricMedian()(gradients)
 */
export function geometricMedian(options: WeiszfeldOptions = {}): Aggregator {
  const settings = { ...weiszfeldDefaults, ...options };
  checkWeiszfeld("geometricMedian", settings);
  const weights = (g: SampleMatrix): Tensor => weiszfeldWeights(g.squaredDistances(), settings);
  return defineAggregator("geometric-median", (g) => g.combine(weights(g)), { weights });
}

/**
 * How far a weighted sum of the rows may be from their geometric median: a certificate, no estimate.
 *
 *   (F(u) − min F)/F(u) ≤ gap,   F(u) = Σₙ ‖gₙ − u‖,   u = Σₙ wₙ gₙ
 *
 * min F is bounded from below by Σₙ ⟨gₙ, qₙ⟩ for any qₙ with ‖qₙ‖ ≤ 1 and Σ qₙ = 0; here the unit vectors to the rows,
 * less their mean, scaled. One pass for the N × N distances.
 *
 * @param gradients  The rows.
 * @param weights    w [N], of sum 1: those of the rule, `geometricMedian().weights(gradients)`, or any.
 * @returns          A tensor of one element, in [0, 1]; 0 where all rows are the same.
 * @throws           BAD_ARGUMENT unless weights are [N].
 * @see              S. Boyd, L. Vandenberghe (2004), Convex optimization, §5.2.2, for the bound.
 * @example
 * await geometricMedianGap(gradients, geometricMedian().weights!(gradients)).item(); // below 1e-6
 */
export function geometricMedianGap(gradients: SampleMatrix, weights: Tensor): Tensor {
  const { samples, device, dtype } = gradients;
  if (!Tensor.is(weights) || weights.shape.length !== 1 || weights.shape[0] !== samples) {
    throw codedError("BAD_ARGUMENT", `geometricMedianGap: expected weights [${samples}], found ${describe(weights)}`);
  }
  const wide = device.dtypes.includes("float64") ? "float64" : dtype;
  const inner = centeredGram(gradients.squaredDistances().cast(wide), weights.cast(wide));
  const squared = inner.mul(device.eye(samples, samples, { dtype: wide })).sum({ axis: 1 });
  // Where rounding has eaten what is left of a distance, the row counts as being there.
  const away = squared.greater(squared.max().mul(wide === "float64" ? 1e-14 : 1e-6));
  const lengths = where(away, where(away, squared, 1).sqrt(), 0);
  const inverse = where(away, where(away, lengths, 1).reciprocal(), 0);
  const pulled = inner.matmul(inverse);
  const pull = inverse.mul(pulled).sum().maximum(0).sqrt();
  // Rows at u take up to their number off the pull of the others.
  const here = away.not().cast(wide).sum();
  const left = where(pull.greater(here), pull.sub(here).div(where(pull.greater(0), pull, 1)), 0);
  const mean = left.div(samples);
  const total = lengths.sum();
  const bound = total.sub(mean.mul(pulled.sum())).div(mean.mul(pull).add(1));
  return where(total.greater(0), total.sub(bound).div(where(total.greater(0), total, 1)), 0)
    .maximum(0)
    .cast(dtype);
}
