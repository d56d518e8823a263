import { rgb } from "d3-color";
import { classStyles } from "../../study/figures/palette.js";
import { gridSide, type Regions } from "../regions.js";

const colors = classStyles.map(({ color }) => rgb(color));

/** Regions as a picture of one pixel a point, top row first: the colour of the class, the fainter the less certain. */
export function regionsImage({ label, certainty }: Regions): string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = gridSide;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(gridSide, gridSide);
  for (let row = 0; row < gridSide; row++) {
    for (let column = 0; column < gridSide; column++) {
      const point = (gridSide - 1 - row) * gridSide + column;
      const { r, g, b } = colors[label[point]! % colors.length]!;
      // Certainty of a class that is first of three lies from 1/3 to 1.
      const opacity = 30 + 70 * Math.max(0, (3 * certainty[point]! - 1) / 2);
      image.data.set([r, g, b, opacity], 4 * (row * gridSide + column));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
