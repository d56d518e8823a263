import { codedError, Tensor, where, type SampleMatrix } from "@robgrad/tensor";
import { checkAggregator, defineAggregator, describe, type Aggregator } from "./aggregator.js";

/**
 * One rule on some coordinates, another on the rest: the index set I(t) below the level of a parameter.
 *
 *   x̂_d = robust(g)_d where mask_d, otherwise(g)_d elsewhere
 *
 * Costs the sum of both rules, whatever the mask: its values are known on the device alone, rules of norms and distances
 * need all coordinates, and some coordinates of rows in factors are in no factors. Where whole parameters are left out,
 * `choose` of {@link aggregate} computes one rule. In a captured step a mask that varies from step to step is made by a
 * function of cells or of the step's arguments: what JavaScript decides is decided once, when the step is recorded.
 *
 * @param mask       bool, in the parameter's shape or [D], or a single element for all or none; or a function that makes it
 *                   from the gradients.
 * @param robust     Rule where the mask holds.
 * @param otherwise  Rule elsewhere.
 * @returns          Aggregator, [N, D] → [D].
 * @throws           BAD_PLUGIN for what is not a rule; from the rule, BAD_ARGUMENT for a mask of the wrong size or dtype.
 * @see              Tutorial, Algorithm 1.
 * @example          onCoordinates(device.tensor([true, false]), median(), mean())(gradients)
 */
export function onCoordinates(
  mask: Tensor | ((gradients: SampleMatrix) => Tensor),
  robust: Aggregator,
  otherwise: Aggregator,
): Aggregator {
  checkAggregator("onCoordinates", robust);
  checkAggregator("onCoordinates", otherwise);
  return defineAggregator(`${robust.label}-on-coordinates`, (g, memory) => {
    const found = typeof mask === "function" ? mask(g) : mask;
    if (!Tensor.is(found) || found.dtype !== "bool" || (found.size !== g.features && found.size !== 1)) {
      throw codedError(
        "BAD_ARGUMENT",
        `expected a bool mask of ${g.features} elements or one, found ${describe(found)}`,
      );
    }
    return where(found.reshape([found.size]), robust(g, memory), otherwise(g, memory));
  });
}
