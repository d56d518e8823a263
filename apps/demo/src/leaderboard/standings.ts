import { estimate, pairedDifference, type Estimate } from "../study/estimate.js";
import type { Cell } from "./cell.js";
import type { Score } from "./leaderboard-result.js";

/** One rule in one cell. */
export interface Place {
  readonly score: Score;
  readonly error: Estimate;
  /** error − error of the best rule of the cell, over the same trials. */
  readonly regret: Estimate;
}

/** One rule over all cells. */
export interface Standing {
  readonly rule: string;
  readonly places: readonly Place[];
  /** Where its regret is largest. */
  readonly worst: Place;
  readonly meanRegret: number;
}

/** A text that two scores share exactly if they are of one cell. */
export const cellKey = ({ task, kind, fraction, strength }: Cell): string => [task, kind, strength, fraction].join(" ");

/**
 * The rules of a leaderboard by their regret in the worst cell, the least first.
 *
 *   regret of a rule in a cell = its mean error − the least mean error of a rule there;   worst = the largest of all cells
 *
 * The best rule of a cell is picked by the same trials, which favours it: regrets are a little too large rather than
 * too small.
 *
 * @param scores  Those to count. Rules that are not in every cell are left out.
 * @example       const [first] = standings(scores.filter(({ kind }) => kind !== "backdoor"));
 */
export function standings(scores: readonly Score[]): Standing[] {
  const cells = grouped(scores, cellKey);
  const best = new Map(
    [...cells].map(([key, rivals]) => [
      key,
      rivals.reduce((a, b) => (estimate(b.errors).mean < estimate(a.errors).mean ? b : a)),
    ]),
  );
  return [...grouped(scores, ({ rule }) => rule)]
    .filter(([, own]) => own.length === cells.size)
    .map(([rule, own]): Standing => {
      const places = own.map((score) => ({
        score,
        error: estimate(score.errors),
        regret: pairedDifference(score.errors, best.get(cellKey(score))!.errors),
      }));
      const worst = places.reduce((a, b) => (b.regret.mean > a.regret.mean ? b : a));
      return { rule, places, worst, meanRegret: estimate(places.map(({ regret }) => regret.mean)).mean };
    })
    .sort((a, b) => a.worst.regret.mean - b.worst.regret.mean);
}

function grouped(scores: readonly Score[], key: (score: Score) => string): Map<string, Score[]> {
  const groups = new Map<string, Score[]>();
  for (const score of scores) groups.set(key(score), [...(groups.get(key(score)) ?? []), score]);
  return groups;
}
