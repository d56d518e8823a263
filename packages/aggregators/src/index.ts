export {
  defineAggregator,
  isAggregator,
  type Aggregator,
  type AggregatorOptions,
  type Residuals,
  type Rule,
} from "./aggregator.js";
export { aggregate, type Aggregated, type AggregateOptions } from "./aggregate.js";
export { explain, type InfluenceReport } from "./explain.js";
export { all, byLayer, byParameter, type Choice, type Grouping, type NamedParameters } from "./group.js";
export type { Memory } from "./memory.js";
export type { NonFinitePolicy } from "./non-finite.js";
export { mean } from "./mean.js";
export { sum } from "./sum.js";
export { softTruncation, type SoftTruncationOptions } from "./soft-truncation.js";
export { mEstimator, type MEstimatorOptions } from "./m-estimator.js";
export { medianOfMeans, type MedianOfMeansOptions } from "./median-of-means.js";
export { geometricMedian, geometricMedianGap } from "./geometric-median.js";
export type { WeiszfeldOptions } from "./weiszfeld.js";
export { median } from "./median.js";
export { trimmedMean } from "./trimmed-mean.js";
export { normClip, type NormClipOptions } from "./norm-clip.js";
export { centeredClip, type CenteredClipOptions } from "./centered-clip.js";
export { meanAroundMedian } from "./mean-around-median.js";
export { krum, multiKrum, type KrumOptions } from "./krum.js";
export { bulyan } from "./bulyan.js";
export { minimumDiameterAveraging } from "./minimum-diameter-averaging.js";
export { smea } from "./smea.js";
export { caf } from "./caf.js";
export { monna } from "./monna.js";
export { signMajority } from "./sign-majority.js";
export type { ByzantineOptions } from "./byzantine.js";
export { compose } from "./compose.js";
export { definePreAggregator, type PreAggregator } from "./pre-aggregator.js";
export { bucketing } from "./bucketing.js";
export { nearestNeighborMixing } from "./nearest-neighbor-mixing.js";
export { adaptiveRobustClipping, clipping } from "./clipping.js";
export { onCoordinates } from "./on-coordinates.js";
export { dispersion, type DispersionOptions } from "./dispersion.js";
export type { Scale } from "./scale.js";
export { arctanInfluence } from "./influence/arctan.js";
export { catoniGiulini } from "./influence/catoni-giulini.js";
export { catoniNarrowInfluence } from "./influence/catoni-narrow.js";
export { catoniWideInfluence } from "./influence/catoni-wide.js";
export { fairInfluence } from "./influence/fair.js";
export { gudermannianInfluence } from "./influence/gudermannian.js";
export { hampelInfluence } from "./influence/hampel.js";
export { huberInfluence } from "./influence/huber.js";
export { logCoshInfluence } from "./influence/log-cosh.js";
export { pseudoHuberInfluence } from "./influence/pseudo-huber.js";
export { smoothedCatoniGiulini } from "./influence/smoothed-catoni-giulini.js";
export { tukeyInfluence } from "./influence/tukey.js";
