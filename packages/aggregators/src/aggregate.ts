import { codedError, concatenated, isSampleMatrix, tidy, type SampleMatrix, type Tensor } from "@robgrad/tensor";
import { checkSamples } from "@robgrad/tensor/kernels";
import { checkAggregator, describe, type Aggregator } from "./aggregator.js";
import { byParameter, type Grouping } from "./group.js";
import { memoryOf } from "./memory.js";
import { checkPolicy, withoutNonFinite, type NonFinitePolicy } from "./non-finite.js";

/** A rule for every parameter: the index set I(t) of the tutorial's Algorithm 1. */
export interface Choice<P> {
  readonly choose: (parameter: P) => Aggregator;
}

/** What a rule sees as one vector, and what becomes of values that are not finite. */
export interface AggregateOptions<P> {
  /** Which parameters a rule sees as one vector: `byParameter` (default), `byLayer(model)`, `all`, or a key for each. */
  readonly group?: Grouping<P>;
  /** NaN and infinities: `"reject"` (default) makes the next read reject, `"drop"` puts the mean of the other rows there. */
  readonly nonFinite?: NonFinitePolicy;
}

/** Parameters that a rule sees as one vector. */
interface Group<P> {
  readonly rule: Aggregator;
  readonly key: unknown;
  readonly parameters: P[];
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
 * @returns          One tensor per parameter, in its shape, for `optimizer.update`.
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
): Map<P, Tensor> {
  checkPolicy(nonFinite);
  if (typeof group !== "function") {
    throw codedError(
      "BAD_ARGUMENT",
      `aggregate: expected group to be byParameter, byLayer(model), all or a function of a parameter, found ${describe(group)}`,
    );
  }
  checkGradients(gradients);
  const found = new Map<P, Tensor>();
  for (const { rule: own, key, parameters } of groupsOf(gradients, rule, group)) {
    const parts = parameters.map((parameter) => gradients.get(parameter) as SampleMatrix);
    const tensors = tidy(() => {
      const matrix = parts.length === 1 ? (parts[0] as SampleMatrix) : concatenated(parts);
      const memory = memoryOf(own, matrix.device, parameters[0], key);
      if (nonFinite === "drop") return cut(own(withoutNonFinite(matrix, nameOf(parameters[0], key)), memory), parts);
      parts.forEach((part, k) => checkSamples(part, { node: "aggregate", parameter: nameOf(parameters[k], key) }));
      return cut(own(matrix, memory), parts);
    });
    parameters.forEach((parameter, k) => found.set(parameter, tensors[k] as Tensor));
  }
  return new Map([...gradients.keys()].map((parameter) => [parameter, found.get(parameter) as Tensor]));
}

/** One vector as tensors in the parameters' shapes. */
function cut(row: Tensor, parts: readonly SampleMatrix[]): Tensor[] {
  if (parts.length === 1) return parts.map((part) => row.reshape(part.shape));
  let start = 0;
  return parts.map((part) => row.slice([start, (start += part.features)]).reshape(part.shape));
}

function groupsOf<P>(
  gradients: ReadonlyMap<P, SampleMatrix>,
  rule: Aggregator | Choice<P>,
  group: Grouping<P>,
): Group<P>[] {
  const groups: Group<P>[] = [];
  const byKey = new Map<unknown, Group<P>[]>();
  for (const parameter of gradients.keys()) {
    const own = ruleFor(rule, parameter);
    const key = group(parameter);
    const sharing = byKey.get(key) ?? [];
    byKey.set(key, sharing);
    let found = sharing.find((candidate) => candidate.rule === own);
    if (found === undefined) {
      if (sharing.some((candidate) => candidate.rule.label === own.label)) {
        throw codedError(
          "BAD_ARGUMENT",
          `aggregate: expected one ${own.label} rule for the group of ${nameOf(parameter, key)}, found two made separately; make the rule once, outside choose`,
        );
      }
      found = { rule: own, key, parameters: [] };
      sharing.push(found);
      groups.push(found);
    }
    found.parameters.push(parameter);
  }
  return groups;
}

function ruleFor<P>(rule: Aggregator | Choice<P>, parameter: P): Aggregator {
  if (typeof rule === "object" && rule !== null && "choose" in rule) {
    if (typeof rule.choose !== "function") {
      throw codedError(
        "BAD_ARGUMENT",
        `aggregate: expected choose to be a function from a parameter to its rule, found ${describe(rule.choose)}`,
      );
    }
    const chosen: unknown = rule.choose(parameter);
    checkAggregator(`aggregate, choose(${nameOf(parameter)})`, chosen);
    return chosen;
  }
  checkAggregator("aggregate", rule);
  return rule;
}

function checkGradients(gradients: unknown): void {
  const map = gradients as Partial<ReadonlyMap<unknown, unknown>> | null | undefined;
  if (typeof map?.get !== "function" || typeof map[Symbol.iterator] !== "function") {
    throw codedError(
      "BAD_ARGUMENT",
      `aggregate: expected a map from parameters to sample matrices, as sampleGradients makes, found ${describe(gradients)}`,
    );
  }
  for (const [parameter, matrix] of gradients as ReadonlyMap<unknown, unknown>) {
    if (!isSampleMatrix(matrix)) {
      throw codedError(
        "BAD_ARGUMENT",
        `aggregate: expected a sample matrix for ${nameOf(parameter)}, found ${describe(matrix)}`,
      );
    }
  }
}

/** What messages call a parameter: its name, itself if it is one, or the key of its group. */
function nameOf(parameter: unknown, key?: unknown): string {
  const name: unknown =
    typeof parameter === "object" && parameter !== null && "name" in parameter ? parameter.name : parameter;
  if (typeof name === "string" && name !== "") return name;
  return typeof key === "string" && key !== "" ? key : "a parameter";
}
