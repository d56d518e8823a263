/** Points of the grid on each side. */
export const gridSide = 61;

/** What of the plane is shown, on both axes: the unit square, in which the flowers lie, with some room. */
export const shownRange = [-0.15, 1.15] as const;

/** Which class a network gives to each point of the grid, rows from the bottom up, and the probability that it gives it. */
export interface Regions {
  readonly label: Uint8Array;
  readonly certainty: Float32Array;
}

/** Coordinates of the grid's points, [side², 2]: centres of its squares. */
export function gridPoints(): Float64Array {
  const [low, high] = shownRange;
  const at = (k: number) => low + ((high - low) * (k + 0.5)) / gridSide;
  const points = new Float64Array(2 * gridSide ** 2);
  for (let row = 0; row < gridSide; row++) {
    for (let column = 0; column < gridSide; column++) {
      points.set([at(column), at(row)], 2 * (row * gridSide + column));
    }
  }
  return points;
}
