import type { StudySettings } from "../study/settings.js";

export const contaminationKinds = ["displaced", "flips", "noise"] as const;

/** What is spoilt of a training row. */
export type ContaminationKind = (typeof contaminationKinds)[number];

/** One way to spoil training rows. */
export interface BreakdownCell {
  readonly kind: ContaminationKind;
  /** Share of the training rows. */
  readonly fraction: number;
  /** In the units of the kind. */
  readonly strength: number;
}

/** One trial of the breakdown lab, of some rules. */
export interface BreakdownTask {
  readonly settings: Pick<StudySettings, "seed" | "protocol" | "iterations">;
  readonly cell: BreakdownCell;
  /** Counted from 0. */
  readonly trial: number;
  readonly competitors: readonly string[];
}

/** Shares that are tried: the positions of the slider and the points of the curves. */
export const fractions: readonly number[] = [
  0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
];

/** Strengths of each kind that are tried. Flips: 1 for any other class, 2 for always the next. */
export const strengths: Readonly<Record<ContaminationKind, readonly number[]>> = {
  displaced: [1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e5, 1e6],
  flips: [1, 2],
  noise: [0.1, 0.3, 1, 3, 10, 30, 100, 1e3, 1e4],
};

/** The number of a list that is nearest in ratio, or in difference where one is 0. */
export function nearest(list: readonly number[], value: number): number {
  const distance = (other: number) =>
    other > 0 && value > 0 ? Math.abs(Math.log(other / value)) : other === value ? 0 : Infinity;
  return list.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

/** The same for cells that spoil alike: without spoilt rows there is no strength. */
export function cellKey({ kind, fraction, strength }: BreakdownCell): string {
  return fraction === 0 ? "clean" : `${kind} ${fraction} ${strength}`;
}

/**
 * The cells of the two curves through a cell, along fraction and along strength, nearest first.
 *
 * @example  cellsThrough({ kind: "displaced", fraction: 0.05, strength: 1e4 })[0]   // the cell itself
 */
export function cellsThrough({ kind, fraction, strength }: BreakdownCell): BreakdownCell[] {
  const along = (list: readonly number[], own: number, at: (value: number) => BreakdownCell) =>
    list.map((value, k) => ({ cell: at(value), distance: Math.abs(k - list.indexOf(own)) }));
  const found = [
    ...along(fractions, fraction, (value) => ({ kind, fraction: value, strength })),
    ...along(strengths[kind], strength, (value) => ({ kind, fraction, strength: value })),
  ].sort((a, b) => a.distance - b.distance);
  return [...new Map(found.map(({ cell }) => [cellKey(cell), cell])).values()];
}
