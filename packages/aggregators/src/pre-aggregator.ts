import { codedError, Tensor, type SampleMatrix } from "@robgrad/tensor";
import { describe } from "./aggregator.js";

const brand: unique symbol = Symbol.for("robgrad.pre-aggregator");

/**
 * What goes before a rule: a linear map of the rows, chosen by looking at them. `samples` answers the sample matrix that
 * the rule gets to see, `spread` turns weights of its rows into weights of the samples.
 */
export interface PreAggregator {
  (gradients: SampleMatrix): { readonly samples: SampleMatrix; readonly spread: (weights: Tensor) => Tensor };
  /** What errors and tables call it. */
  readonly label: string;
  readonly [brand]: true;
}

/**
 * Makes a step that goes before a rule, for {@link compose}.
 *
 * @param label  Names it in errors and tables.
 * @param map    Answers weights [M, N], whose rows mix the samples into M new ones, or a factor for every sample [N].
 * @returns      The step.
 * @throws       BAD_PLUGIN for a label or a map of the wrong kind, and from the step when it answers something else.
 * @example
 * // Rows of length 1, whatever they were.
 * definePreAggregator("unit rows", (g) => g.squaredNorms().sqrt().reciprocal());
 */
export function definePreAggregator(label: string, map: (gradients: SampleMatrix) => Tensor): PreAggregator {
  if (typeof label !== "string" || label === "") {
    throw codedError(
      "BAD_PLUGIN",
      `definePreAggregator: expected a label such as "clipping", found ${describe(label)}`,
    );
  }
  if (typeof map !== "function") {
    throw codedError(
      "BAD_PLUGIN",
      `definePreAggregator("${label}"): expected a function from a sample matrix to a tensor, found ${describe(map)}`,
    );
  }
  return preAggregator(label, (gradients) => {
    const weights: unknown = map(gradients);
    const { samples } = gradients;
    if (Tensor.is(weights) && weights.shape.length === 1 && weights.shape[0] === samples) {
      return { samples: gradients.scale(weights), spread: (of) => of.mul(weights) };
    }
    if (Tensor.is(weights) && weights.shape.length === 2 && weights.shape[1] === samples) {
      return { samples: gradients.mix(weights), spread: (of) => of.matmul(weights) };
    }
    throw codedError(
      "BAD_PLUGIN",
      `${label}: expected weights [M, ${samples}] or factors [${samples}], found ${describe(weights)}`,
    );
  });
}

export function preAggregator(
  label: string,
  step: (gradients: SampleMatrix) => ReturnType<PreAggregator>,
): PreAggregator {
  Object.defineProperty(step, "name", { value: label });
  return Object.assign(step, { label, [brand]: true as const });
}

export function isPreAggregator(value: unknown): value is PreAggregator {
  return typeof value === "function" && brand in value;
}
