import type { StudySettings } from "../study/settings.js";
import type { TrialResult } from "../study/study-result.js";
import { Trials } from "../study/trials.js";
import { variantsOf } from "../study/variants.js";
import { openStudyDevice } from "./device.js";
import { asFailure } from "./failure.js";
import { loadRule } from "./rules.js";

/** What a worker thread is asked to do. */
export interface TrialTask {
  readonly settings: StudySettings;
  /** Where a rule's file or package is looked for. */
  readonly directory: string;
  readonly trial: number;
}

/** Errors lose their code on the way between threads, so a failure travels as data. */
export type TrialOutcome =
  | { readonly result: TrialResult }
  | {
      readonly failure: {
        readonly code: string;
        readonly message: string;
        readonly status: number;
        readonly stack: string | null;
      };
    };

let prepared: Promise<Trials> | null = null;

async function prepare({ settings, directory }: TrialTask): Promise<Trials> {
  const device = await openStudyDevice(settings.device);
  const rule = settings.rule === null ? null : await loadRule(settings.rule.specifier, directory);
  return new Trials(device, settings, variantsOf(settings, rule));
}

/** Runs one trial; all tasks of a pool belong to one study. */
export default async function work(task: TrialTask): Promise<TrialOutcome> {
  try {
    const trials = await (prepared ??= prepare(task));
    return { result: await trials.run(task.trial) };
  } catch (error) {
    const { code, message, status, cause } = asFailure(error);
    return { failure: { code, message, status, stack: cause instanceof Error ? (cause.stack ?? null) : null } };
  }
}
