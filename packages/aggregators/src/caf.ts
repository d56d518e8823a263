import { where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkByzantine, checkSampleCount, type ByzantineOptions } from "./byzantine.js";
import { largestVariance } from "./largest-variance.js";

/**
 * Covariance-bound-agnostic filter (CAF): weights fall along the direction in which the samples vary most.
 *
 *   cₙ = 1; while Σc > N − 2f:   μ = Σ cₙ gₙ/Σc,   λ, v = largest eigenvalue of Σ cₙ (gₙ−μ)(gₙ−μ)ᵀ/Σc and its vector,
 *   τₙ = ⟨v, gₙ − μ⟩²,   cₙ ← cₙ (1 − τₙ/max_{c > 0} τ);      x̂ = the μ with the smallest λ met
 *
 * One pass for the N × N distances, then 2f times the largest eigenvalue of an N × N matrix: every turn leaves one more sample without
 * weight, as the largest τ is that of samples that have some left. λ and v come from the centred Gram matrix, so the answer is the same every time. It acts on a vector.
 * Breakdown point f/N, for f < N/2.
 *
 * @param byzantine  f ≥ 0.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_ARGUMENT when byzantine is out of range; from the rule, unless N > 2f.
 * @see              Y. Allouah et al. (2025), Towards trustworthy federated learning with untrusted participants, §4.
 * @example          caf({ byzantine: 1 })(gradients)
 */
export function caf({ byzantine = 1 }: ByzantineOptions = {}): Aggregator {
  checkByzantine("caf", byzantine);
  const weights = (g: SampleMatrix): Tensor => {
    const { samples, device, dtype } = g;
    checkSampleCount(g, 2 * byzantine + 1, byzantine);
    const even = device.full([samples], 1 / samples, { dtype });
    if (byzantine === 0) return even;
    const distances = g.squaredDistances();
    let counts = device.ones([samples], { dtype });
    let best = even;
    let least = device.full([], Infinity, { dtype });
    for (let turn = 0; turn < 2 * byzantine; turn++) {
      const total = counts.sum();
      const shares = counts.div(where(total.greater(0), total, 1));
      const { variance, along } = largestVariance(distances, shares);
      const better = variance.less(least).and(total.greater(samples - 2 * byzantine));
      best = where(better, shares, best);
      least = where(better, variance, least);
      // Divided by the largest before they are squared: no square overflows.
      const size = where(counts.greater(0), along.abs(), 0);
      const peak = size.max();
      counts = counts.mul(where(peak.greater(0), size.div(peak).square().neg().add(1), 0));
    }
    return best;
  };
  return defineAggregator("caf", (g) => g.combine(weights(g)), { weights });
}
