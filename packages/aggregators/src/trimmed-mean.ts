import { defineAggregator, type Aggregator } from "./aggregator.js";
import { checkOption } from "./option.js";

/**
 * The mean of every coordinate without its largest and smallest values.
 *
 *   x̂_d = mean of the values of coordinate d but for the k smallest and the k largest,   k = ⌊fraction · N⌋
 *
 * A search for both ends and one pass per coordinate (on the cpu device a sort), in memory of N values. Breakdown point k/N.
 *
 * @param fraction  Share cut off at either end, in [0, 1/2).
 * @returns         Aggregator, [N, D] → [D].
 * @throws          BAD_ARGUMENT when fraction is out of range.
 * @see             D. Yin et al. (2018), Byzantine-robust distributed learning, Definition 2.
 * @example         trimmedMean({ fraction: 0.2 })(gradients)
 */
export function trimmedMean({ fraction = 0.1 }: { readonly fraction?: number } = {}): Aggregator {
  checkOption(
    "trimmedMean",
    "fraction",
    fraction,
    typeof fraction === "number" && fraction >= 0 && fraction < 0.5,
    "in [0, 0.5)",
  );
  return defineAggregator("trimmed-mean", (g) => {
    // 0.29 · 100 is 28.999…: a product a rounding error below a whole number means that number.
    const cut = Math.min(Math.floor(fraction * g.samples + 1e-9), (g.samples - 1) >> 1);
    return g.columns((c) =>
      c
        .sorted()
        .slice(cut, g.samples - cut)
        .mean(),
    );
  });
}
