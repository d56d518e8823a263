import { codedError, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkOption } from "./option.js";

/** How many samples may be hostile. */
export interface ByzantineOptions {
  /** f ≥ 0. */
  readonly byzantine?: number;
}

export function checkByzantine(rule: string, byzantine: unknown): void {
  checkOption(
    rule,
    "byzantine",
    byzantine,
    Number.isSafeInteger(byzantine) && (byzantine as number) >= 0,
    "to be a whole number ≥ 0",
  );
}

/** Throws BAD_ARGUMENT unless there are enough samples for f hostile ones. */
export function checkSampleCount(gradients: SampleMatrix, least: number, byzantine: number): void {
  if (gradients.samples < least) {
    throw codedError(
      "BAD_ARGUMENT",
      `expected at least ${least} samples for byzantine = ${byzantine}, found ${gradients.samples}`,
    );
  }
}

/** Whether a score is among the `count` smallest of its row, [..., N]; ties go to the lowest index, NaN is the largest. */
export function smallest(scores: Tensor, count: number): Tensor {
  return scores.argsort().argsort().less(count);
}

/** Weights 1/count of the `count` samples with the smallest scores, [..., N]. */
export function averageOfSmallest(scores: Tensor, count: number): Tensor {
  return smallest(scores, count)
    .cast(scores.dtype)
    .mul(1 / count);
}
