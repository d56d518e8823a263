import { ownVariant, type VariantName } from "../variants.js";

/** How a variant is drawn: its colour has contrast 3 : 1 or more on white and on near-black, and its dashes tell it apart without colour. */
export interface SeriesStyle {
  readonly color: string;
  /** SVG stroke-dasharray; "none" for a solid line. */
  readonly dashes: string;
}

export const seriesStyles: Readonly<Record<VariantName | typeof ownVariant, SeriesStyle>> = {
  vanilla: { color: "#808080", dashes: "none" },
  published: { color: "#d1570a", dashes: "none" },
  "step-matched-control": { color: "#b07d00", dashes: "7 3" },
  "soft-truncation-equal-scale": { color: "#c2509e", dashes: "2 2.5" },
  "median-of-means-by-layer": { color: "#12908c", dashes: "7 3" },
  "median-of-means-jointly": { color: "#3a7bd5", dashes: "none" },
  [ownVariant]: { color: "#6a9310", dashes: "9 3 2 3" },
};

export function seriesStyle(variant: string): SeriesStyle {
  return (seriesStyles as Readonly<Record<string, SeriesStyle>>)[variant] ?? { color: "#808080", dashes: "none" };
}

/** Colours and shapes of the three classes of flowers. */
export const classStyles = [
  { color: "#3a7bd5", symbol: "circle" },
  { color: "#12908c", symbol: "triangle" },
  { color: "#c2509e", symbol: "square" },
] as const;

/** Displaced points and thresholds. */
export const alarm = "#d1570a";
