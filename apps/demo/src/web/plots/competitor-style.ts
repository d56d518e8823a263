import { seriesStyles, type SeriesStyle } from "../../study/figures/palette.js";

/** For rules that are not the study's, in their order. Told apart by dashes too, and legible on light and dark ground. */
const more: readonly SeriesStyle[] = [
  { color: "#6a9310", dashes: "9 3 2 3" },
  { color: "#8b6ad6", dashes: "4 2" },
  { color: "#b4552d", dashes: "1 3" },
  { color: "#2f8fbd", dashes: "12 4" },
  { color: "#a8457a", dashes: "6 2 1 2 1 2" },
  { color: "#7a7a1f", dashes: "3 5" },
];

/** How each of some competitors is drawn, wherever it appears. */
export function competitorStyles(names: readonly string[]): ReadonlyMap<string, SeriesStyle> {
  const known = seriesStyles as Readonly<Record<string, SeriesStyle>>;
  let next = 0;
  return new Map(names.map((name) => [name, known[name] ?? more[next++ % more.length]!]));
}
