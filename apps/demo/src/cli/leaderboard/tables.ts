import { cellsOf, isHijack, spoiltBy, type Cell, type Spoilt } from "../../leaderboard/cell.js";
import { contaminations } from "../../leaderboard/contaminations.js";
import type { LeaderboardResult, LeaderboardSettings } from "../../leaderboard/leaderboard-result.js";
import { cellKey, standings, type Place, type Standing } from "../../leaderboard/standings.js";
import { tasks } from "../../leaderboard/tasks.js";
import { estimate } from "../../study/estimate.js";
import { percent } from "../table.js";

type Scores = Pick<LeaderboardResult, "scores">;

/** What a leaderboard spoils; each has a ranking and figures of its own. */
export const spoiltIn = ({ kinds }: LeaderboardSettings): Spoilt[] =>
  (["data", "rows"] as const).filter((what) =>
    kinds.length === 0 ? what === "data" : kinds.some((kind) => spoiltBy(kind) === what),
  );

/** Standings over clean and spoilt data, or over spoilt rows of gradients; without backdoors, whose score is not an error. */
export const ranking = ({ scores }: Scores, what: Spoilt): Standing[] =>
  standings(scores.filter(({ kind }) => (kind === null ? "data" : spoiltBy(kind)) === what && !isHijack(kind)));

/** All that a table or a figure shows, in the order of the ranking: backdoors beside spoilt data, and the clean cells. */
export function shown({ scores }: Scores, what: Spoilt): Standing[] {
  const order = ranking({ scores }, what).map(({ rule }) => rule);
  return standings(scores.filter(({ kind }) => kind === null || spoiltBy(kind) === what)).sort(
    (a, b) => order.indexOf(a.rule) - order.indexOf(b.rule),
  );
}

/** The rules by regret in their worst cell, as lines of Markdown. */
export function rankingTable(result: LeaderboardResult, what: Spoilt): string {
  const { settings } = result;
  const largest = (places: readonly Place[]) => Math.max(...places.map(({ regret }) => regret.mean));
  const rows = ranking(result, what).map(({ rule, places, worst, meanRegret }) => [
    `\`${rule}\``,
    ...settings.tasks.map((task) => largest(places.filter(({ score }) => score.task === task)).toFixed(3)),
    meanRegret.toFixed(3),
    `${worst.regret.mean.toFixed(3)}${between(worst)}`,
    `${tasks[worst.score.task].title}, ${describeCell(worst.score)}`,
  ]);
  const headings = ["rule", ...settings.tasks.map((task) => tasks[task].title), "mean", "worst cell", "which"];
  return table(headings, rows);
}

/** For every share of spoilt rows the mean and the largest regret, rule by rule in the order of the ranking, as Markdown. */
export function shareTable(
  { settings: { fractions }, scores }: Scores & { readonly settings: Pick<LeaderboardSettings, "fractions"> },
  what: Spoilt,
): string {
  const rows = ranking({ scores }, what).map(({ rule, places }) => [
    `\`${rule}\``,
    ...fractions.flatMap((fraction) => {
      const regrets = places.filter(({ score }) => score.fraction === fraction).map(({ regret }) => regret.mean);
      return [estimate(regrets).mean, Math.max(...regrets)].map((regret) => regret.toFixed(3));
    }),
  ]);
  const headings = fractions.flatMap((fraction) => ["mean", "worst"].map((name) => `${name}, ${percent(fraction)}`));
  return table(["rule", ...headings], rows);
}

/** The errors of one task, rule by rule and cell by cell, as Markdown. */
export function errorTable(result: LeaderboardResult, task: keyof typeof tasks, what: Spoilt): string {
  const { kinds } = result.settings;
  const cells = cellsOf({ ...result.settings, kinds: kinds.filter((kind) => spoiltBy(kind) === what), tasks: [task] });
  const rows = shown(result, what).map(({ rule, places }) => [
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
  const { title, strengths } = contaminations[kind];
  const name = strengths.length === 0 ? title : `${title} ${strength.toLocaleString("en")}`;
  return `${name}, ${percent(fraction)}`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

const plusMinus = (standardError: number) => (Number.isFinite(standardError) ? ` ± ${standardError.toFixed(3)}` : "");

function between({ regret: { interval } }: Place): string {
  return Number.isFinite(interval[0]) ? ` (${interval.map((end) => end.toFixed(3)).join(" … ")})` : "";
}
