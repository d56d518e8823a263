import type { Plot } from "@observablehq/plot";
import type { HTMLAttributes } from "preact";
import { useRef } from "preact/hooks";

interface DragSurfaceOptions {
  /** Where every row is drawn, in the units of the axes. */
  readonly places: readonly (readonly [x: number, y: number])[];
  readonly chosen: number;
  readonly choose: (row: number) => void;
  /** The chosen row is now there, in the units of the axes; without it rows stay where they are. */
  readonly move?: (x: number, y: number) => void;
  readonly putBack?: () => void;
  /** What arrow keys do here; without it the drawing takes none. */
  readonly keys?: string;
}

type Drawing = SVGSVGElement & Plot;

/** Pixels from the centre of a row within which a press means it; the chosen one is easier to meet. */
const reach = { chosen: 20, other: 12 };
/** Pixels of a hand that does not hold still. */
const still = 3;
/** Pixels that an arrow key moves a row by, and with Shift. */
const steps = { usual: 3, far: 15 };

/** Lets rows of a drawing be chosen and the chosen one be dragged, with mouse, touch and arrow keys. */
export function useDragSurface(options: DragSurfaceOptions): HTMLAttributes<HTMLDivElement> {
  const { places, chosen, choose, move, putBack, keys } = options;
  const drag = useRef<{ readonly from: readonly [number, number]; readonly held: boolean; begun: boolean } | null>(
    null,
  );
  const scales = (box: HTMLElement) => {
    const drawing = box.querySelector("svg") as unknown as Drawing;
    return { drawing, x: drawing.scale("x")!, y: drawing.scale("y")! };
  };
  const pixel = (event: PointerEvent, box: HTMLElement) => {
    const { drawing } = scales(box);
    const { left, top, width } = drawing.getBoundingClientRect();
    const scale = drawing.viewBox.baseVal.width / width;
    return [(event.clientX - left) * scale, (event.clientY - top) * scale] as const;
  };
  const moveTo = (box: HTMLElement, [left, top]: readonly [number, number]) => {
    const { x, y } = scales(box);
    move?.(x.invert!(left) as number, y.invert!(top) as number);
  };
  const pressed = (box: HTMLElement, [left, top]: readonly [number, number]): number | null => {
    const { x, y } = scales(box);
    const away = places.map((place) => Math.hypot(x.apply(place[0]) - left, y.apply(place[1]) - top));
    if (away[chosen]! <= reach.chosen) return chosen;
    const nearest = away.indexOf(Math.min(...away));
    return away[nearest]! <= reach.other ? nearest : null;
  };
  const end = () => {
    drag.current = null;
  };
  return {
    onPointerDown(event) {
      const box = event.currentTarget;
      const from = pixel(event, box);
      const row = pressed(box, from);
      if (row === null) return;
      if (row !== chosen) choose(row);
      if (move === undefined) return;
      drag.current = { from, held: row === chosen, begun: false };
      box.setPointerCapture(event.pointerId);
    },
    onTouchStart(event) {
      // A finger on the chosen row drags it; anywhere else it scrolls the page.
      if (drag.current?.held === true) event.preventDefault();
    },
    onPointerMove(event) {
      if (drag.current === null) return;
      const at = pixel(event, event.currentTarget);
      const { from } = drag.current;
      drag.current.begun ||= Math.hypot(at[0] - from[0], at[1] - from[1]) > still;
      if (drag.current.begun) moveTo(event.currentTarget, at);
    },
    onPointerUp: end,
    onPointerCancel: end,
    ...(keys !== undefined && {
      role: "application",
      tabIndex: 0,
      "aria-label": keys,
      onKeyDown(event) {
        const step = event.shiftKey ? steps.far : steps.usual;
        const ways: Readonly<Record<string, readonly [number, number]>> = {
          ArrowLeft: [-step, 0],
          ArrowRight: [step, 0],
          ArrowUp: [0, -step],
          ArrowDown: [0, step],
        };
        const way = ways[event.key];
        if (way === undefined && event.key !== "Home") return;
        event.preventDefault();
        if (way === undefined) return putBack?.();
        const { x, y } = scales(event.currentTarget);
        const [placeX, placeY] = places[chosen]!;
        moveTo(event.currentTarget, [x.apply(placeX) + way[0], y.apply(placeY) + way[1]]);
      },
    }),
  };
}

/** Puts an invisible handle over a place of a drawing. */
export function withHandle(drawing: SVGSVGElement, [x, y]: readonly [x: number, y: number]): SVGSVGElement {
  const { scale } = drawing as Drawing;
  const handle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  const attributes = {
    class: "handle",
    cx: scale("x")!.apply(x),
    cy: scale("y")!.apply(y),
    r: reach.chosen,
    fill: "transparent",
  };
  for (const [name, value] of Object.entries(attributes)) handle.setAttribute(name, String(value));
  drawing.append(handle);
  return drawing;
}
