import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable, Link, type ForwardOptions } from "./link.js";

/** A step of a Sequential: a link, or a function without parameters such as `relu`. */
export type Layer = Link | ((x: Variable, options: ForwardOptions) => Variable);

/**
 * Layers one after another. Parameters are named by position: `0.W`, `0.b`, `2.W`, …
 *
 * @param layers  Links and functions of one Variable.
 * @throws        BAD_ARGUMENT for anything else.
 * @example       const model = new Sequential(new Linear(2, 10, { rng }), relu, new Linear(10, 3, { rng }));
 */
export class Sequential extends Link {
  readonly layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    layers.forEach((layer, k) => {
      if (!(layer instanceof Link) && typeof layer !== "function") {
        throw codedError(
          "BAD_ARGUMENT",
          `Sequential: expected links and functions, found ${typeof layer} at position ${k}`,
        );
      }
    });
    this.layers = layers;
    // Errors then say which layer's W they mean; a model around this one renames its parameters again.
    for (const [path, parameter] of this.namedParameters()) parameter.name = path;
  }

  /** The last layer's output for x, whose axis 0 counts samples. */
  forward(x: Variable | Tensor, options: ForwardOptions = {}): Variable {
    return this.layers.reduce<Variable>(
      (value, layer) => (layer instanceof Link ? layer.forward(value, options) : layer(value, options)),
      asVariable("Sequential", x),
    );
  }

  protected override children(): Readonly<Record<string, unknown>> {
    return { ...this.layers };
  }
}
