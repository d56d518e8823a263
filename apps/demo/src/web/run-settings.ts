import type { StudySettings } from "../study/settings.js";

/** A training row that was moved by hand. */
export interface MovedRow {
  readonly row: number;
  readonly x: number;
  readonly y: number;
}

/** Everything that the numbers of a watched trial follow from, but for the device. */
export interface RunSettings extends Pick<StudySettings, "seed" | "fraction" | "factor" | "protocol" | "iterations"> {
  /** Counted from 0. */
  readonly trial: number;
  /** Rules side by side, as `competitorOf` reads them. */
  readonly competitors: readonly string[];
  readonly moved: readonly MovedRow[];
}
