import { contaminations, type Contamination, type ContaminationName } from "./contaminations.js";
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
  /** null for each kind's own. */
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
        (strengths ?? contaminations[kind].strengths).flatMap((strength) =>
          fractions.map((fraction) => ({ task, kind, fraction, strength })),
        ),
      ),
  ]);
}

function suits(kind: ContaminationName, task: TaskName): boolean {
  const { wanted }: Contamination = contaminations[kind];
  return wanted === undefined || tasks[task].classes !== null;
}
