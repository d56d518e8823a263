import { estimate, median, type Estimate } from "./estimate.js";
import { failureThreshold } from "./protocol.js";
import type { StudyResult } from "./study-result.js";

/** One row of the study's table. */
export interface VariantSummary {
  readonly name: string;
  readonly label: string;
  /** Misclassification after the last update. */
  readonly trainError: Estimate;
  readonly testError: Estimate;
  /** Share of trials whose final test error exceeds 0.3. */
  readonly failed: number;
  /** Median over the trials. */
  readonly microsecondsPerStep: number;
}

/**
 * The rows of a study's table.
 *
 * @returns  One a variant, in the order of the study; empty when no trial is finished.
 * @example  for (const { label, testError } of summarize(study)) console.log(label, testError.mean);
 */
export function summarize(study: Pick<StudyResult, "variants" | "trials">): VariantSummary[] {
  if (study.trials.length === 0) return [];
  return study.variants.map(({ name, label }) => {
    const final = finalErrors(study, name);
    return {
      name,
      label,
      trainError: estimate(final.train),
      testError: estimate(final.test),
      failed: final.test.filter((error) => error > failureThreshold).length / final.test.length,
      microsecondsPerStep: median(study.trials.map((trial) => trial.variants[name]!.microsecondsPerStep)),
    };
  });
}

/**
 * Errors after the last update, one a trial.
 *
 * @example  const { test } = finalErrors(study, "vanilla");
 */
export function finalErrors(study: Pick<StudyResult, "trials">, variant: string): { train: number[]; test: number[] } {
  const results = study.trials.map((trial) => trial.variants[variant]!);
  return {
    train: results.map((result) => result.trainError.at(-1)!),
    test: results.map((result) => result.testError.at(-1)!),
  };
}

/** A point of a variant's mean curve. */
export interface CurvePoint {
  readonly variant: string;
  readonly iteration: number;
  /** Cost: iterations × training rows. */
  readonly gradients: number;
  readonly trainError: Estimate;
  readonly testError: Estimate;
  readonly trainLoss: Estimate;
  readonly testLoss: Estimate;
}

/**
 * Mean curves over the trials with intervals, against the cost in gradients computed.
 *
 * @see      Tutorial, Figure 4.
 * @example  const last = meanCurves(study).at(-1);
 */
export function meanCurves(
  study: Pick<StudyResult, "variants" | "trials" | "iterations" | "samples">,
): readonly CurvePoint[] {
  if (study.trials.length === 0) return [];
  return study.variants.flatMap(({ name }) => {
    const results = study.trials.map((trial) => trial.variants[name]!);
    return study.iterations.map((iteration, k) => ({
      variant: name,
      iteration,
      gradients: iteration * study.samples.train,
      trainError: estimate(results.map((result) => result.trainError[k]!)),
      testError: estimate(results.map((result) => result.testError[k]!)),
      trainLoss: estimate(results.map((result) => result.trainLoss[k]!)),
      testLoss: estimate(results.map((result) => result.testLoss[k]!)),
    }));
  });
}
