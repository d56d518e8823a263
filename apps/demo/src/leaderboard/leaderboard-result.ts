import type { Cell, Grid } from "./cell.js";
import type { TaskName } from "./tasks.js";

/** Everything that the scores of a leaderboard follow from. */
export interface LeaderboardSettings extends Grid {
  /** Names of the rules. */
  readonly rules: readonly string[];
  /** Seed of the first trial; the others follow it. */
  readonly seed: number;
  /** Trials a cell, by task. */
  readonly trials: Readonly<Partial<Record<TaskName, number>>>;
  readonly device: string;
}

/** What one rule reached in one cell. */
export interface Score extends Cell {
  readonly rule: string;
  /** One a trial, by seed. */
  readonly errors: readonly number[];
}

/** A leaderboard with all that its tables and figures are made from. */
export interface LeaderboardResult {
  readonly format: 1;
  readonly settings: LeaderboardSettings;
  readonly versions: Readonly<Record<string, string>>;
  /** Task by task, rule by rule, cell by cell; fewer when the run was interrupted. */
  readonly scores: readonly Score[];
}
