import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { checkElements } from "@robgrad/tensor/kernels";
import { asVariable } from "../link.js";
import { elementwiseLoss } from "./elementwise-loss.js";

/** How labels become targets, and what classes count. */
export interface BinaryCrossEntropyOptions {
  /** ε in [0, 1): targets move to (1 − ε) t + ε/2; 0 unless given. */
  readonly labelSmoothing?: number;
  /** p > 0, or one per label as [K] of the logits' dtype: what a positive target counts beside a negative one; 1 unless given. */
  readonly positiveWeight?: number | Tensor;
}

/** The first number above 1 in float32: bounds exclude their upper end, and targets of 1 are good. */
const aboveOne = 1 + 2 ** -23;

/**
 * Cross-entropy of independent yes-or-no questions from logits, one value per sample.
 *
 *   lₙ = −Σ_k (p t ln σ(y) + (1 − t) ln(1 − σ(y))),   σ(y) = 1/(1 + exp(−y)),   y and t at [n, k]
 *
 * Computed as Σ_k p t softplus(−y) + (1 − t) softplus(y): nothing overflows, and small losses keep their digits. [N, K]
 * are K labels of a sample, not exclusive of each other, and their losses are added. Rows of `sampleGradients` are
 * unscaled: the mean of the losses divides by N alone.
 *
 * @param logits   y [N] or [N, …, K], floating, N ≥ 1.
 * @param targets  t of the same shape: 0 or 1 as float, int32 or bool, or probabilities in [0, 1].
 * @param options  `labelSmoothing` ε in [0, 1), `positiveWeight` p.
 * @returns        [N]
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for options out of range; a target outside [0, 1] makes
 *                 the next read reject with BAD_DATA.
 * @see            C. Bishop (2006), Pattern Recognition and Machine Learning, equation (4.90).
 * @example        binaryCrossEntropy(new Variable(device.zeros([2, 3])), device.ones([2, 3]), { labelSmoothing: 0.1 })
 */
export function binaryCrossEntropy(
  logits: Variable | Tensor,
  targets: Tensor,
  { labelSmoothing = 0, positiveWeight = 1 }: BinaryCrossEntropyOptions = {},
): Variable {
  const subject = "binaryCrossEntropy";
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw codedError("BAD_ARGUMENT", `${subject}: expected labelSmoothing in [0, 1), found ${labelSmoothing}`);
  if (typeof positiveWeight === "number" && !(Number.isFinite(positiveWeight) && positiveWeight > 0))
    throw codedError("BAD_ARGUMENT", `${subject}: expected a finite positiveWeight > 0, found ${positiveWeight}`);
  const y = asVariable(subject, logits);
  const given = asVariable(subject, targets).value;
  checkElements(
    given.dtype === "bool" ? given.cast("int32") : given,
    { outside: [0, aboveOne] },
    { kind: "value out of range", node: subject, parameter: "targets" },
  );
  const t = given.dtype === "bool" || given.dtype === "int32" ? given.cast(y.dtype) : given;
  const smooth = labelSmoothing === 0 ? t : t.mul(1 - labelSmoothing).add(labelSmoothing / 2);
  if (typeof positiveWeight === "number") {
    return elementwiseLoss(subject, y, smooth, (u, v) => {
      const positive = u.neg().softplus().mul(v);
      return (positiveWeight === 1 ? positive : positive.mul(positiveWeight)).add(u.softplus().mul(v.neg().add(1)));
    });
  }
  const features = y.shape[y.shape.length - 1];
  if (positiveWeight.shape.length !== 1 || positiveWeight.shape[0] !== features || positiveWeight.dtype !== y.dtype) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected positiveWeight ${y.dtype} [${features}] beside logits [${y.shape.join(", ")}], found ${positiveWeight.dtype} [${positiveWeight.shape.join(", ")}]`,
    );
  }
  return elementwiseLoss(
    subject,
    y,
    smooth,
    (u, v, p) =>
      u
        .neg()
        .softplus()
        .mul(v)
        .mul(p)
        .add(u.softplus().mul(v.neg().add(1))),
    positiveWeight,
  );
}
