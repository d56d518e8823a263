/** The figure as a file of its own: what it takes from the page is written into it. */
export function svgFile(svg: SVGElement): Blob {
  const copy = svg.cloneNode(true) as SVGElement;
  const { color, fontFamily } = getComputedStyle(svg);
  const ground = getComputedStyle(document.body).backgroundColor;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.removeAttribute("aria-hidden");
  Object.assign(copy.style, { color, fontFamily, background: ground });
  const text = new XMLSerializer().serializeToString(copy).replaceAll("var(--ground)", ground);
  return new Blob([text], { type: "image/svg+xml" });
}

/** The figure in twice its size on the screen. */
export async function pngFile(svg: SVGElement): Promise<Blob> {
  const { width, height } = svg.getBoundingClientRect();
  const address = URL.createObjectURL(svgFile(svg));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * height];
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) => {
      canvas.toBlob((blob) => (blob === null ? reject(new Error("expected a picture, found none")) : resolve(blob)));
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Saves a file as the browser does. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
