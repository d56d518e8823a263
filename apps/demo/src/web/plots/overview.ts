import * as Plot from "@observablehq/plot";
import { alarm, classStyles } from "../../study/figures/palette.js";
import type { Scene } from "../worker/live-run.js";

/**
 * All training rows on axes that grow logarithmically away from 0, so that none is out of sight; the unit square is dashed.
 *
 * @param reach   Of the axes, at least.
 * @param chosen  The row that is looked at.
 */
export function overview(
  { train, mean }: Scene,
  width: number,
  { reach = 1.5, chosen = null }: { readonly reach?: number; readonly chosen?: number | null } = {},
): SVGSVGElement {
  const farthest = Math.max(reach, ...train.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]));
  const domain = [-1.3 * farthest, 1.3 * farthest];
  const powers = Math.max(1, Math.ceil(Math.log10(farthest)));
  const ticks = Array.from({ length: powers }, (_, k) => 10 ** (k + (powers > 3 ? k % 2 : 0))).filter(
    (t) => t <= farthest * 1.3,
  );
  const axis = {
    type: "symlog",
    constant: 0.1,
    domain,
    ticks: [...ticks.map((t) => -t), 0, ...ticks],
    tickFormat: (t: number) =>
      Math.abs(t) >= 1000
        ? `${t < 0 ? "−" : ""}10${superscript(Math.log10(Math.abs(t)))}`
        : String(t).replace("-", "−"),
    labelAnchor: "center",
    labelArrow: "none",
  } as const;
  const corners = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
    [0, 0],
  ] as const;
  return Plot.plot({
    width,
    height: width,
    marginLeft: 44,
    marginBottom: 40,
    x: { ...axis, label: "first component, scaled" },
    y: { ...axis, label: "second component, scaled" },
    grid: true,
    marks: [
      Plot.line(corners, { stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "3 2" }),
      Plot.dot([mean], { symbol: "plus", stroke: "currentColor", r: 4 }),
      ...classStyles.map(({ color, symbol }, label) =>
        Plot.dot(
          train.filter((row) => row.label === label),
          { x: "x", y: "y", symbol, r: 2.4, fill: color, fillOpacity: 0.85 },
        ),
      ),
      Plot.dot(
        train.filter(({ displaced }) => displaced),
        { x: "x", y: "y", r: 7, stroke: alarm, strokeWidth: 2 },
      ),
      Plot.dot(chosen === null ? [] : [train[chosen]!], {
        x: "x",
        y: "y",
        r: 9,
        stroke: "currentColor",
        strokeWidth: 2,
      }),
    ],
  }) as SVGSVGElement;
}

const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (power: number) => [...String(Math.round(power))].map((digit) => digits[Number(digit)]).join("");
