import * as Plot from "@observablehq/plot";
import type { SeriesStyle } from "../../study/figures/palette.js";
import type { Answer } from "../answer.js";

const least = 1e-4;

/** How far the row has moved every rule's answer, as a share of its length, on a logarithmic axis. */
export function answersChart(
  answers: readonly Answer[],
  { width, styles }: { readonly width: number; readonly styles: ReadonlyMap<string, SeriesStyle> },
): SVGSVGElement {
  const bars = answers.map(({ rule, label, shift }) => ({
    rule,
    label,
    shift: Math.max(least, shift),
    words: shiftInWords(shift),
  }));
  const farthest = Math.max(1e3, ...bars.map(({ shift }) => 10 ** Math.ceil(Math.log10(shift * 5))));
  const powers = Math.round(Math.log10(farthest / least));
  const every = Math.ceil(powers / Math.max(2, Math.floor(width / 80)));
  const ticks = Array.from({ length: Math.floor(powers / every) + 1 }, (_, k) => 10 ** (k * every - 4));
  return Plot.plot({
    width,
    height: 46 * bars.length + 56,
    marginLeft: 20,
    marginRight: 12,
    marginBottom: 44,
    x: {
      type: "log",
      domain: [least, farthest],
      ticks,
      tickFormat: (t: number) =>
        t >= 0.01 && t < 1e4 ? t.toLocaleString("en") : t.toExponential(0).replace("e+", "e"),
      label: "shift of the answer, as a share of its length",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
    },
    y: { domain: bars.map(({ rule }) => rule), axis: null, paddingInner: 0.62, paddingOuter: 0.45 },
    marks: [
      Plot.ruleX([1], { stroke: "currentColor", strokeDasharray: "4 3" }),
      Plot.barX(bars, {
        x1: least,
        x2: "shift",
        y: "rule",
        fill: ({ rule }: { rule: string }) => styles.get(rule)!.color,
      }),
      Plot.text(bars, {
        x: least,
        y: "rule",
        text: ({ label, words }: { label: string; words: string }) => `${label}: ${words}`,
        textAnchor: "start",
        dx: 2,
        dy: -18,
        fill: "currentColor",
        stroke: "var(--ground)",
        strokeWidth: 3,
        fontSize: 12,
      }),
    ],
  }) as SVGSVGElement;
}

/** A share of the answer's length. */
export function shiftInWords(shift: number): string {
  if (!Number.isFinite(shift)) return "–";
  if (shift === 0) return "not at all";
  if (shift < 1e-4) return "under 0.01 %";
  if (shift < 2) return `${(100 * shift).toLocaleString("en", { maximumSignificantDigits: 2 })} %`;
  return `${shift.toLocaleString("en", { maximumSignificantDigits: 3 })} times its length`;
}
