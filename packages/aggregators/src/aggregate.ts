import { concatenated, tidy, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkSamples } from "@robgrad/tensor/kernels";
import type { Aggregator } from "./aggregator.js";
import { byParameter, groupsOf, nameOf, type Choice, type Grouping } from "./group.js";
import { memoryOf } from "./memory.js";
import { checkPolicy, withoutNonFinite, type NonFinitePolicy } from "./non-finite.js";

/** What a rule sees as one vector, and what becomes of values that are not finite. */
export interface AggregateOptions<P> {
  /** Which parameters a rule sees as one vector: `byParameter` (default), `byLayer(model)`, `all`, or a key for each. */
  readonly group?: Grouping<P>;
  /** NaN and infinities: `"reject"` (default) makes the next read reject, `"drop"` puts the mean of the other rows there. */
  readonly nonFinite?: NonFinitePolicy;
}

/** One tensor per parameter, in its shape. */
export interface Aggregated<P> extends Map<P, Tensor> {
  /** With `"drop"`: whether a row of the sample was replaced in any group, bool [N]; a step may return it. */
  readonly dropped?: Tensor;
}

/**
 * Combines the gradients of N samples into one per parameter.
 *
 *   ĝ = A(g₁, …, g_N)   for every group of parameters, A its rule
 *
 * Costs what the rule asks for, and a look at the factors for values that are not finite. Parameters of one group that
 * choose different rules form a group for each rule.
 *
 * @param gradients  One sample matrix per parameter, as `sampleGradients` makes them.
 * @param rule       A rule for all parameters, or `{ choose }`: a function from a parameter to its rule.
 * @param options    `group` and `nonFinite`.
 * @returns          One tensor per parameter, in its shape, for `optimizer.update`. With `"drop"` its `dropped` tells
 *                   which samples were replaced.
 * @throws           BAD_PLUGIN for what is not a rule, naming a rule that throws or whose answer is not [D];
 *                   BAD_ARGUMENT for wrong options or gradients. With `"reject"`, the next read rejects with BAD_DATA
 *                   naming the parameter and the first sample whose gradient is not finite.
 * @see              Tutorial, Algorithm 1.
 * @example          aggregate(samples, { choose: (p) => (p === weight ? median() : mean()) }, { group: all })
 */
export function aggregate<P>(
  gradients: ReadonlyMap<P, SampleMatrix>,
  rule: Aggregator | Choice<P>,
  { group = byParameter, nonFinite = "reject" }: AggregateOptions<P> = {},
): Aggregated<P> {
  checkPolicy(nonFinite);
  const found = new Map<P, Tensor>();
  let dropped: Tensor | undefined;
  for (const { rule: own, key, parameters } of groupsOf("aggregate", gradients, rule, group)) {
    const parts = parameters.map((parameter) => gradients.get(parameter) as SampleMatrix);
    const before = dropped;
    const made = tidy(() => {
      const matrix = parts.length === 1 ? (parts[0] as SampleMatrix) : concatenated(parts);
      const memory = memoryOf(own, matrix.device, parameters[0], key);
      if (nonFinite === "drop") {
        const rest = withoutNonFinite(matrix, nameOf(parameters[0], key));
        const all = before === undefined ? rest.dropped : before.or(rest.dropped);
        return { tensors: cut(own(rest.gradients, memory), parts), dropped: all };
      }
      parts.forEach((part, k) => checkSamples(part, { node: "aggregate", parameter: nameOf(parameters[k], key) }));
      return { tensors: cut(own(matrix, memory), parts) };
    });
    parameters.forEach((parameter, k) => found.set(parameter, made.tensors[k] as Tensor));
    if (before !== made.dropped) before?.dispose();
    dropped = made.dropped;
  }
  const inOrder = new Map([...gradients.keys()].map((parameter) => [parameter, found.get(parameter) as Tensor]));
  return dropped === undefined ? inOrder : Object.assign(inOrder, { dropped });
}

/** One vector as tensors in the parameters' shapes. */
function cut(row: Tensor, parts: readonly SampleMatrix[]): Tensor[] {
  if (parts.length === 1) return parts.map((part) => row.reshape(part.shape));
  let start = 0;
  return parts.map((part) => row.slice([start, (start += part.features)]).reshape(part.shape));
}
