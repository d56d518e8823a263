import * as Plot from "@observablehq/plot";
import type { Estimate } from "../../study/estimate.js";
import type { SeriesStyle } from "../../study/figures/palette.js";

interface BreakdownSeries {
  readonly style: SeriesStyle;
  readonly points: readonly { readonly x: number; readonly testError: Estimate }[];
}

interface BreakdownCurvesOptions {
  readonly width: number;
  readonly label: string;
  /** Logarithmic unless linear. */
  readonly linear: boolean;
  readonly domain: readonly [number, number];
  readonly tickFormat: (value: number) => string;
  /** Where the slider stands. */
  readonly marked: number;
}

/** Trials below which an interval says next to nothing. */
export const fewestOfBand = 5;

/** Mean test error of rules with 95 % intervals, against how much or how badly the rows are spoilt. */
export function breakdownCurves(series: readonly BreakdownSeries[], options: BreakdownCurvesOptions): SVGSVGElement {
  const { width, label, linear, domain, tickFormat, marked } = options;
  const highest = Math.max(0.8, ...series.flatMap(({ points }) => points.map(({ testError }) => testError.mean)));
  const within = (value: number) => Math.min(highest, Math.max(0, value));
  return Plot.plot({
    width,
    height: Math.max(220, Math.min(320, width * 0.65)),
    marginLeft: 46,
    marginRight: 24,
    marginBottom: 42,
    x: {
      type: linear ? "linear" : "log",
      domain,
      label,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: Math.max(2, Math.floor(width / 90)),
      tickFormat,
    },
    y: {
      domain: [0, highest],
      clamp: true,
      label: "test error",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 5,
      grid: true,
    },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.ruleX([marked], { stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "2 3" }),
      ...series.map(({ style, points }) =>
        Plot.areaY(
          points.filter(({ testError: { count } }) => count >= fewestOfBand),
          {
            x: "x",
            y1: (point: (typeof points)[number]) => within(point.testError.interval[0]),
            y2: (point: (typeof points)[number]) => within(point.testError.interval[1]),
            fill: style.color,
            fillOpacity: 0.14,
          },
        ),
      ),
      ...series.flatMap(({ style: { color, dashes }, points }) => {
        const y = (point: (typeof points)[number]) => point.testError.mean;
        return [
          Plot.line(points, { x: "x", y, stroke: color, strokeWidth: 2, strokeDasharray: dashes }),
          Plot.dot(points, { x: "x", y, r: (point) => (point.x === marked ? 4.5 : 2), fill: color }),
        ];
      }),
    ],
  }) as SVGSVGElement;
}
