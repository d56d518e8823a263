import { defineAggregator, type Aggregator } from "@robgrad/aggregators";
import { codedError } from "@robgrad/tensor";

/**
 * The mean of every coordinate after its smallest and largest values were drawn in.
 *
 *   x̂ = (1/N) Σₙ min(max(xₙ, a), b),   a and b the quantiles `fraction` and 1 − `fraction` of the coordinate's N values
 *
 * Breakdown point: the share `fraction` of the samples.
 *
 * @param fraction  Share drawn in at either end, in [0, 1/2).
 * @throws          BAD_ARGUMENT when fraction is out of range.
 * @see             W. J. Dixon (1960), Simplified estimation from censored normal samples.
 */
export function winsorizedMean({ fraction = 0.1 }: { readonly fraction?: number } = {}): Aggregator {
  if (!(fraction >= 0 && fraction < 0.5)) {
    throw codedError("BAD_ARGUMENT", `winsorizedMean: expected fraction in [0, 0.5), found ${fraction}`);
  }
  return defineAggregator("winsorized-mean", (g) => {
    // As many whole samples as the share holds; a rounding error below a whole number means that number.
    const cut = Math.floor(fraction * g.samples + 1e-9);
    const rank = g.samples > 1 ? cut / (g.samples - 1) : 0;
    return g.columns((c) => {
      const low = c.quantile(rank);
      const high = c.quantile(1 - rank);
      return c.mean((x) => x.maximum(low).minimum(high));
    });
  });
}

export default winsorizedMean;
