import { FunctionNode, isRecording, logSumExp, type Variable, type SampleAxis } from "@robgrad/autograd";
import { codedError, oneHot, Tensor } from "@robgrad/tensor";
import { apply, checkElements, input, reduceFormula } from "@robgrad/tensor/kernels";
import { asVariable } from "../link.js";
import { checkSamples } from "./check-samples.js";

const shiftedExp = apply("exp", apply("sub", input(0), input(1)));
const chosen = apply("mul", input(0), input(1));

/** lₙ = ln Σ_c exp(y[n, c]) − y[n, labelₙ] */
class SoftmaxCrossEntropyFunction extends FunctionNode {
  readonly #targets: Tensor;
  /** max_c y[n, c] and Σ_c exp(y[n, c] − max), both [N, 1]. */
  #largest: Tensor | null = null;
  #total: Tensor | null = null;

  /** @param targets  One-hot labels [N, C]. */
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

/**
 * Cross-entropy of softmax probabilities, one value per sample.
 *
 *   lₙ = −ln softmax(yₙ)[labelₙ] = ln Σ_c exp(y[n, c]) − y[n, labelₙ]
 *
 * Natural logarithm; the largest logit is taken out first, so nothing overflows.
 *
 * @param logits  [N, C], floating, N ≥ 1.
 * @param labels  int32 [N] in [0, C).
 * @returns       [N]
 * @throws        SHAPE_MISMATCH, DTYPE_MISMATCH; a label out of range makes the next read reject with BAD_DATA.
 * @see           C. Bishop (2006), Pattern Recognition and Machine Learning, equation (4.108).
 * @example       softmaxCrossEntropy(new Variable(device.zeros([2, 3])), device.tensor([0, 2], { dtype: "int32" }))
 */
export function softmaxCrossEntropy(logits: Variable | Tensor, labels: Tensor): Variable {
  const y = asVariable("softmaxCrossEntropy", logits);
  if (y.shape.length !== 2) {
    throw codedError("SHAPE_MISMATCH", `softmaxCrossEntropy: expected logits [N, C], found [${y.shape.join(", ")}]`);
  }
  checkSamples("softmaxCrossEntropy", y.shape);
  const [samples, classes] = y.shape as readonly [number, number];
  if (!Tensor.is(labels))
    throw codedError("BAD_ARGUMENT", `softmaxCrossEntropy: expected labels to be a Tensor, found ${typeof labels}`);
  if (labels.dtype !== "int32") {
    throw codedError(
      "DTYPE_MISMATCH",
      `softmaxCrossEntropy: expected int32 labels, found ${labels.dtype} [${labels.shape.join(", ")}]`,
    );
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== samples) {
    throw codedError(
      "SHAPE_MISMATCH",
      `softmaxCrossEntropy: expected one label for each of ${samples} samples, found [${labels.shape.join(", ")}]`,
    );
  }
  checkElements(
    labels,
    { outside: [0, classes] },
    { kind: "index out of range", node: "softmaxCrossEntropy", parameter: "labels" },
  );
  const targets = oneHot(labels, classes, { dtype: y.dtype });
  const [losses] = new SoftmaxCrossEntropyFunction(targets).apply(y);
  return losses as Variable;
}
