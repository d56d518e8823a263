import type { StudySettings } from "../study/settings.js";
import type { ListedVariant, TrialResult } from "../study/study-result.js";
import type { RunSettings } from "./run-settings.js";
import type { Opening } from "./worker/engine.js";
import type { Frame } from "./state/live.js";

/** The numbers of a watched trial, for a file. */
export interface WatchedNumbers {
  readonly settings: RunSettings & Pick<StudySettings, "device" | "dtype">;
  readonly versions: Readonly<Record<string, string>>;
  readonly competitors: readonly ListedVariant[];
  /** Iterations at which curves hold a value, as far as a competitor has been trained. */
  readonly iterations: readonly number[];
  readonly samples: { readonly train: number; readonly test: number };
  /** As a study keeps it, by name of the competitor. */
  readonly trial: TrialResult;
}

/** Everything that a watched trial has computed so far. */
export function watchedNumbers(
  settings: WatchedNumbers["settings"],
  versions: WatchedNumbers["versions"],
  { scene, competitors }: Opening,
  frame: Frame,
): WatchedNumbers {
  return {
    settings,
    versions,
    competitors,
    iterations: scene.iterations,
    samples: { train: scene.train.length, test: scene.test.length },
    trial: {
      trial: settings.trial,
      displaced: [...scene.train.keys()].filter((row) => scene.train[row]!.displaced),
      variants: Object.fromEntries(frame.competitors.map(({ name, curves }) => [name, curves])),
    },
  };
}

/** The curves as a table: a row for each competitor and iteration, cost in gradients. */
export function watchedRows({ iterations, samples, trial }: WatchedNumbers): Record<string, string | number>[] {
  return Object.entries(trial.variants).flatMap(([rule, { trainError, testError, trainLoss, testLoss }]) =>
    testError.map((error, k) => ({
      rule,
      iteration: iterations[k]!,
      gradients: iterations[k]! * samples.train,
      train_error: trainError[k]!,
      test_error: error,
      train_loss: trainLoss[k]!,
      test_loss: testLoss[k]!,
    })),
  );
}
