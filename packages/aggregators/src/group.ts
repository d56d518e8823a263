import { codedError, isSampleMatrix, type SampleMatrix } from "@robgrad/tensor";
import { checkAggregator, describe, type Aggregator } from "./aggregator.js";

/** Assigns parameters to groups: those with one key are aggregated as one vector. */
export type Grouping<P> = (parameter: P) => unknown;

/** A rule for every parameter: the index set I(t) of the tutorial's Algorithm 1. */
export interface Choice<P> {
  readonly choose: (parameter: P) => Aggregator;
}

/**
 * Every parameter by itself; what {@link aggregate} does unless told otherwise.
 *
 * @example  aggregate(samples, geometricMedian(), { group: byParameter })
 */
export const byParameter: Grouping<unknown> = (parameter) => parameter;

/**
 * All parameters as one vector.
 *
 * @example  aggregate(samples, medianOfMeans({ blocks: 2 }), { group: all })
 */
export const all: Grouping<unknown> = () => "all";

/** What {@link byLayer} reads of a model: `"0.W"`, `"0.b"`, … with the parameters. */
export interface NamedParameters<P> {
  namedParameters(): Iterable<readonly [name: string, parameter: P]>;
}

/**
 * The parameters of a layer as one vector: W and b together. A layer is a name without its last segment.
 *
 * @param model  Anything with `namedParameters()`.
 * @returns      Grouping for {@link aggregate}; it throws BAD_ARGUMENT for a parameter that the model does not name.
 * @example      aggregate(samples, medianOfMeans({ blocks: 2 }), { group: byLayer(model) })
 */
export function byLayer<P>(model: NamedParameters<P>): Grouping<P> {
  if (typeof model?.namedParameters !== "function") {
    throw codedError(
      "BAD_ARGUMENT",
      `byLayer: expected a model with namedParameters(), found ${model === null ? "null" : typeof model}`,
    );
  }
  const layers = new Map<P, string>();
  return (parameter) => {
    if (!layers.has(parameter)) {
      for (const [name, p] of model.namedParameters()) layers.set(p, name.slice(0, Math.max(0, name.lastIndexOf("."))));
    }
    const layer = layers.get(parameter);
    if (layer === undefined)
      throw codedError(
        "BAD_ARGUMENT",
        "byLayer: expected parameters of the model it was given, found one that the model does not name",
      );
    return layer;
  };
}

/** Parameters that a rule sees as one vector. */
export interface Group<P> {
  readonly rule: Aggregator;
  readonly key: unknown;
  readonly parameters: P[];
}

/** The groups that rules form of parameters, after a look at all three arguments; `subject` is who was called. */
export function groupsOf<P>(
  subject: string,
  gradients: ReadonlyMap<P, SampleMatrix>,
  rule: Aggregator | Choice<P>,
  group: Grouping<P>,
): Group<P>[] {
  if (typeof group !== "function") {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected group to be byParameter, byLayer(model), all or a function of a parameter, found ${describe(group)}`,
    );
  }
  checkGradients(subject, gradients);
  const groups: Group<P>[] = [];
  const byKey = new Map<unknown, Group<P>[]>();
  for (const parameter of gradients.keys()) {
    const own = ruleFor(subject, rule, parameter);
    const key = group(parameter);
    const sharing = byKey.get(key) ?? [];
    byKey.set(key, sharing);
    let found = sharing.find((candidate) => candidate.rule === own);
    if (found === undefined) {
      if (sharing.some((candidate) => candidate.rule.label === own.label)) {
        throw codedError(
          "BAD_ARGUMENT",
          `${subject}: expected one ${own.label} rule for the group of ${nameOf(parameter, key)}, found two made separately; make the rule once, outside choose`,
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

function ruleFor<P>(subject: string, rule: Aggregator | Choice<P>, parameter: P): Aggregator {
  if (typeof rule === "object" && rule !== null && "choose" in rule) {
    if (typeof rule.choose !== "function") {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected choose to be a function from a parameter to its rule, found ${describe(rule.choose)}`,
      );
    }
    const chosen: unknown = rule.choose(parameter);
    checkAggregator(`${subject}, choose(${nameOf(parameter)})`, chosen);
    return chosen;
  }
  checkAggregator(subject, rule);
  return rule;
}

function checkGradients(subject: string, gradients: unknown): void {
  const map = gradients as Partial<ReadonlyMap<unknown, unknown>> | null | undefined;
  if (typeof map?.get !== "function" || typeof map[Symbol.iterator] !== "function") {
    throw codedError(
      "BAD_ARGUMENT",
      `${subject}: expected a map from parameters to sample matrices, as sampleGradients makes, found ${describe(gradients)}`,
    );
  }
  for (const [parameter, matrix] of gradients as ReadonlyMap<unknown, unknown>) {
    if (!isSampleMatrix(matrix)) {
      throw codedError(
        "BAD_ARGUMENT",
        `${subject}: expected a sample matrix for ${nameOf(parameter)}, found ${describe(matrix)}`,
      );
    }
  }
}

/** What messages call a parameter: its name, itself if it is one, or the key of its group. */
export function nameOf(parameter: unknown, key?: unknown): string {
  const name: unknown =
    typeof parameter === "object" && parameter !== null && "name" in parameter ? parameter.name : parameter;
  if (typeof name === "string" && name !== "") return name;
  return typeof key === "string" && key !== "" ? key : "a parameter";
}
