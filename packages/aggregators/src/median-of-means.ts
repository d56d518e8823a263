import type { DeviceRandom, SampleMatrix, Tensor } from "@robgrad/tensor";
import { blockAverages, blockMeans } from "@robgrad/tensor/kernels";
import { defineAggregator, type Aggregator } from "./aggregator.js";
import { averageOfSmallest } from "./byzantine.js";
import { checkOption, isNatural } from "./option.js";
import { checkWeiszfeld, weiszfeldDefaults, weiszfeldWeights, type WeiszfeldOptions } from "./weiszfeld.js";

/** `tolerance`, `maximum` and `epsilon` are those of the geometric median. */
export interface MedianOfMeansOptions extends WeiszfeldOptions {
  /** K, 1 … N; K = 10 for N = 100, or 8 ln(1/δ) for confidence 1 − δ. */
  readonly blocks?: number;
  /** Median of the block means: the geometric one of vectors, that of every coordinate, or the mean nearest to all others. */
  readonly center?: "geometric" | "coordinate" | "medoid";
  /** Deals the samples to the blocks anew at every call; without it blocks are contiguous. */
  readonly rng?: DeviceRandom;
}

/**
 * The median of the means of K blocks of samples.
 *
 *   x̂ = median(ḡ₁, …, ḡ_K),   ḡ_k the mean of block k
 *
 * Block means are weighted sums of the rows, and the geometric median needs only their K × K distances. Blocks are
 * contiguous, the first N mod K one sample longer. Breakdown point (⌈K/2⌉ − 1)/N: fewer than half of the blocks may be
 * spoilt. The geometric median and the medoid, the block mean with the least sum of distances to the others, act on a
 * vector, so the group matters.
 *
 * @param blocks  K, 1 … N.
 * @returns       Aggregator, [N, D] → [D].
 * @throws        BAD_ARGUMENT when an option is out of range; from the rule, when there are fewer samples than blocks.
 * @see           Tutorial, §4.1; S. Minsker (2015), Geometric median and robust estimation in Banach spaces, §3.
 * @example       medianOfMeans({ blocks: 2 })(gradients)
 */
export function medianOfMeans({
  blocks = 10,
  center = "geometric",
  rng,
  ...options
}: MedianOfMeansOptions = {}): Aggregator {
  const settings = { ...weiszfeldDefaults, ...options };
  checkWeiszfeld("medianOfMeans", settings);
  checkOption("medianOfMeans", "blocks", blocks, isNatural(blocks), "to be a whole number ≥ 1");
  checkOption(
    "medianOfMeans",
    "center",
    center,
    center === "geometric" || center === "coordinate" || center === "medoid",
    'to be "geometric", "coordinate" or "medoid"',
  );
  checkOption(
    "medianOfMeans",
    "rng",
    rng,
    rng === undefined || typeof rng?.permutation === "function",
    "to be device.rng(seed)",
  );

  /** The means of the blocks, and how weights of blocks become weights of samples. */
  const dealt = (g: SampleMatrix) => {
    const averages = blockAverages(g, blocks);
    if (rng === undefined) return { means: blockMeans(g, averages), spread: (w: Tensor) => w.matmul(averages) };
    const places = rng.permutation(g.samples);
    const means = blockMeans(g.take(places.argsort()), averages);
    return { means, spread: (w: Tensor) => w.matmul(averages).gather(places) };
  };
  if (center === "coordinate") {
    return defineAggregator("median-of-means", (g) => dealt(g).means.columns((c) => c.median()));
  }
  const weights = (g: SampleMatrix): Tensor => {
    const { means, spread } = dealt(g);
    const distances = means.squaredDistances();
    return spread(center === "medoid" ? medoidWeights(distances) : weiszfeldWeights(distances, settings));
  };
  return defineAggregator("median-of-means", (g) => g.combine(weights(g)), { weights });
}

/** 1 for the row with the least sum of distances to the others, the first of equals. */
function medoidWeights(squaredDistances: Tensor): Tensor {
  return averageOfSmallest(squaredDistances.sqrt().sum({ axis: 1 }), 1);
}
