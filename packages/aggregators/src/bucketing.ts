import type { DeviceRandom } from "@robgrad/tensor";
import { blockAverages, blockMeans } from "@robgrad/tensor/kernels";
import { checkOption, isNatural } from "./option.js";
import { preAggregator, type PreAggregator } from "./pre-aggregator.js";

/**
 * Means of buckets of samples, for {@link compose}: fewer rows, closer together.
 *
 *   row k = mean of bucket k,   k = 1 … ⌈N/s⌉
 *
 * Buckets hold at most s samples and differ by one at most. A hostile sample spoils its bucket, so a rule behind it has
 * to stand as many hostile rows out of fewer. s = 1 changes nothing.
 *
 * @param size  s ≥ 1.
 * @param rng   Deals the samples to the buckets anew at every call; without it buckets are contiguous.
 * @returns     A step for {@link compose}, [N, D] → [⌈N/s⌉, D].
 * @throws      BAD_ARGUMENT when an option is out of range.
 * @see         S. Karimireddy, L. He, M. Jaggi (2022), Byzantine-robust learning on heterogeneous datasets via bucketing.
 * @example     compose(bucketing({ size: 2 }), krum({ byzantine: 0 }))(gradients)
 */
export function bucketing({
  size = 2,
  rng,
}: { readonly size?: number; readonly rng?: DeviceRandom } = {}): PreAggregator {
  checkOption("bucketing", "size", size, isNatural(size), "to be a whole number ≥ 1");
  checkOption(
    "bucketing",
    "rng",
    rng,
    rng === undefined || typeof rng?.permutation === "function",
    "to be device.rng(seed)",
  );
  return preAggregator("bucketing", (g) => {
    const averages = blockAverages(g, Math.ceil(g.samples / size));
    if (rng === undefined) return { samples: blockMeans(g, averages), spread: (w) => w.matmul(averages) };
    const places = rng.permutation(g.samples);
    return {
      samples: blockMeans(g.take(places.argsort()), averages),
      spread: (w) => w.matmul(averages).gather(places),
    };
  });
}
