import * as Plot from "@observablehq/plot";
import type { StudyResult } from "../study-result.js";
import { meanCurves } from "../summary.js";
import { seriesStyle } from "./palette.js";
import { element, panel, picture, text, type DrawingDocument } from "./picture.js";

/** Below this width, panels and legend stand one below the other. */
const stackedBelow = 640;
const panelHeight = 360;
/** Between panels one below the other. */
const gap = 14;

interface SeriesPoint {
  readonly x: number;
  readonly y: number;
  readonly interval: readonly [number, number];
}

/**
 * Figure 4: misclassification against the cost in gradients computed, training rows left, test rows right, one curve a
 * variant: the mean over the trials with its 95 % interval.
 *
 * @param document  A browser's, or one made without a browser.
 * @param width     In pixels, from 320 on.
 * @see             Tutorial, Figure 4.
 * @example         const svg = figureFour(study, document).outerHTML;
 */
export function figureFour(study: StudyResult, document: DrawingDocument, width = 960): SVGElement {
  const curves = meanCurves(study);
  const highest = Math.max(0.8, ...curves.flatMap(({ trainError, testError }) => [trainError.mean, testError.mean]));
  const stacked = width < stackedBelow;
  const columns = stacked ? 1 : 3;
  const count = study.trials.length;
  const averaged = `mean of ${count} trial${count === 1 ? "" : "s"}${count > 1 ? " with its 95 % interval" : ""}`;
  const subject = "Misclassification under displaced inputs";
  const heading = stacked ? [subject, averaged] : [`${subject}, ${averaged}`];
  const legendTop = 26 + 20 * heading.length;
  const top = legendTop + 22 * Math.ceil(study.variants.length / columns);
  const panelWidth = stacked ? width - 12 : width / 2 - 14;
  const sets = [
    { title: "Training rows, displaced ones included", errorOf: "trainError" },
    { title: "Test rows, clean", errorOf: "testError" },
  ] as const;
  const panels = sets.flatMap(({ title, errorOf }, k) => {
    const series = study.variants.map(({ name }) => ({
      ...seriesStyle(name),
      points: curves
        .filter((point) => point.variant === name)
        .map((point) => ({ x: point.gradients, y: point[errorOf].mean, interval: point[errorOf].interval })),
    }));
    const bands = series.map(({ color, points }) =>
      Plot.areaY(
        points.filter(({ interval }) => Number.isFinite(interval[0])),
        {
          x: "x",
          y1: ({ interval }: SeriesPoint) => Math.max(0, interval[0]),
          y2: ({ interval }: SeriesPoint) => Math.min(highest, interval[1]),
          fill: color,
          fillOpacity: 0.1,
        },
      ),
    );
    const lines = series.map(({ color, dashes, points }) =>
      Plot.line(points, { x: "x", y: "y", stroke: color, strokeWidth: 2, strokeDasharray: dashes }),
    );
    const plot = Plot.plot({
      document: document as Document,
      width: panelWidth,
      height: panelHeight,
      marginLeft: 52,
      marginRight: 28,
      marginTop: 28,
      marginBottom: 46,
      x: {
        domain: [0, Math.max(1, study.iterations.at(-1)! * study.samples.train)],
        label: "cost in gradients computed",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: stacked ? 4 : 6,
        tickFormat: ",d",
      },
      y: {
        domain: [0, highest],
        label: "misclassification rate",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 8,
        grid: true,
      },
      marks: [Plot.ruleY([0], { strokeOpacity: 0.4 }), ...bands, ...lines],
    });
    const left = stacked ? 0 : 10 + (k * width) / 2;
    const above = stacked ? top + k * (panelHeight + gap) : top;
    return [
      text(document, title, { x: left + 52, y: above + 12, size: 13, weight: 600 }),
      panel(document, plot, left, above),
    ];
  });
  return picture(
    document,
    {
      width,
      height: top + (stacked ? sets.length * (panelHeight + gap) : panelHeight + 6),
      title: "Figure 4. Misclassification against cost in gradients computed",
      description: `Two panels, training rows ${stacked ? "above" : "left"} and test rows ${stacked ? "below" : "right"}; curves of ${study.variants.map(({ label }) => label).join("; ")}; ${averaged}.`,
    },
    [
      ...heading.map((line, k) =>
        text(document, line, { x: 16, y: 24 + 20 * k, size: stacked ? 14 : 15, weight: 650 }),
      ),
      legend(study, document, { top: legendTop, columns, columnWidth: (width - 32) / columns }),
      ...panels,
    ],
  );
}

interface Columns {
  readonly top: number;
  readonly columns: number;
  readonly columnWidth: number;
}

function legend(
  { variants }: StudyResult,
  document: DrawingDocument,
  { top, columns, columnWidth }: Columns,
): SVGElement {
  return element(
    document,
    "g",
    { transform: `translate(16,${top})` },
    ...variants.map(({ name, label }, k) => {
      const { color, dashes } = seriesStyle(name);
      const line = element(document, "line", {
        x1: 0,
        x2: 30,
        y1: 0,
        y2: 0,
        stroke: color,
        "stroke-width": 2.5,
        "stroke-dasharray": dashes,
      });
      const at = `translate(${(k % columns) * columnWidth},${22 * Math.floor(k / columns)})`;
      return element(document, "g", { transform: at }, line, text(document, label, { x: 38, y: 4 }));
    }),
  );
}
