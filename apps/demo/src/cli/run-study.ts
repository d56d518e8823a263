import { relative, resolve } from "node:path";
import { blankStudy } from "../study/blank-study.js";
import { inOrder } from "../study/in-order.js";
import type { StudySettings } from "../study/settings.js";
import type { StudyResult, TrialResult } from "../study/study-result.js";
import { summarize } from "../study/summary.js";
import { Trials } from "../study/trials.js";
import { variantsOf } from "../study/variants.js";
import type { Request } from "./command-line.js";
import { curvesCsv } from "./curves-csv.js";
import { openStudyDevice } from "./device.js";
import { draw, standalone } from "./drawing.js";
import { exitStatus, usageFailure } from "./failure.js";
import { showProgress } from "./progress.js";
import { png } from "./png.js";
import { report } from "./report.js";
import { ResultsFolder } from "./results-folder.js";
import { loadRule } from "./rules.js";
import { runTrials } from "./run-trials.js";
import { formatTable } from "./table.js";
import { versions } from "./versions.js";

/** Where a command runs and what it talks to. */
export interface Surroundings {
  /** Paths are seen from here. */
  readonly directory: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly terminal: NodeJS.WriteStream;
}

/** Runs or continues a study, writes its folder and prints its table. */
export async function runStudy(
  request: Request,
  { directory, signal, print, warn, terminal }: Surroundings,
): Promise<number> {
  const resumed = request.resume === null ? null : await ResultsFolder.open(resolve(directory, request.resume));
  const path = resumed?.folder.path ?? resolve(directory, request.out ?? `results/${timestamp(new Date())}`);
  const wished =
    resumed === null
      ? withRuleSeenFrom(relative(path, directory), request.settings)
      : grown(resumed.study, request.trialsGiven);
  const ruleDirectory = resolve(path, wished.rule?.seenFrom ?? relative(path, directory));

  const settings = await rehearse(wished, ruleDirectory);
  const study: StudyResult =
    resumed === null
      ? blankStudy(settings, await listVariants(settings, ruleDirectory), versions())
      : { ...resumed.study, settings };
  if (resumed !== null) warnOfVersions(study.versions, warn);
  const folder = resumed?.folder ?? (await ResultsFolder.begin(path, study));

  if (!request.json) print(`  ${headline(study)}`);
  const done = new Map<number, TrialResult>(study.trials.map((trial) => [trial.trial, trial]));
  const missing = Array.from({ length: settings.trials }, (_, trial) => trial).filter((trial) => !done.has(trial));
  const bar = showProgress(settings.trials, done.size, terminal);
  let failure: unknown = null;
  try {
    await runTrials({
      settings,
      directory: ruleDirectory,
      trials: missing,
      threads: request.threads,
      signal,
      onTrial: async (result) => {
        await folder.keepTrial(result);
        done.set(result.trial, result);
        bar.advance();
      },
    });
  } catch (error) {
    failure = error;
  }
  bar.stop();

  const finished: StudyResult = { ...study, trials: inOrder(done.values()) };
  const written = finished.trials.length === 0 ? {} : drawn(finished);
  await folder.finish(finished, written);
  const place = relative(directory, folder.path) || ".";
  if (failure !== null) {
    if (done.size > 0) warn(`${done.size} of ${settings.trials} trials are kept in ${place}`);
    throw failure;
  }
  const rows = summarize(finished);
  if (request.json)
    print(JSON.stringify({ folder: folder.path, settings, finished: done.size, variants: rows }, null, 2));
  else if (rows.length > 0) {
    print(`\n${formatTable(rows)}\n`);
    print(
      `  ${place}/${["report.html", ...Object.keys(written).filter((name) => name !== "report.html"), "study.json"].join(" · ")}`,
    );
  }
  if (done.size === settings.trials) return exitStatus.success;
  warn(`interrupted: ${done.size} of ${settings.trials} trials are finished; continue with --resume ${place}`);
  return exitStatus.interrupted;
}

/** Settings that say where their rule is found when the study is continued from another folder. */
function withRuleSeenFrom(seenFrom: string, { rule, ...settings }: Request["settings"]): Request["settings"] {
  return { ...settings, rule: rule && { ...rule, seenFrom } };
}

/** Opens the device, loads the rule and takes one step with every variant, so that what cannot work fails before training. */
async function rehearse(wished: Request["settings"], directory: string): Promise<StudySettings> {
  const device = await openStudyDevice(wished.device);
  try {
    const settings: StudySettings = { ...wished, device: device.name };
    const rule = settings.rule === null ? null : await loadRule(settings.rule.specifier, directory);
    await new Trials(device, { ...settings, iterations: 1 }, variantsOf(settings, rule)).run(0);
    return settings;
  } finally {
    device.dispose();
  }
}

async function listVariants(settings: StudySettings, directory: string): Promise<StudyResult["variants"]> {
  const rule = settings.rule === null ? null : await loadRule(settings.rule.specifier, directory);
  return variantsOf(settings, rule);
}

/** The settings of a study that is continued, with more trials if they were asked for. */
function grown(study: StudyResult, trialsGiven: number | null): StudySettings {
  const finished = Math.max(0, ...study.trials.map(({ trial }) => trial + 1));
  if (trialsGiven !== null && trialsGiven < finished) {
    throw usageFailure(`--trials: expected at least the ${finished} trials that the study holds, found ${trialsGiven}`);
  }
  return { ...study.settings, trials: trialsGiven ?? study.settings.trials };
}

function drawn(study: StudyResult): Record<string, string | Uint8Array> {
  const drawings = draw(study);
  const figures = { "figure-3": standalone(drawings.figureThree), "figure-4": standalone(drawings.figureFour) };
  return {
    "report.html": report(study, drawings),
    ...Object.fromEntries(
      Object.entries(figures).flatMap(([name, svg]) => [
        [`${name}.svg`, svg],
        [`${name}.png`, png(svg)],
      ]),
    ),
    "curves.csv": curvesCsv(study),
  };
}

function headline({ settings, samples, figureThree }: StudyResult): string {
  const { trials, iterations, factor, device, seed } = settings;
  const displaced = figureThree.displaced.length;
  return [
    "iris",
    `${samples.train} train, ${samples.test} test`,
    `${displaced} point${displaced === 1 ? "" : "s"} displaced by ${factor.toExponential().replace("e+", "e")} σ`,
    `${trials} paired trial${trials === 1 ? "" : "s"} × ${iterations} steps`,
    device,
    `seed ${seed}`,
  ].join(" · ");
}

function warnOfVersions(then: StudyResult["versions"], warn: (text: string) => void): void {
  const now = versions();
  const changed = Object.keys(then).filter((name) => name.startsWith("@robgrad/") && then[name] !== now[name]);
  if (changed.length > 0)
    warn(`the study was begun with ${changed.map((name) => `${name} ${then[name]}`).join(", ")}; numbers may differ`);
}

/** 2026-01-31T09-15-00, local time. */
export function timestamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}T${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("-")}`;
}
