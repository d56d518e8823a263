import * as Plot from "@observablehq/plot";
import type { RowStyle } from "./plane.js";

const colors = Plot.scale({ color: { type: "linear", domain: [0, 1], scheme: "viridis" } })!;

/**
 * How a row of some weight is drawn: the larger and the lighter the more it counts, half of each at weight 1.
 *
 *   t = w/(1 + w)
 */
export function weightStyle(weight: number): RowStyle {
  const t = weight === Infinity ? 1 : weight / (1 + weight);
  return { radius: 1.5 + 6 * t, opacity: 0.9, fill: colors.apply(t) as string };
}
