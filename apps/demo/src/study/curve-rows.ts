import { meanCurves } from "./summary.js";
import type { StudyResult } from "./study-result.js";

/**
 * Mean curves as a table: a row for each variant and iteration, cost in gradients, means with standard errors.
 *
 * @returns  Objects whose keys are the columns; an error that is not known is the empty text.
 * @example  const [first] = curveRows(study);
 */
export function curveRows(study: StudyResult): Record<string, string | number>[] {
  return meanCurves(study).map(({ variant, iteration, gradients, trainError, testError, trainLoss, testLoss }) => ({
    variant,
    iteration,
    gradients,
    trials: trainError.count,
    train_error: trainError.mean,
    train_error_se: orEmpty(trainError.standardError),
    test_error: testError.mean,
    test_error_se: orEmpty(testError.standardError),
    train_loss: trainLoss.mean,
    train_loss_se: orEmpty(trainLoss.standardError),
    test_loss: testLoss.mean,
    test_loss_se: orEmpty(testLoss.standardError),
  }));
}

const orEmpty = (value: number): number | "" => (Number.isFinite(value) ? value : "");
