import { contaminations, type ContaminationName } from "./contaminations.js";
import { tasks, type TaskName } from "./tasks.js";

/** One way to spoil one task; `kind` null leaves it clean. */
export interface Cell {
  readonly task: TaskName;
  readonly kind: ContaminationName | null;
  readonly fraction: number;
  readonly strength: number;
}

/** What the cells of a leaderboard are made of. */
export interface Grid {
  readonly tasks: readonly TaskName[];
  readonly kinds: readonly ContaminationName[];
  readonly fractions: readonly number[];
  /** null for each kind's own; a kind without strength has none all the same. */
  readonly strengths: readonly number[] | null;
}

/**
 * The cells of a grid: of every task the clean one, then every kind, strength and fraction.
 *
 * @example  cellsOf({ tasks: ["iris"], kinds: ["flips"], fractions: [0.1], strengths: null })   // the clean one and two strengths
 */
export function cellsOf({ tasks, kinds, fractions, strengths }: Grid): Cell[] {
  return tasks.flatMap((task): Cell[] => [
    { task, kind: null, fraction: 0, strength: 0 },
    ...kinds
      .filter((kind) => suits(kind, task))
      .flatMap((kind) =>
        strengthsOf(kind, strengths).flatMap((strength) =>
          fractions.map((fraction) => ({ task, kind, fraction, strength })),
        ),
      ),
  ]);
}

function strengthsOf(kind: ContaminationName, wished: readonly number[] | null): readonly number[] {
  const own = contaminations[kind].strengths;
  return own.length === 0 ? [0] : (wished ?? own);
}

function suits(kind: ContaminationName, task: TaskName): boolean {
  return !isHijack(kind) || tasks[task].classes !== null;
}

/** Whether a kind spoils the data of training rows, or the rows of gradients that come of them. */
export type Spoilt = "data" | "rows";

export const spoiltBy = (kind: ContaminationName): Spoilt => ("attack" in contaminations[kind] ? "rows" : "data");

/** Whether the scores of a cell are the share that does what an attacker wants, and no errors. */
export function isHijack(kind: ContaminationName | null): boolean {
  const contamination = kind === null ? null : contaminations[kind];
  return contamination !== null && "wanted" in contamination;
}
