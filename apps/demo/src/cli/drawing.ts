import { parseHTML } from "linkedom";
import { figureFour } from "../study/figures/figure-four.js";
import { figureThree } from "../study/figures/figure-three.js";
import { outcomes } from "../study/figures/outcomes.js";
import type { DrawingDocument } from "../study/figures/picture.js";
import type { StudyResult } from "../study/study-result.js";

/** The study's pictures as SVG text that takes the colour of the text around it. */
export interface Drawings {
  readonly figureThree: string;
  readonly figureFour: string;
  readonly outcomes: string;
}

export function draw(study: StudyResult): Drawings {
  const document = parseHTML("<!doctype html><html></html>").document as unknown as DrawingDocument;
  return {
    figureThree: svgText(figureThree(study.figureThree, document)),
    figureFour: svgText(figureFour(study, document)),
    outcomes: svgText(outcomes(study, document)),
  };
}

/** The same picture for a file of its own: dark on white. */
export function standalone(svg: string): string {
  const [width, height] = ["width", "height"].map((name) => new RegExp(`^<svg[^>]* ${name}="([^"]+)"`).exec(svg)?.[1]);
  const sheet = `<rect width="${width}" height="${height}" fill="#ffffff" />`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace("<svg", '<svg color="#1b1d21"').replace("</desc>", `</desc>${sheet}`)}\n`;
}

/** Markup with coordinates cut to hundredths of a pixel, which makes it half as long. */
export function svgText(svg: SVGElement): string {
  return svg.outerHTML.replace(/ (?:d|transform|[xy][12]?|c[xy]|r)="[^"]*"/g, (attribute) =>
    attribute.replace(/(\.\d{2})\d+/g, "$1"),
  );
}
