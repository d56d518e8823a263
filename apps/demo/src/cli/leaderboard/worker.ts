import type { Cell } from "../../leaderboard/cell.js";
import { Contest } from "../../leaderboard/contest.js";
import { entrant } from "../../leaderboard/entrants.js";
import { tasks } from "../../leaderboard/tasks.js";
import { openStudyDevice } from "../device.js";
import { asFailure } from "../failure.js";
import type { Device } from "@robgrad/tensor";

/** What a worker thread is asked to do: one rule in one cell, all trials of it. */
export interface ContestTask {
  readonly device: string;
  readonly rule: string;
  readonly cell: Cell;
  readonly seeds: readonly number[];
}

/** Errors lose their code on the way between threads, so a failure travels as data. */
export type ContestOutcome =
  | { readonly errors: readonly number[] }
  | { readonly failure: { readonly code: string; readonly message: string; readonly status: number } };

let opened: Promise<Device> | null = null;
let last: { readonly key: string; readonly contest: Contest } | null = null;

/** The contest of a rule and a task; it is kept as long as the tasks that come are its own. */
async function contestOf({ device, rule, cell }: ContestTask): Promise<Contest> {
  const key = `${cell.task} ${rule}`;
  if (last?.key === key) return last.contest;
  last?.contest.dispose();
  const contest = new Contest(await (opened ??= openStudyDevice(device)), tasks[cell.task], entrant(rule));
  last = { key, contest };
  return contest;
}

export default async function work(task: ContestTask): Promise<ContestOutcome> {
  try {
    const contest = await contestOf(task);
    const errors: number[] = [];
    for (const seed of task.seeds) errors.push(await contest.run(task.cell, seed));
    return { errors };
  } catch (error) {
    const { code, message, status } = asFailure(error);
    return { failure: { code, message: `${task.rule} on ${task.cell.task}: ${message}`, status } };
  }
}
