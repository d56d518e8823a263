import type { VariantSummary } from "../study/summary.js";

const headings = ["train error", "test error", "failed", "µs / step"] as const;

/** The study's table as lines of text: final errors ± standard error, share of failed trials, time a step. */
export function formatTable(rows: readonly VariantSummary[]): string {
  const cells = rows.map(({ trainError, testError, failed, microsecondsPerStep }) => [
    withError(trainError.mean, trainError.standardError),
    withError(testError.mean, testError.standardError),
    percent(failed),
    microsecondsPerStep.toFixed(0),
  ]);
  const first = Math.max(34, ...rows.map(({ label }) => label.length + 2));
  const widths = headings.map((heading, k) => 3 + Math.max(heading.length, ...cells.map((row) => row[k]!.length)));
  const line = (label: string, values: readonly string[]) =>
    `  ${label.padEnd(first)}${values.map((value, k) => value.padEnd(widths[k]!)).join("")}`.trimEnd();
  return [line("", headings), ...rows.map(({ label }, k) => line(label, cells[k]!))].join("\n");
}

/** `0.389 ± 0.010`; without the error where one trial gives none. */
export function withError(mean: number, standardError: number): string {
  return Number.isFinite(standardError) ? `${mean.toFixed(3)} ± ${standardError.toFixed(3)}` : mean.toFixed(3);
}

/** `57.5 %`, `5 %`. */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
