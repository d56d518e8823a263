import type { HostArray } from "@robgrad/datasets";

export type Point = readonly [number, number];

/** Where points of the plane lie. */
export interface Spread {
  /** x̄ */
  readonly centre: Point;
  /** σ: the standard deviation of the distances ‖xₙ − x̄‖, in which factors k count. */
  readonly deviation: number;
}

/**
 * Centre and spread of points, as `pushOutliers` measures them.
 *
 *   σ² = Σₙ (dₙ − d̄)² / (N − correction),   dₙ = ‖xₙ − x̄‖
 *
 * @param correction  Of the protocol.
 * @example           const { centre, deviation } = spreadOf(pointsOf(plane), 0);
 */
export function spreadOf(points: readonly Point[], correction: 0 | 1): Spread {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const centre: Point = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const distances = points.map(([x, y]) => Math.hypot(x - centre[0], y - centre[1]));
  const middle = mean(distances);
  const squares = distances.reduce((sum, distance) => sum + (distance - middle) ** 2, 0);
  return { centre, deviation: Math.sqrt(squares / (points.length - correction)) };
}

/** Rows [N, 2] as points. */
export function pointsOf({ values, shape: [rows = 0] }: HostArray): Point[] {
  return Array.from({ length: rows }, (_, n) => [values[2 * n]!, values[2 * n + 1]!]);
}
