import type { ComponentChildren, HTMLAttributes } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { notify } from "../state/store.js";
import { pngFile, save, svgFile } from "./download.js";
import { drawNever, drawSoon } from "./drawing-queue.js";

interface FigureProps {
  /** Of the files that it is saved as. */
  readonly name: string;
  readonly title: ComponentChildren;
  /** What it shows, for those who do not see it. */
  readonly description: string;
  /** The drawing in a width in pixels. It happens after a rendering, when there is time. */
  readonly draw: (width: number) => SVGElement;
  /** Of what holds the drawing, for one that is worked with. */
  readonly surface?: HTMLAttributes<HTMLDivElement>;
  /** Below the drawing. */
  readonly children?: ComponentChildren;
}

/** A drawing with its title, that can be saved as SVG and PNG. */
export function Figure({ name, title, description, draw, surface, children }: FigureProps) {
  const place = useRef<HTMLDivElement>(null);
  const caption = useId();
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const box = place.current!;
    const observer = new ResizeObserver(() => setWidth(Math.floor(box.clientWidth)));
    observer.observe(box);
    return () => {
      observer.disconnect();
      drawNever(box);
    };
  }, []);
  useEffect(() => {
    const box = place.current!;
    const show = () => {
      const drawing = draw(width);
      // The description says it; the drawing library's names of marks would only disturb.
      drawing.setAttribute("aria-hidden", "true");
      box.replaceChildren(drawing);
    };
    if (width > 0) drawSoon(box, show);
  });
  const drawn = () => place.current!.querySelector("svg")!;
  const saved = async (file: Blob | Promise<Blob>, kind: string) => {
    try {
      save(await file, `${name}.${kind}`);
    } catch (error) {
      notify({ kind: "error", text: `The figure could not be saved: ${(error as Error).message}` });
    }
  };
  return (
    <figure class="figure" aria-labelledby={caption}>
      <figcaption id={caption}>{title}</figcaption>
      <div class="drawing" ref={place} role="img" aria-label={description} {...surface} />
      {children}
      <div class="downloads">
        <button type="button" class="quiet" onClick={() => void saved(svgFile(drawn()), "svg")}>
          SVG<span class="unseen"> of {name}</span>
        </button>
        <button type="button" class="quiet" onClick={() => void saved(pngFile(drawn()), "png")}>
          PNG<span class="unseen"> of {name}</span>
        </button>
      </div>
    </figure>
  );
}
