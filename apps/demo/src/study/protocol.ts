/** What the published code and the tutorial's text do differently. */
export interface Protocol {
  /** Rows that the principal components and the unit square are fitted to. */
  readonly fitTo: "all" | "train";
  /** Subtracted from N in the divisors of both variances: of the distances, and of a coordinate's gradients. */
  readonly correction: 0 | 1;
  /** Smallest variance of a coordinate's gradients that soft truncation divides by. */
  readonly varianceFloor: number;
}

export type ProtocolName = "code" | "text";

/**
 * The two readings of the study: as the published code runs it, and as the tutorial's text tells it.
 *
 * `code` fits the projection to all 150 rows, divides variances by n and keeps them above 1e-3. `text` fits it to the
 * training rows (test rows may then fall outside the unit square), divides by n − 1 and has no floor.
 *
 * @see  Tutorial, §5 (data) and Algorithm 2 (variance).
 */
export const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  code: { fitTo: "all", correction: 0, varianceFloor: 1e-3 },
  text: { fitTo: "train", correction: 1, varianceFloor: 0 },
};

/** Training rows N of the 150; the others test. Tutorial, §5. */
export const trainSize = 100;

/** Units of the four layers of nodes; ReLU between them. Tutorial, §5. */
export const layerSizes = [2, 10, 10, 3] as const;

/** Layers of weights: 1 takes the inputs, 3 gives the logits. */
export const layerCount = layerSizes.length - 1;

/** Initial weights and biases are uniform on ± this. */
export const initialRange = 0.05;

/** Step size α of every layer. Tutorial, §5. */
export const stepSize = 0.5;

/** Confidence level δ of soft truncation. Tutorial, §4.2. */
export const delta = 0.005;

/** Blocks K of the median of means: ten contiguous ones of ten samples. */
export const blocks = 10;

/** A trial fails when its final test error exceeds this. */
export const failureThreshold = 0.3;

/** Factor k of Figure 3; the study's own throws the points out of sight. */
export const figureFactor = 10;
