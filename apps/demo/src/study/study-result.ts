import type { FigureThreeData } from "./figure-three-data.js";
import type { StudySettings } from "./settings.js";

/** Curves of one variant in one trial, one value for each iteration of the study's `iterations`. */
export interface TrainingResult {
  /** Mean cross-entropy of the training rows, displaced ones included. */
  readonly trainLoss: readonly number[];
  /** Share of training rows misclassified. */
  readonly trainError: readonly number[];
  readonly testLoss: readonly number[];
  readonly testError: readonly number[];
  /** Measured; the only figure that differs from run to run. */
  readonly microsecondsPerStep: number;
}

/** What one trial gave. */
export interface TrialResult {
  /** Counted from 0. */
  readonly trial: number;
  /** Displaced training rows, ascending. */
  readonly displaced: readonly number[];
  /** By name of the variant. */
  readonly variants: Readonly<Record<string, TrainingResult>>;
}

/** A variant as a study lists it. */
export interface ListedVariant {
  readonly name: string;
  readonly label: string;
  readonly meaning: string;
}

/** A study with all that its table and figures are drawn from. */
export interface StudyResult {
  readonly format: 1;
  readonly settings: StudySettings;
  /** In the order of the table. */
  readonly variants: readonly ListedVariant[];
  /** Iterations at which the curves hold a value. */
  readonly iterations: readonly number[];
  readonly samples: { readonly train: number; readonly test: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly figureThree: FigureThreeData;
  /** Ascending by number; fewer than `settings.trials` when the study was interrupted. */
  readonly trials: readonly TrialResult[];
}
