import { cellsOf, type Cell } from "../../leaderboard/cell.js";
import { contaminations } from "../../leaderboard/contaminations.js";
import type { LeaderboardResult } from "../../leaderboard/leaderboard-result.js";
import { cellKey, standings, type Place, type Standing } from "../../leaderboard/standings.js";
import { tasks } from "../../leaderboard/tasks.js";

/** Standings without backdoors, whose score is not an error. */
export const ranking = ({ scores }: Pick<LeaderboardResult, "scores">): Standing[] =>
  standings(scores.filter(({ kind }) => kind !== "backdoor"));

/** The rules by regret in their worst cell, as lines of Markdown. */
export function rankingTable(result: LeaderboardResult): string {
  const { settings } = result;
  const largest = (places: readonly Place[]) => Math.max(...places.map(({ regret }) => regret.mean));
  const rows = ranking(result).map(({ rule, places, worst, meanRegret }) => [
    `\`${rule}\``,
    ...settings.tasks.map((task) => largest(places.filter(({ score }) => score.task === task)).toFixed(3)),
    meanRegret.toFixed(3),
    `${worst.regret.mean.toFixed(3)}${between(worst)}`,
    `${tasks[worst.score.task].title}, ${describeCell(worst.score)}`,
  ]);
  const headings = ["rule", ...settings.tasks.map((task) => tasks[task].title), "mean", "worst cell", "which"];
  return table(headings, rows);
}

/** The errors of one task, rule by rule and cell by cell, as Markdown. */
export function errorTable(result: LeaderboardResult, task: keyof typeof tasks): string {
  const cells = cellsOf({ ...result.settings, tasks: [task] });
  const order = new Map(ranking(result).map(({ rule }, place) => [rule, place]));
  const everything = standings(result.scores).sort((a, b) => (order.get(a.rule) ?? 0) - (order.get(b.rule) ?? 0));
  const rows = everything.map(({ rule, places }) => [
    `\`${rule}\``,
    ...cells.map((cell) => {
      const place = places.find(({ score }) => cellKey(score) === cellKey(cell));
      return place === undefined ? "" : `${place.error.mean.toFixed(3)}${plusMinus(place.error.standardError)}`;
    }),
  ]);
  return table(["rule", ...cells.map(describeCell)], rows);
}

/** `label flips 2, 20 %`. */
export function describeCell({ kind, fraction, strength }: Cell): string {
  if (kind === null) return "clean";
  return `${contaminations[kind].title} ${strength.toLocaleString("en")}, ${Number((100 * fraction).toFixed(1))} %`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

const plusMinus = (standardError: number) => (Number.isFinite(standardError) ? ` ± ${standardError.toFixed(3)}` : "");

function between({ regret: { interval } }: Place): string {
  return Number.isFinite(interval[0]) ? ` (${interval.map((end) => end.toFixed(3)).join(" … ")})` : "";
}
