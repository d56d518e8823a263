import * as Plot from "@observablehq/plot";
import type { SeriesStyle } from "../../study/figures/palette.js";
import type { Answer } from "../answer.js";

const least = 1e-4;

/** How far the row has moved every rule's answer, on a logarithmic axis; `unit` is the median norm of the gradients. */
export function answersChart(
  answers: readonly Answer[],
  {
    width,
    styles,
    unit,
  }: { readonly width: number; readonly styles: ReadonlyMap<string, SeriesStyle>; readonly unit: number },
): SVGSVGElement {
  const bars = answers.map(({ rule, label, shift }) => ({
    rule,
    label,
    shift: Number.isFinite(shift / unit) ? Math.max(least, shift / unit) : least,
    words: shiftInWords(shift, unit),
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
      label: "shift of the step, in median gradient norms",
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

/** A shift in median norms. */
export function shiftInWords(shift: number, unit: number): string {
  const share = shift / unit;
  if (!Number.isFinite(share)) return "–";
  if (share === 0) return "not at all";
  return share < least ? `under ${least}` : share.toLocaleString("en", { maximumSignificantDigits: 2 });
}
