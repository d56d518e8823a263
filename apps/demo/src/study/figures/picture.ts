/** The part of a DOM that drawing needs; a browser's document, or one made without a browser. */
export type DrawingDocument = Pick<Document, "createElementNS">;

const namespace = "http://www.w3.org/2000/svg";

type Attributes = Readonly<Record<string, string | number>>;

/** An SVG element with attributes and children. */
export function element(
  document: DrawingDocument,
  name: string,
  attributes: Attributes = {},
  ...children: readonly (Element | string)[]
): SVGElement {
  const made = document.createElementNS(namespace, name) as SVGElement;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  for (const child of children) {
    if (typeof child === "string") made.textContent = child;
    else made.appendChild(child);
  }
  return made;
}

/** The content of a plot as a group at (x, y), without its style sheet, so that plots can be set side by side. */
export function panel(document: DrawingDocument, plot: Element, x: number, y: number): SVGElement {
  const group = element(document, "g", {
    transform: `translate(${x},${y})`,
    "font-size": 11.5,
    "text-anchor": "middle",
  });
  for (const child of [...plot.children]) if (child.tagName.toLowerCase() !== "style") group.appendChild(child);
  return group;
}

/** A line of text. Its colour is that of the text around the picture. */
export function text(
  document: DrawingDocument,
  content: string,
  at: {
    readonly x: number;
    readonly y: number;
    readonly size?: number;
    readonly weight?: number;
    readonly anchor?: string;
  },
): SVGElement {
  const { x, y, size = 12, weight = 400, anchor = "start" } = at;
  return element(
    document,
    "text",
    { x, y, "font-size": size, "font-weight": weight, "text-anchor": anchor, fill: "currentColor" },
    content,
  );
}

/**
 * A picture that says to everyone what it shows: title and description are part of it.
 *
 * @example  const svg = picture(document, { width: 900, height: 400, title, description }, [legend, panel]).outerHTML;
 */
export function picture(
  document: DrawingDocument,
  { width, height, title, description }: { width: number; height: number; title: string; description: string },
  parts: readonly Element[],
): SVGElement {
  return element(
    document,
    "svg",
    {
      xmlns: namespace,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": title,
      "font-family": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
      fill: "currentColor",
    },
    element(document, "title", {}, title),
    element(document, "desc", {}, description),
    ...parts,
  );
}
