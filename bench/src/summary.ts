import { markdownTable } from "markdown-table";
import stringWidth from "string-width";
import { digits, duration, type Entry, type Section } from "./report.js";

/**
 * One row a work, one column a contender: medians, and how many times as long as ours a peer takes.
 *
 * @returns  Markdown; below the table why there are gaps.
 */
export function summaryOf(sections: readonly Section[]): string {
  const contenders = [...new Set(sections.flatMap(({ entries }) => entries.map(({ contender }) => contender)))];
  const reasons: string[] = [];
  const rows = sections.map(({ id, title, entries }) => [
    `${title} (\`${id}\`)`,
    ...contenders.map((name) => {
      const entry = entries.find(({ contender }) => contender === name);
      if (entry?.kind === "timed") return cellOf(entry);
      reasons.push(`\`${id}\`, ${name}: ${entry === undefined ? "not asked" : `${entry.kind}, ${entry.reason ?? ""}`}`);
      return "–";
    }),
  ]);
  const table = markdownTable([["work", ...contenders], ...rows], {
    align: ["l", ...contenders.map(() => "r")],
    stringLength: stringWidth,
  });
  return [table, ...(reasons.length > 0 ? ["", ...reasons.map((reason) => `- ${reason}`)] : [])].join("\n");
}

function cellOf({ median, ratio, gflops }: Entry): string {
  const parts = [duration(median as number)];
  if (gflops !== undefined) parts.push(`${digits(gflops)} GFLOP/s`);
  // The contender that ratios refer to is 1 times itself.
  return ratio === undefined || ratio === 1 ? parts.join(", ") : `${parts.join(", ")} (${digits(ratio)} ×)`;
}
