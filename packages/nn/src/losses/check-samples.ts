import { codedError } from "@robgrad/tensor";

/** Refuses an empty batch: the mean of no losses is not a number. */
export function checkSamples(subject: string, shape: readonly number[]): void {
  if (shape.length === 0 || shape[0] === 0) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected at least one sample on axis 0, found shape [${shape.join(", ")}]`,
    );
  }
}
