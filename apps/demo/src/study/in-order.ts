import type { TrialResult } from "./study-result.js";

/** Trials ascending by number, as a study holds them. */
export function inOrder(trials: Iterable<TrialResult>): TrialResult[] {
  return [...trials].sort((a, b) => a.trial - b.trial);
}
