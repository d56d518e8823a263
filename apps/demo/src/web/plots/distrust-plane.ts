import * as Plot from "@observablehq/plot";
import { alarm, classStyles } from "../../study/figures/palette.js";
import type { RankedPoint } from "../worker/own-data/ranking.js";

const symbols = ["circle", "triangle", "square", "diamond", "star", "cross"] as const;
const colors = [...classStyles.map(({ color }) => color), "#b07d00", "#8b6ad6", "#6a9310"] as const;

/** How rows of a class are drawn; classes beyond the sixth begin again. */
export const ownClassStyle = (label: number) => ({
  color: colors[label % colors.length]!,
  symbol: symbols[label % symbols.length]!,
});

/** Rows in their two principal components, on axes that are linear near 0 and logarithmic beyond; distrusted ones in a ring. */
export function distrustPlane(points: readonly RankedPoint[], marked: number, width: number): SVGSVGElement {
  const axis = { type: "symlog", constant: 3, labelAnchor: "center", labelArrow: "none", ticks: 5 } as const;
  return Plot.plot({
    width,
    height: Math.min(460, Math.max(260, width * 0.7)),
    marginLeft: 50,
    marginBottom: 42,
    x: { ...axis, label: "first component" },
    y: { ...axis, label: "second component" },
    marks: [
      ...symbols.map((symbol, k) =>
        Plot.dot(
          points.filter(({ label }) => label % symbols.length === k),
          { x: "x", y: "y", symbol, r: 2.6, fill: colors[k]!, fillOpacity: 0.75 },
        ),
      ),
      Plot.dot(
        points.filter(({ rank }) => rank < marked),
        { x: "x", y: "y", r: 6.5, stroke: alarm, strokeWidth: 1.8 },
      ),
    ],
  }) as SVGSVGElement;
}
