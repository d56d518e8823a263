import { codedError, where, type SampleMatrix } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";

/** What becomes of samples whose gradient holds NaN or an infinity. */
export type NonFinitePolicy = "reject" | "drop";

export function checkPolicy(policy: unknown): asserts policy is NonFinitePolicy {
  if (policy !== "reject" && policy !== "drop") {
    throw codedError("BAD_ARGUMENT", `aggregate: expected nonFinite to be "reject" or "drop", found ${JSON.stringify(policy)}`);
  }
}

/**
 * Gradients that a rule may see. A row is judged by its norm, so a finite row whose square overflows counts as well.
 *
 * "reject" reports the first faulty row to the device; "drop" puts the mean of the finite rows in its place, at the
 * price of N² per coordinate, and reports only when no row is left.
 */
export function screened(gradients: SampleMatrix, policy: NonFinitePolicy, owner: string): SampleMatrix {
  const norms = gradients.squaredNorms();
  if (policy === "reject") {
    checkElements(norms, "nonFinite", { kind: "non-finite value", node: "aggregate", parameter: `the gradients of ${owner}, one element a sample,` });
    return gradients;
  }
  const { samples, dtype, device } = gradients;
  const finite = norms.isFinite();
  const kept = finite.cast(dtype);
  const count = kept.sum();
  checkElements(count, { outside: [1, samples + 1] }, { kind: "non-finite value", node: "aggregate", parameter: `the gradients of ${owner}, in every sample,` });
  const meanOfFinite = kept.div(count).reshape([1, samples]);
  return gradients.mix(where(finite.reshape([samples, 1]), device.eye(samples, samples, { dtype }), meanOfFinite));
}
