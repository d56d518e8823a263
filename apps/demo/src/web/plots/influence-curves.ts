import * as Plot from "@observablehq/plot";
import type { InfluenceCurve } from "../worker/formula-check.js";

/** One's own ψ, Huber's and the mean's, in this order. Their dashes tell them apart, too. */
export const influenceStyles = {
  own: { color: "#6a9310", dashes: "none" },
  huber: { color: "#3a7bd5", dashes: "7 3" },
  mean: { color: "#808080", dashes: "2 2.5" },
} as const;

/** ψ, or the weight ψ(x)/x that a residual has. */
export function influenceCurves({ x, psi, huber }: InfluenceCurve, width: number, of: "psi" | "weight"): SVGSVGElement {
  const weight = (values: readonly number[]) => values.map((value, k) => (x[k] === 0 ? 1 : value / x[k]!));
  const shown =
    of === "psi" ? { own: psi, huber, mean: x } : { own: weight(psi), huber: weight(huber), mean: x.map(() => 1) };
  const top = Math.max(...shown.own.map(Math.abs));
  const high = of === "psi" ? Math.min(6, Math.max(1.8, 1.15 * top)) : Math.min(4, Math.max(1.1, 1.1 * top));
  const low = of === "psi" ? -high : Math.max(-high, Math.min(0, 1.1 * Math.min(...shown.own)));
  return Plot.plot({
    width,
    height: Math.max(200, Math.min(280, width * 0.62)),
    marginLeft: 46,
    marginBottom: 42,
    x: { label: "residual x, in units of the scale", labelAnchor: "center", labelArrow: "none", ticks: 7 },
    y: {
      domain: [low, high],
      label: of === "psi" ? "influence ψ(x)" : "weight ψ(x)/x",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 5,
      grid: true,
    },
    clip: true,
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.5 }),
      Plot.ruleX([0], { strokeOpacity: 0.25 }),
      ...(["mean", "huber", "own"] as const).map((name) =>
        Plot.line(
          shown[name].map((y, k) => [x[k]!, y]),
          {
            stroke: influenceStyles[name].color,
            strokeDasharray: influenceStyles[name].dashes,
            strokeWidth: name === "own" ? 3 : 2,
            clip: true,
          },
        ),
      ),
    ],
  }) as SVGSVGElement;
}
