import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import type { StudySettings } from "../study/settings.js";
import type { TrialResult } from "../study/study-result.js";
import { Failure, firstLine } from "./failure.js";
import type { TrialOutcome, TrialTask } from "./worker.js";

export interface TrialRun {
  readonly settings: StudySettings;
  readonly directory: string;
  /** Numbers of the trials to run. */
  readonly trials: readonly number[];
  /** null for as many as there are cores. */
  readonly threads: number | null;
  /** Stops the run: trials that are not finished are given up. */
  readonly signal: AbortSignal;
  /** Called with every trial as it is finished, one call at a time. */
  readonly onTrial: (result: TrialResult) => Promise<void>;
}

/** Runs trials on worker threads. The first failure ends the run; an abort ends it without one. */
export async function runTrials({ settings, directory, trials, threads, signal, onTrial }: TrialRun): Promise<void> {
  if (trials.length === 0 || signal.aborted) return;
  const size = Math.min(threads ?? availableParallelism(), trials.length);
  const pool = new Piscina({
    filename: new URL("./worker.js", import.meta.url).href,
    minThreads: size,
    maxThreads: size,
  });
  const stopped = new Promise<"stopped">((resolve) =>
    signal.addEventListener("abort", () => resolve("stopped"), { once: true }),
  );
  let kept = Promise.resolve();
  const tasks = trials.map(async (trial) => {
    const task: TrialTask = { settings, directory, trial };
    const outcome = await (pool.run(task) as Promise<TrialOutcome>).catch((error: unknown) => {
      throw new Failure("WORKER_LOST", `trial ${trial}: ${firstLine(error)}`);
    });
    if (signal.aborted) return;
    if ("failure" in outcome) throw failureOf(outcome.failure);
    kept = kept.then(() => onTrial(outcome.result));
    await kept;
  });
  try {
    await Promise.race([Promise.all(tasks), stopped]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    const settled = Promise.allSettled(tasks);
    await pool.destroy();
    await settled;
    await kept.catch(() => {});
  }
}

function failureOf({ code, message, status, stack }: Extract<TrialOutcome, { failure: unknown }>["failure"]): Failure {
  const failure = new Failure(code, message, status);
  if (stack !== null) failure.cause = stack;
  return failure;
}
