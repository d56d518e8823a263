import * as Plot from "@observablehq/plot";
import { alarm, classStyles } from "../../study/figures/palette.js";
import { shownRange, type Regions } from "../regions.js";
import type { Scene, SceneRow } from "../worker/live-run.js";
import { regionsImage } from "./regions-image.js";

export const classNames = ["setosa", "versicolor", "virginica"] as const;

/** How one row is drawn. */
export interface RowStyle {
  /** Radius in pixels. */
  readonly radius: number;
  readonly opacity: number;
  /** The colour of its class unless given. */
  readonly fill?: string;
}

interface PlaneOptions {
  readonly width: number;
  /** Of the network that is shown; null for none. */
  readonly regions: Regions | null;
  /** Of training rows, by their number; all alike unless given. */
  readonly style?: (row: number) => RowStyle;
  /** The row that is looked at. */
  readonly chosen?: number | null;
  readonly test?: boolean;
}

const usual: RowStyle = { radius: 2.6, opacity: 0.95 };
const usualStyle = () => usual;
const [low, high] = shownRange;
/** From the edge to the tail of an arrow. */
const tail = 0.08;
const isShown = ({ x, y }: SceneRow) => x >= low && x <= high && y >= low && y <= high;

/**
 * The rows in the plane over the regions of a network. A row that lies outside of what is shown stands at its edge, as an
 * arrow that points where it is, with its distance from the mean in σ.
 */
export function plane(scene: Scene, options: PlaneOptions): SVGSVGElement {
  const { width, regions, style = usualStyle, chosen = null, test = false } = options;
  const rows = (test ? scene.test : scene.train).map((row, number) => ({ ...row, number, ...style(number) }));
  const inside = rows.filter(isShown);
  const outside = rows.filter((row) => !isShown(row)).map((row) => ({ ...row, ...edge(scene, row) }));
  // Rows of some style are seen beyond the edge, too: at the tail of their arrows.
  const tails = outside.map((row) => ({ ...row, x: row.tailX, y: row.tailY }));
  const dots = style === usualStyle ? inside : [...inside, ...tails];
  const marked = rows.filter(({ number }) => number === chosen && !test);
  const picture = regions === null ? null : regionsImage(regions);
  const image: Plot.RenderFunction = (_index, { x, y }) => {
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", "image");
    const [left, top] = [x!(low) as number, y!(high) as number];
    const attributes = {
      x: left,
      y: top,
      width: x!(high) - left,
      height: y!(low) - top,
      href: picture!,
      preserveAspectRatio: "none",
    };
    for (const [name, value] of Object.entries(attributes)) drawn.setAttribute(name, String(value));
    return drawn;
  };
  return Plot.plot({
    width,
    height: width,
    margin: 6,
    marginLeft: 6,
    x: { domain: [low, high], axis: null },
    y: { domain: [low, high], axis: null },
    marks: [
      ...(picture === null ? [] : [image]),
      Plot.frame({ strokeOpacity: 0.35 }),
      ...classStyles.map(({ color, symbol }, label) =>
        Plot.dot(
          dots.filter((row) => row.label === label),
          {
            x: "x",
            y: "y",
            symbol,
            r: { value: "radius", scale: null },
            fill: (row: RowStyle) => row.fill ?? color,
            fillOpacity: "opacity",
            stroke: style === usualStyle ? "var(--ground)" : "currentColor",
            strokeWidth: 0.6,
          },
        ),
      ),
      Plot.dot(
        inside.filter(({ displaced }) => displaced),
        { x: "x", y: "y", r: 7, stroke: alarm, strokeWidth: 2 },
      ),
      Plot.vector(outside, {
        x: "edgeX",
        y: "edgeY",
        rotate: "angle",
        length: 18,
        anchor: "end",
        stroke: alarm,
        strokeWidth: 2.2,
      }),
      ...together(outside).map((row) =>
        Plot.text([row], {
          x: "edgeX",
          y: "edgeY",
          text: "text",
          textAnchor: row.anchor,
          dx: { start: 6, middle: 0, end: -6 }[row.anchor],
          dy: row.edgeY < 0 ? -24 : 24,
          fill: "currentColor",
          stroke: "var(--ground)",
          strokeWidth: 3,
          fontSize: 11,
        }),
      ),
      Plot.dot(
        marked.map((row) => placeInPlane(scene, row)),
        { r: 9, stroke: "currentColor", strokeWidth: 2 },
      ),
    ],
  }) as SVGSVGElement;
}

type EdgeRow = SceneRow & ReturnType<typeof edge>;

/** Rows that stand at one place, labelled once: with the nearest one's distance and how many they are. */
function together(outside: readonly EdgeRow[]): (EdgeRow & { readonly text: string })[] {
  const groups: EdgeRow[][] = [];
  for (const row of outside) {
    const near = groups.find(([first]) => Math.hypot(first!.edgeX - row.edgeX, first!.edgeY - row.edgeY) < 0.2);
    if (near === undefined) groups.push([row]);
    else near.push(row);
  }
  return groups.map((rows) => {
    const nearest = rows.reduce((least, row) => (row.distance < least.distance ? row : least));
    const distance = `${nearest.distance.toLocaleString("en", { maximumSignificantDigits: 3 })} σ`;
    return { ...nearest, text: rows.length === 1 ? distance : `${rows.length} rows, ${distance}` };
  });
}

/** Where a row is drawn, in the plane: where it is, or at the tail of the arrow that points there. */
export function placeInPlane(scene: Scene, row: SceneRow): readonly [x: number, y: number] {
  if (isShown(row)) return [row.x, row.y];
  const { tailX, tailY } = edge(scene, row);
  return [tailX, tailY];
}

/** Where the way from the mean to a row leaves what is shown. */
function edge({ mean, deviation }: Scene, { x, y }: SceneRow) {
  const [dx, dy] = [x - mean[0], y - mean[1]];
  const reach = (from: number, step: number) => (step === 0 ? Infinity : ((step > 0 ? high : low) - from) / step);
  const share = Math.min(reach(mean[0], dx), reach(mean[1], dy));
  const length = Math.hypot(dx, dy);
  const edgeX = mean[0] + share * dx;
  return {
    edgeX,
    edgeY: mean[1] + share * dy,
    anchor: edgeX < 0.3 ? ("start" as const) : edgeX > 0.7 ? ("end" as const) : ("middle" as const),
    tailX: edgeX - (tail * dx) / length,
    tailY: mean[1] + share * dy - (tail * dy) / length,
    angle: (Math.atan2(dx, dy) * 180) / Math.PI,
    /** In σ. */
    distance: length / deviation,
  };
}
