import { FunctionNode, isRecording, logSumExp, type Variable, type SampleAxis } from "@robgrad/autograd";
import { codedError, oneHot, type Tensor } from "@robgrad/tensor";
import { apply, checkElements, input, reduceFormula } from "@robgrad/tensor/kernels";
import { asVariable } from "../link.js";
import { checkSamples } from "./check-samples.js";

const shiftedExp = apply("exp", apply("sub", input(0), input(1)));
const chosen = apply("mul", input(0), input(1));

/** lₙ = ln Σ_c exp(y[n, c]) − Σ_c t[n, c] y[n, c] for targets that sum to 1. */
class SoftmaxCrossEntropyFunction extends FunctionNode {
  readonly #targets: Tensor;
  /** max_c y[n, c] and Σ_c exp(y[n, c] − max), both [N, 1]. */
  #largest: Tensor | null = null;
  #total: Tensor | null = null;

  /** @param targets  [N, C] */
  constructor(targets: Tensor) {
    super();
    this.#targets = targets;
  }

  forward([logits]: readonly [Tensor]): readonly Tensor[] {
    this.retainInputs(0);
    this.keep(this.#targets);
    const largest = logits.max({ axis: 1, keepdims: true });
    const total = reduceFormula("sum", shiftedExp, [logits, largest], { axis: 1, keepdims: true });
    const picked = reduceFormula("sum", chosen, [logits, this.#targets], { axis: 1, keepdims: true });
    this.#largest = this.keep(largest);
    this.#total = this.keep(total);
    const losses = total.map((s, m, y) => s.log().add(m.sub(y)), largest, picked);
    return [losses.reshape([logits.shape[0] as number])];
  }

  backward([gy]: readonly [Variable]): readonly (() => Variable)[] {
    return [
      () => {
        const logits = this.retained(0);
        const g = gy.reshape([logits.shape[0] as number, 1]);
        if (isRecording()) {
          const norm = logSumExp(logits, { axis: 1, keepdims: true });
          return logits.map((y, z, t, g) => y.sub(z).exp().sub(t).mul(g), norm, this.#targets, g);
        }
        return logits.map(
          (y, m, s, t, g) => y.sub(m).exp().div(s).sub(t).mul(g),
          this.#largest as Tensor,
          this.#total as Tensor,
          this.#targets,
          g,
        );
      },
    ];
  }

  override sampleAxis([logits]: readonly SampleAxis[]): SampleAxis {
    if (logits === undefined) return { kind: "unknown" };
    if ("axis" in logits && logits.axis === 1) return { kind: "mixed", node: "softmaxCrossEntropy", axis: 1 };
    return logits;
  }
}

/** How labels become targets, and what classes count. */
export interface SoftmaxCrossEntropyOptions {
  /** ε in [0, 1): the share of every target that is spread evenly over the classes; 0 unless given. */
  readonly labelSmoothing?: number;
  /** w [C], of the logits' dtype: the loss of a sample is multiplied by the weight of its label. */
  readonly classWeights?: Tensor;
}

/**
 * Cross-entropy of softmax probabilities, one value per sample.
 *
 *   lₙ = −w[labelₙ] Σ_c t[n, c] ln softmax(yₙ)[c],   t[n, c] = (1 − ε) [c = labelₙ] + ε/C
 *
 * With the defaults ε = 0 and w = 1 this is ln Σ_c exp(y[n, c]) − y[n, labelₙ]. Natural logarithm; the largest logit is
 * taken out first, so nothing overflows. Rows of `sampleGradients` are unscaled: a class weight multiplies the row of a
 * sample, and the mean of the losses divides by N, not by the sum of the weights.
 *
 * @param logits   [N, C], floating, N ≥ 1.
 * @param labels   int32 [N] in [0, C).
 * @param options  `labelSmoothing` ε in [0, 1) and `classWeights` w [C].
 * @returns        [N]
 * @throws         SHAPE_MISMATCH, DTYPE_MISMATCH, BAD_ARGUMENT for ε out of range; a label out of range makes the next
 *                 read reject with BAD_DATA.
 * @see            C. Bishop (2006), Pattern Recognition and Machine Learning, equation (4.108); smoothing: C. Szegedy et
 *                 al. (2016), Rethinking the Inception architecture, §7.
 * @example        softmaxCrossEntropy(new Variable(device.zeros([2, 3])), device.tensor([0, 2], { dtype: "int32" }))
 */
export function softmaxCrossEntropy(
  logits: Variable | Tensor,
  labels: Tensor,
  { labelSmoothing = 0, classWeights }: SoftmaxCrossEntropyOptions = {},
): Variable {
  const subject = "softmaxCrossEntropy";
  const y = asVariable(subject, logits);
  if (y.shape.length !== 2)
    throw codedError("SHAPE_MISMATCH", `${subject}: expected logits [N, C], found [${y.shape.join(", ")}]`);
  checkSamples(subject, y.shape);
  const [samples, classes] = y.shape as readonly [number, number];
  const { value } = asVariable(subject, labels);
  if (value.dtype !== "int32")
    throw codedError("DTYPE_MISMATCH", `${subject}: expected int32 labels, found ${value.dtype}`);
  if (value.shape.length !== 1 || value.shape[0] !== samples) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected one label for each of ${samples} samples, found [${value.shape.join(", ")}]`,
    );
  }
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw codedError("BAD_ARGUMENT", `${subject}: expected labelSmoothing in [0, 1), found ${labelSmoothing}`);
  checkElements(value, { outside: [0, classes] }, { kind: "index out of range", node: subject, parameter: "labels" });
  const chosen = oneHot(value, classes, { dtype: y.dtype });
  const targets = labelSmoothing === 0 ? chosen : chosen.mul(1 - labelSmoothing).add(labelSmoothing / classes);
  const [losses] = new SoftmaxCrossEntropyFunction(targets).apply(y) as [Variable];
  if (classWeights === undefined) return losses;
  if (classWeights.dtype !== y.dtype || classWeights.shape.length !== 1 || classWeights.shape[0] !== classes) {
    throw codedError(
      "SHAPE_MISMATCH",
      `${subject}: expected classWeights ${y.dtype} [${classes}], found ${classWeights.dtype} [${classWeights.shape.join(", ")}]`,
    );
  }
  return losses.mul(chosen.matmul(classWeights));
}
