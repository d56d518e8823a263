import * as Plot from "@observablehq/plot";
import { failureThreshold } from "../protocol.js";
import type { StudyResult } from "../study-result.js";
import { finalErrors } from "../summary.js";
import { mean } from "../estimate.js";
import { alarm, seriesStyle } from "./palette.js";
import { panel, picture, text, type DrawingDocument } from "./picture.js";

/** Below this width, a variant's name stands above its dots. */
const stackedBelow = 640;

/**
 * Final test error of every trial: one dot for each error that occurred, its area the number of trials, a bar at the
 * mean. It shows what a mean hides: trials end either well or badly.
 *
 * @param document  A browser's, or one made without a browser.
 * @param width     In pixels, from 320 on.
 * @example         const svg = outcomes(study, document).outerHTML;
 */
export function outcomes(study: StudyResult, document: DrawingDocument, width = 960): SVGElement {
  const stacked = width < stackedBelow;
  const heading = ["Where the trials end:", "area of a dot ∝ trials, bar = mean"];
  const lines = stacked ? heading : [heading.join(" ")];
  const top = 20 + 20 * lines.length;
  const height = 70 + (stacked ? 54 : 34) * study.variants.length;
  const labels = study.variants.map(({ label }) => label);
  const counted = study.variants.flatMap(({ name, label }) => {
    const counts = new Map<number, number>();
    for (const error of finalErrors(study, name).test) counts.set(error, (counts.get(error) ?? 0) + 1);
    return [...counts].map(([error, count]) => ({ label, error, count, color: seriesStyle(name).color }));
  });
  const means = study.variants.map(({ name, label }) => ({ label, mean: mean(finalErrors(study, name).test) }));
  const plot = Plot.plot({
    document: document as Document,
    width: width - (stacked ? 0 : 20),
    height,
    marginLeft: stacked ? 16 : 250,
    marginRight: 20,
    marginTop: 16,
    marginBottom: 44,
    x: {
      domain: [0, Math.max(0.8, ...counted.map(({ error }) => error))],
      label: "final test error",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      ticks: stacked ? 5 : 8,
    },
    y: { domain: labels, label: null, tickSize: 0, ...(stacked ? { axis: null } : {}) },
    r: { domain: [0, Math.max(1, study.trials.length)], range: [0, 17] },
    marks: [
      ...(stacked
        ? [
            Plot.text(labels, {
              y: (label: string) => label,
              text: (label: string) => label,
              frameAnchor: "left",
              textAnchor: "start",
              dy: -20,
              fill: "currentColor",
            }),
          ]
        : []),
      Plot.ruleX([failureThreshold], { stroke: alarm, strokeDasharray: "4 3" }),
      Plot.text([{ at: failureThreshold }], {
        x: "at",
        text: () => "failed →",
        frameAnchor: "top",
        dy: -9,
        dx: 4,
        textAnchor: "start",
        fill: "currentColor",
      }),
      Plot.dot(counted, { x: "error", y: "label", r: "count", fill: "color", fillOpacity: 0.55, stroke: "color" }),
      Plot.tickX(means, {
        x: "mean",
        y: "label",
        stroke: "currentColor",
        strokeWidth: 2,
        insetTop: stacked ? 16 : 3,
        insetBottom: 3,
      }),
    ],
  });
  return picture(
    document,
    {
      width,
      height: top + height,
      title: "Final test error of every trial",
      description: `One row a variant: ${labels.join("; ")}. Dots where trials ended, larger where more of ${study.trials.length} did; a bar at the mean; a dashed line at 0.3, beyond which a trial counts as failed.`,
    },
    [
      ...lines.map((line, k) => text(document, line, { x: 16, y: 24 + 20 * k, size: 15, weight: 650 })),
      panel(document, plot, stacked ? 0 : 10, top),
    ],
  );
}
