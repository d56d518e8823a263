import * as Plot from "@observablehq/plot";
import { element, panel, picture, text, type DrawingDocument } from "../../study/figures/picture.js";
import type { Cell } from "../cell.js";
import { contaminations } from "../contaminations.js";
import { cellKey, type Standing } from "../standings.js";
import { tasks, type TaskName } from "../tasks.js";

const width = 1150;
const labelWidth = 340;
const rowHeight = 22;
const top = 62;
/** From no error to an error of 0.6 and more; all are light enough for black letters. */
const scale = ["#f4f6f8", "#fde9a9", "#f9b76b", "#ee8155", "#d9648f"];
const highest = 0.6;

/**
 * The errors of one task as a heat map: a row for each rule, in the order given, and a column for each cell, with the
 * mean error written in it.
 *
 * @param document  A browser's, or one made without a browser.
 * @example         const svg = heatMap(standings(scores), "iris", 10, document).outerHTML;
 */
export function heatMap(
  ranked: readonly Standing[],
  task: TaskName,
  trials: number,
  document: DrawingDocument,
): SVGElement {
  const found = ranked.flatMap(({ rule, places }) =>
    places
      .filter(({ score }) => score.task === task)
      .map(({ score, error }) => ({ rule, column: cellKey(score), error: error.mean })),
  );
  const cells = [
    ...new Map(ranked.flatMap(({ places }) => places.map(({ score }) => [cellKey(score), score as Cell]))).values(),
  ].filter((cell) => cell.task === task);
  const columns = cells.map(cellKey);
  const height = rowHeight * ranked.length + 10;
  const plot = Plot.plot({
    document: document as Document,
    width,
    height,
    marginLeft: labelWidth,
    marginRight: 8,
    marginTop: 4,
    marginBottom: 4,
    x: { domain: columns, axis: null, padding: 0.03 },
    y: { domain: ranked.map(({ rule }) => rule), label: null, tickSize: 0, padding: 0.06 },
    color: {
      type: "linear",
      domain: scale.map((_, k) => (highest * k) / (scale.length - 1)),
      range: scale,
      clamp: true,
    },
    marks: [
      Plot.cell(found, { x: "column", y: "rule", fill: "error" }),
      Plot.text(found, {
        x: "column",
        y: "rule",
        text: ({ error }: { error: number }) => error.toFixed(2).replace(/^0/, ""),
        fill: "#1b1d21",
      }),
    ],
  });
  const count = trials === 1 ? "1 trial" : `${trials} trials`;
  const columnWidth = (width - labelWidth - 8) / Math.max(1, columns.length);
  const headings = cells.flatMap((cell, k) => {
    const middle = labelWidth + (k + 0.5) * columnWidth;
    const previous = cells[k - 1];
    const opens = previous?.kind !== cell.kind || previous.strength !== cell.strength;
    const percentage = cell.kind === null ? "clean" : `${Number((100 * cell.fraction).toFixed(1))} %`;
    return [
      text(document, percentage, { x: middle, y: top - 6, size: Math.min(11, columnWidth / 3), anchor: "middle" }),
      ...(opens
        ? [text(document, heading(cell), { x: labelWidth + k * columnWidth + 2, y: top - 24, size: 10.5, weight: 600 })]
        : []),
    ];
  });
  return picture(
    document,
    {
      width,
      height: top + height,
      title: `${tasks[task].title}: error of every rule on spoilt data`,
      description: `Rows: ${ranked.map(({ rule }) => rule).join("; ")}. Columns: kinds of contamination with their strength, and the share of training rows spoilt. Mean of ${count}.`,
    },
    [
      text(document, `${tasks[task].title}: mean error of ${count}`, { x: 10, y: 20, size: 15, weight: 650 }),
      element(document, "g", {}, ...headings),
      panel(document, plot, 0, top),
    ],
  );
}

/** Kind and strength in few letters. */
function heading({ kind, strength }: Cell): string {
  if (kind === null) return "";
  if (contaminations[kind].strengths.length === 0) return kind;
  return `${kind} ${strength >= 1000 ? strength.toExponential().replace("e+", "e") : strength}`;
}
