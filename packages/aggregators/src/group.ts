import { codedError } from "@robgrad/tensor";

/** Assigns parameters to groups: those with one key are aggregated as one vector. */
export type Grouping<P> = (parameter: P) => unknown;

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
