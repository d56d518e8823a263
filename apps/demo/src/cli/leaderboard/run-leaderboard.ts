import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { parseHTML } from "linkedom";
import { Piscina } from "piscina";
import { cellsOf, type Cell } from "../../leaderboard/cell.js";
import { heatMap } from "../../leaderboard/figures/heat-map.js";
import type { LeaderboardResult, LeaderboardSettings, Score } from "../../leaderboard/leaderboard-result.js";
import { cellKey } from "../../leaderboard/standings.js";
import { tasks } from "../../leaderboard/tasks.js";
import type { DrawingDocument } from "../../study/figures/picture.js";
import { openStudyDevice } from "../device.js";
import { standalone, svgText } from "../drawing.js";
import { exitStatus, Failure, firstLine } from "../failure.js";
import { showProgress } from "../progress.js";
import { timestamp, type Surroundings } from "../run-study.js";
import { versions } from "../versions.js";
import type { LeaderboardRequest } from "./command-line.js";
import { LeaderboardFolder } from "./leaderboard-folder.js";
import { errorTable, rankingTable, shareTable, shown, spoiltIn } from "./tables.js";
import type { ContestOutcome, ContestTask } from "./worker.js";

/** Runs or continues a leaderboard, writes its folder and prints the ranking. */
export async function runLeaderboard(
  request: LeaderboardRequest,
  { directory, signal, print, warn, terminal }: Surroundings,
): Promise<number> {
  const resumed = request.resume === null ? null : await LeaderboardFolder.open(resolve(directory, request.resume));
  const blank: LeaderboardResult = resumed?.result ?? {
    format: 1,
    settings: await settingsOf(request),
    versions: versions(),
    scores: [],
  };
  const path = resolve(directory, request.out ?? `results/leaderboard-${timestamp(new Date())}`);
  const folder = resumed?.folder ?? (await LeaderboardFolder.begin(path, blank));

  const done = new Map(blank.scores.map((score) => [scoreKey(score.rule, score), score]));
  const wanted = scoresOf(blank.settings);
  const bar = showProgress(wanted.length, done.size, terminal, "scores");
  let failure: unknown = null;
  try {
    await play(
      blank.settings,
      wanted.filter(({ rule, cell }) => !done.has(scoreKey(rule, cell))),
      {
        threads: request.threads,
        signal,
        onScore: async (score) => {
          await folder.keep(score);
          done.set(scoreKey(score.rule, score), score);
          bar.advance();
        },
      },
    );
  } catch (error) {
    failure = error;
  }
  bar.stop();

  const result: LeaderboardResult = {
    ...blank,
    scores: wanted.flatMap(({ rule, cell }) => done.get(scoreKey(rule, cell)) ?? []),
  };
  const whole = result.scores.length === wanted.length;
  await folder.finish(result, whole ? drawn(result) : {});
  if (failure !== null) throw failure;
  const place = relative(directory, folder.path) || ".";
  if (!whole) {
    warn(`interrupted: ${result.scores.length} of ${wanted.length} scores are there; continue with --resume ${place}`);
    return exitStatus.interrupted;
  }
  const rankings = spoiltIn(result.settings).map((what) => `${headings[what]}\n\n${rankingTable(result, what)}`);
  print(`${rankings.join("\n\n")}\n\n  ${place}/leaderboard.md · leaderboard.json · heat maps`);
  return exitStatus.success;
}

const headings = { data: "Clean and spoilt data", rows: "Spoilt rows of gradients" } as const;

const scoreKey = (rule: string, cell: Cell) => `${rule} on ${cellKey(cell)}`;

/** Rule by rule, so that a thread keeps the recording of a rule's step for many cells. */
function scoresOf({ tasks: chosen, rules, ...grid }: LeaderboardSettings): { rule: string; cell: Cell }[] {
  return chosen.flatMap((task) =>
    rules.flatMap((rule) => cellsOf({ ...grid, tasks: [task] }).map((cell) => ({ rule, cell }))),
  );
}

async function settingsOf({
  tasks: chosen,
  kinds,
  fractions,
  strengths,
  rules,
  seed,
  trials,
  device: wished,
}: LeaderboardRequest): Promise<LeaderboardSettings> {
  const device = await openStudyDevice(wished);
  device.dispose();
  return {
    tasks: chosen,
    kinds,
    fractions,
    strengths,
    rules,
    seed,
    trials: Object.fromEntries(chosen.map((task) => [task, trials[task] ?? tasks[task].trials])),
    device: device.name,
  };
}

interface Match {
  readonly threads: number | null;
  readonly signal: AbortSignal;
  /** Called with every score as it is finished, one call at a time. */
  readonly onScore: (score: Score) => Promise<void>;
}

async function play(
  { device, seed, trials }: LeaderboardSettings,
  wanted: readonly { readonly rule: string; readonly cell: Cell }[],
  { threads, signal, onScore }: Match,
): Promise<void> {
  if (wanted.length === 0 || signal.aborted) return;
  const size = Math.min(threads ?? availableParallelism(), wanted.length);
  const pool = new Piscina({
    filename: new URL("./leaderboard-worker.js", import.meta.url).href,
    minThreads: size,
    maxThreads: size,
  });
  const stopped = new Promise<"stopped">((resolve) =>
    signal.addEventListener("abort", () => resolve("stopped"), { once: true }),
  );
  let kept = Promise.resolve();
  // As many tasks as threads at a time: a pool with a queue of its own does not keep the order, and threads their recordings.
  const left = wanted.values();
  const running = Array.from({ length: size }, async () => {
    for (const { rule, cell } of left) {
      const seeds = Array.from({ length: trials[cell.task]! }, (_, trial) => seed + trial);
      const task: ContestTask = { device, rule, cell, seeds };
      const outcome = await (pool.run(task) as Promise<ContestOutcome>).catch((error: unknown) => {
        throw new Failure("WORKER_LOST", `${rule}: ${firstLine(error)}`);
      });
      if (signal.aborted) return;
      if ("failure" in outcome)
        throw new Failure(outcome.failure.code, outcome.failure.message, outcome.failure.status);
      kept = kept.then(() => onScore({ rule, ...cell, errors: outcome.errors }));
      await kept;
    }
  });
  try {
    await Promise.race([Promise.all(running), stopped]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    const settled = Promise.allSettled(running);
    await pool.destroy();
    await settled;
    await kept.catch(() => {});
  }
}

function drawn(result: LeaderboardResult): Record<string, string> {
  const { settings } = result;
  const document = parseHTML("<!doctype html><html></html>").document as unknown as DrawingDocument;
  const parts = spoiltIn(settings);
  const maps = parts.flatMap((what) =>
    settings.tasks.map((task): [string, string] => [
      `${task}-${what}.svg`,
      standalone(svgText(heatMap(shown(result, what), task, settings.trials[task]!, document))),
    ]),
  );
  const sections = parts.flatMap((what) => [
    `## ${headings[what]}`,
    rankingTable(result, what),
    shareTable(result, what),
    ...settings.tasks.map((task) => `### ${tasks[task].title}\n\n${errorTable(result, task, what)}`),
  ]);
  return { ...Object.fromEntries(maps), "leaderboard.md": `${sections.join("\n\n")}\n` };
}
