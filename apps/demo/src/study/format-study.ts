import type { StudyResult } from "./study-result.js";

/** A study as JSON with one line a trial, so that long curves do not take one line a number. */
export function formatStudy({ trials, ...head }: StudyResult): string {
  const lines = trials.map((trial) => `  ${JSON.stringify(trial)}`).join(",\n");
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "trials": [\n${lines}\n ]\n}\n`;
}
