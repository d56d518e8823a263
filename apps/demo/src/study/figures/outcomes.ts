import * as Plot from "@observablehq/plot";
import { failureThreshold } from "../protocol.js";
import type { StudyResult } from "../study-result.js";
import { finalErrors } from "../summary.js";
import { mean } from "../estimate.js";
import { alarm, seriesStyle } from "./palette.js";
import { panel, picture, text, type DrawingDocument } from "./picture.js";

const width = 960;

/**
 * Final test error of every trial: one dot for each error that occurred, its area the number of trials, a bar at the
 * mean. It shows what a mean hides: trials end either well or badly.
 *
 * @example  const svg = outcomes(study, document).outerHTML;
 */
export function outcomes(study: StudyResult, document: DrawingDocument): SVGElement {
  const top = 40;
  const height = 70 + 34 * study.variants.length;
  const labels = study.variants.map(({ label }) => label);
  const counted = study.variants.flatMap(({ name, label }) => {
    const counts = new Map<number, number>();
    for (const error of finalErrors(study, name).test) counts.set(error, (counts.get(error) ?? 0) + 1);
    return [...counts].map(([error, count]) => ({ label, error, count, color: seriesStyle(name).color }));
  });
  const means = study.variants.map(({ name, label }) => ({ label, mean: mean(finalErrors(study, name).test) }));
  const plot = Plot.plot({
    document: document as Document,
    width: width - 20,
    height,
    marginLeft: 250,
    marginRight: 20,
    marginTop: 16,
    marginBottom: 44,
    x: {
      domain: [0, Math.max(0.8, ...counted.map(({ error }) => error))],
      label: "final test error",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      ticks: 8,
    },
    y: { domain: labels, label: null, tickSize: 0 },
    r: { domain: [0, Math.max(1, study.trials.length)], range: [0, 17] },
    marks: [
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
      Plot.tickX(means, { x: "mean", y: "label", stroke: "currentColor", strokeWidth: 2, insetTop: 3, insetBottom: 3 }),
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
      text(document, "Where the trials end: area of a dot ∝ trials, bar = mean", {
        x: 16,
        y: 24,
        size: 15,
        weight: 650,
      }),
      panel(document, plot, 10, top),
    ],
  );
}
