import { codedError, concatenated, isSampleMatrix, tidy, where, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkSamples } from "@robgrad/tensor/kernels";
import type { Aggregator } from "./aggregator.js";
import { byParameter, groupsOf, nameOf, type Choice, type Group, type Grouping } from "./group.js";

/** What every sample did to an answer: tensors [N]. */
export interface InfluenceReport {
  /** ‖A(g) − A(g without n)‖ / ‖A(g)‖, ∞ where A(g) is 0 and the other answer is not. */
  readonly influence: Tensor;
  /** ‖gₙ‖, in the units of the gradient. */
  readonly norms: Tensor;
  /** ⟨gₙ, A(g)⟩ / (‖gₙ‖ ‖A(g)‖), 0 where either is 0. */
  readonly cosines: Tensor;
  /**
   * How much of a sample counts: exact weights of a rule that is a weighted sum, the mean over coordinates of ψ(z)/z for
   * one with an influence function ψ, null for any other rule and for groups with weights of both kinds.
   */
  readonly weights: Tensor | null;
}

/** The numbers of a column tile of rows, at most. */
const tile = 2 ** 18;

/**
 * What every sample does to the answer of a rule.
 *
 *   influence of n = ‖A(g) − A(g without n)‖ / ‖A(g)‖
 *
 * Costs the rule N times on N − 1 samples: for looking at a batch, not for training. Norms and products are those of all
 * parameters together; weights of several groups are averaged over coordinates. A rule with a memory starts from none
 * each time, and one that draws random numbers differs by its draws, too.
 *
 * @param gradients  One sample matrix, or one per parameter, as `sampleGradients` makes them; N ≥ 2.
 * @param rule       A rule that takes N − 1 samples, or `{ choose }`, as for {@link aggregate}.
 * @param options    `group`: which parameters the rule sees as one vector, as for {@link aggregate}.
 * @returns          Influence, norms, cosines and weights, each [N].
 * @throws           BAD_ARGUMENT unless there are two samples or more; what the rule throws. Gradients that are not
 *                   finite make the next read reject with BAD_DATA, naming the sample.
 * @see              F. Hampel et al. (1986), Robust statistics, §2.1e: the sensitivity curve.
 * @example          await explain(gradients, mean()).influence.toArray() // the last sample decided
 */
export function explain<P>(
  gradients: SampleMatrix | ReadonlyMap<P, SampleMatrix>,
  rule: Aggregator | Choice<P>,
  { group = byParameter }: { readonly group?: Grouping<P> } = {},
): InfluenceReport {
  const map = isSampleMatrix(gradients) ? new Map([["gradients" as P, gradients]]) : gradients;
  const groups = groupsOf("explain", map, rule, group);
  const matrices = groups.map(({ parameters }) => joined(parameters.map((p) => map.get(p) as SampleMatrix)));
  const [first] = matrices;
  if (first === undefined || first.samples < 2) {
    throw codedError(
      "BAD_ARGUMENT",
      `explain: expected gradients of at least two samples, found ${first === undefined ? "none" : first.samples}`,
    );
  }
  return tidy(() => {
    const { samples, device, dtype } = first;
    matrices.forEach((matrix, k) =>
      checkSamples(matrix, { node: "explain", parameter: nameOf(groups[k]?.parameters[0], groups[k]?.key) }),
    );
    const total = (part: (matrix: SampleMatrix, group: number) => Tensor) =>
      matrices.map(part).reduce((sum, next) => sum.add(next));
    const answers = matrices.map((matrix, k) => (groups[k] as Group<P>).rule(matrix));
    const answerOf = (k: number) => answers[k] as Tensor;
    const size = total((_, k) => answerOf(k).square().sum()).sqrt();

    let shifts: Tensor = device.zeros([samples], { dtype });
    for (let n = 0; n < samples; n++) {
      const others = Int32Array.from({ length: samples - 1 }, (_, k) => (k < n ? k : k + 1));
      const before = shifts;
      shifts = tidy(() => {
        const kept = device.tensor(others);
        const moved = total((matrix, k) =>
          (groups[k] as Group<P>).rule(matrix.take(kept)).sub(answerOf(k)).square().sum(),
        );
        return where(device.arange(samples, { dtype: "int32" }).equal(n), moved.sqrt(), before);
      });
    }
    const norms = total((matrix) => matrix.squaredNorms()).sqrt();
    const lengths = norms.mul(size);
    const known = lengths.greater(0);
    const products = total((matrix, k) => matrix.dot(answerOf(k)));
    return {
      influence: where(shifts.greater(0), shifts.div(size), 0),
      norms,
      cosines: where(known, products.div(where(known, lengths, 1)), 0),
      weights: weightsOf(matrices, groups),
    };
  });
}

const joined = (parts: readonly SampleMatrix[]): SampleMatrix =>
  parts.length === 1 ? (parts[0] as SampleMatrix) : concatenated(parts);

/** Weights of every group, averaged over coordinates; null unless all rules have some, of one kind. */
function weightsOf<P>(matrices: readonly SampleMatrix[], groups: readonly Group<P>[]): Tensor | null {
  const features = matrices.reduce((sum, matrix) => sum + matrix.features, 0);
  // Exact weights are shares of one sample in N, ψ(z)/z is 1 for a sample that counts fully.
  if (new Set(groups.map(({ rule }) => rule.weights === undefined)).size > 1) return null;
  let mean: Tensor | null = null;
  for (const [k, matrix] of matrices.entries()) {
    const { rule } = groups[k] as Group<P>;
    const own = rule.weights?.(matrix) ?? meanWeights(matrix, rule);
    if (own === null) return null;
    const part: Tensor = own.mul(matrix.features / features);
    mean = mean === null ? part : mean.add(part);
  }
  return mean;
}

/** The mean over coordinates of ψ(z)/z, 1 where z = 0, a tile of columns at a time. */
function meanWeights(gradients: SampleMatrix, rule: Aggregator): Tensor | null {
  if (rule.residuals === undefined) return null;
  const { samples, features, device, dtype } = gradients;
  const { center, scale, influence } = rule.residuals(gradients);
  const width = Math.max(1, Math.floor(tile / samples));
  let total: Tensor = device.zeros([samples], { dtype });
  for (let start = 0; start < features; start += width) {
    const range = [start, Math.min(features, start + width)] as const;
    const earlier = total;
    total = tidy(() => {
      const [origin, unit] = [center.slice(range), scale.slice(range)];
      const spread = unit.greater(0);
      const z = where(
        spread,
        gradients
          .rows(range)
          .sub(origin)
          .div(where(spread, unit, 1)),
        0,
      );
      const weight = z.map((u) => where(u.equal(0), 1, where(u.equal(0), 1, u).reciprocal().mul(influence(u))));
      return earlier.add(weight.sum({ axis: 1 }));
    });
  }
  return total.div(features);
}
