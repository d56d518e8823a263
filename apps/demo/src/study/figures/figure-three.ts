import * as Plot from "@observablehq/plot";
import type { FigureThreeData } from "../figure-three-data.js";
import type { Point } from "../spread.js";
import { alarm, classStyles } from "./palette.js";
import { element, panel, picture, text, type DrawingDocument } from "./picture.js";

const classNames = ["setosa", "versicolor", "virginica"];
const width = 960;
const panelWidth = 300;
const top = 74;

/**
 * Figure 3: the training rows of the first trial after projection, after normalization with the circle that displaced
 * points land on, and after some of them are displaced. All panels have equal units on both axes.
 *
 * @param document  A browser's, or one made without a browser.
 * @see             Tutorial, Figure 3.
 * @example         const svg = figureThree(study.figureThree, document).outerHTML;
 */
export function figureThree(data: FigureThreeData, document: DrawingDocument): SVGElement {
  const { centre, radius } = data.ball;
  const around = square([...data.normalized, ...data.perturbed, ...circle(centre, radius)]);
  const panels = [
    { title: "After projection", points: data.projected, range: square(data.projected), ball: false, moved: false },
    {
      title: "Normalized, with the circle of radius kσ",
      points: data.normalized,
      range: around,
      ball: true,
      moved: false,
    },
    { title: `After displacement, k = ${data.factor}`, points: data.perturbed, range: around, ball: true, moved: true },
  ];
  const axes = [
    ["first component (cm)", "second component (cm)"],
    ["first component, scaled", "second component, scaled"],
  ];
  const drawn = panels.flatMap(({ title, points, range, ball, moved }, k) => {
    const [xLabel, yLabel] = axes[Math.min(k, 1)] as [string, string];
    const rows = points.map(([x, y], n) => ({ x, y, label: data.labels[n]!, displaced: data.displaced.includes(n) }));
    const marks = [
      ...(ball
        ? [
            Plot.line(circle(centre, radius), { stroke: "currentColor", strokeOpacity: 0.55, strokeDasharray: "4 3" }),
            Plot.dot([centre], { symbol: "plus", r: 5, stroke: "currentColor", strokeWidth: 1.5 }),
          ]
        : []),
      ...classStyles.map(({ color, symbol }, label) =>
        Plot.dot(
          rows.filter((row) => row.label === label),
          { x: "x", y: "y", symbol, r: 2.8, fill: color, fillOpacity: 0.85 },
        ),
      ),
      Plot.dot(
        rows.filter((row) => row.displaced),
        { x: "x", y: "y", r: moved ? 7 : 5, stroke: alarm, strokeWidth: 2 },
      ),
    ];
    const plot = Plot.plot({
      document: document as Document,
      width: panelWidth,
      height: panelWidth + 18,
      marginLeft: 44,
      marginRight: 8,
      marginTop: 26,
      marginBottom: 44,
      x: { domain: range.x, label: xLabel, labelAnchor: "center", labelArrow: "none", ticks: 5 },
      y: { domain: range.y, label: yLabel, labelAnchor: "center", labelArrow: "none", ticks: 5 },
      grid: true,
      marks: [Plot.frame({ strokeOpacity: 0.3 }), ...marks],
    });
    const left = 10 + k * (panelWidth + 15);
    return [text(document, title, { x: left + 44, y: top + 14, weight: 600 }), panel(document, plot, left, top)];
  });
  return picture(
    document,
    {
      width,
      height: top + panelWidth + 30,
      title: "Figure 3. Iris in the plane of its first two principal components, and the displaced points",
      description: `Training rows of the first trial in three panels: projected, normalized to the unit square with the circle of radius ${data.factor}σ around the mean, and with ${data.displaced.length} points displaced onto that circle.`,
    },
    [
      text(document, "Iris in the plane, and the displaced points", { x: 16, y: 24, size: 15, weight: 650 }),
      legend(document),
      ...drawn,
    ],
  );
}

function legend(document: DrawingDocument): SVGElement {
  const shapes = [
    (color: string) => element(document, "circle", { r: 4, fill: color }),
    (color: string) => element(document, "path", { d: "M0,-4.6L4.4,3.4L-4.4,3.4Z", fill: color }),
    (color: string) => element(document, "rect", { x: -3.8, y: -3.8, width: 7.6, height: 7.6, fill: color }),
  ];
  const entries = [
    ...classNames.map((name, k) => ({ name, shape: shapes[k]!(classStyles[k]!.color) })),
    {
      name: "displaced point",
      shape: element(document, "circle", { r: 5.5, fill: "none", stroke: alarm, "stroke-width": 2 }),
    },
    {
      name: "mean",
      shape: element(document, "path", {
        d: "M-5,0H5M0,-5V5",
        stroke: "currentColor",
        "stroke-width": 1.5,
        fill: "none",
      }),
    },
  ];
  return element(
    document,
    "g",
    { transform: "translate(22,48)" },
    ...entries.map(({ name, shape }, k) =>
      element(document, "g", { transform: `translate(${k * 130},0)` }, shape, text(document, name, { x: 12, y: 4 })),
    ),
  );
}

function circle([x, y]: Point, radius: number): Point[] {
  return Array.from({ length: 121 }, (_, k) => {
    const angle = (2 * Math.PI * k) / 120;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}

/** Ranges of equal length that hold all points with some room. */
function square(points: readonly Point[]): { x: [number, number]; y: [number, number] } {
  const extent = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [left, right] = extent(points.map(([x]) => x));
  const [low, high] = extent(points.map(([, y]) => y));
  const half = 0.54 * Math.max(right - left, high - low);
  const range = (from: number, to: number): [number, number] => [(from + to) / 2 - half, (from + to) / 2 + half];
  return { x: range(left, right), y: range(low, high) };
}
