import { codedError, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";

/** What becomes of samples whose gradient holds NaN or an infinity. */
export type NonFinitePolicy = "reject" | "drop";

export function checkPolicy(policy: unknown): asserts policy is NonFinitePolicy {
  if (policy !== "reject" && policy !== "drop") {
    throw codedError(
      "BAD_ARGUMENT",
      `aggregate: expected nonFinite to be "reject" or "drop", found ${JSON.stringify(policy)}`,
    );
  }
}

/**
 * The mean of the finite rows in the place of every row whose norm is not finite, at the price of N² per coordinate, and
 * which rows these were, bool [N]. A batch without a finite row is reported to the device.
 */
export function withoutNonFinite(
  gradients: SampleMatrix,
  owner: string,
): { readonly gradients: SampleMatrix; readonly dropped: Tensor } {
  const { samples, dtype, device } = gradients;
  const finite = gradients.squaredNorms().isFinite();
  const kept = finite.cast(dtype);
  const count = kept.sum();
  checkElements(
    count,
    { outside: [1, samples + 1] },
    { kind: "non-finite value", node: "aggregate", parameter: `every gradient of ${owner}` },
  );
  const meanOfFinite = kept.div(count).reshape([1, samples]);
  const weights = where(finite.reshape([samples, 1]), device.eye(samples, samples, { dtype }), meanOfFinite);
  return { gradients: gradients.mix(weights), dropped: finite.not() };
}
