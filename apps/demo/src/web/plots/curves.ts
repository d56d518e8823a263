import * as Plot from "@observablehq/plot";
import type { SeriesStyle } from "../../study/figures/palette.js";
import type { Frame } from "../state/live.js";
import type { Scene } from "../worker/live-run.js";

interface CurvesOptions {
  readonly width: number;
  readonly errorOf: "trainError" | "testError";
  /** Last iteration of the study. */
  readonly iterations: number;
  readonly styles: ReadonlyMap<string, SeriesStyle>;
}

/** Misclassification against the cost in gradients computed, up to the iteration that is seen. Tutorial, Figure 4. */
export function curves(
  scene: Scene,
  frame: Frame,
  { width, errorOf, iterations, styles }: CurvesOptions,
): SVGSVGElement {
  const samples = scene.train.length;
  const lines = frame.competitors.flatMap(({ name, curves: known }) => {
    const points = known[errorOf].map((error, k) => ({ cost: scene.iterations[k]! * samples, error }));
    const { color, dashes } = styles.get(name)!;
    const style = { x: "cost", y: "error", stroke: color, strokeWidth: 2, strokeDasharray: dashes } as const;
    const now = frame.iteration * samples;
    return [
      Plot.line(points, { ...style, strokeOpacity: 0.25 }),
      Plot.line(
        points.filter(({ cost }) => cost <= now),
        style,
      ),
    ];
  });
  return Plot.plot({
    width,
    height: Math.max(180, Math.min(260, width * 0.6)),
    marginLeft: 46,
    marginBottom: 42,
    x: {
      domain: [0, iterations * samples],
      label: "cost in gradients computed",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: Math.max(2, Math.floor(width / 110)),
      tickFormat: ",d",
    },
    y: {
      domain: [0, 0.8],
      clamp: true,
      label: "misclassification rate",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 5,
      grid: true,
    },
    marks: [
      Plot.ruleY([0], { strokeOpacity: 0.4 }),
      Plot.ruleX([frame.iteration * samples], { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "2 3" }),
      ...lines,
    ],
  }) as SVGSVGElement;
}
