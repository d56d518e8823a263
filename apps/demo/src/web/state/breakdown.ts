import { computed, effect, signal } from "@preact/signals";
import { estimate, type Estimate } from "../../study/estimate.js";
import { failureThreshold } from "../../study/protocol.js";
import { Background } from "../background.js";
import {
  cellKey,
  cellsThrough,
  fractions,
  nearest,
  strengths,
  type BreakdownCell,
  type BreakdownTask,
} from "../breakdown-cell.js";
import type { BreakdownAnswer } from "../worker/breakdown-trials.js";
import { tellStopped } from "./background-trouble.js";
import { playing } from "./live.js";
import { change, notify, page } from "./store.js";

/** Trials of a point, at most. */
export const mostTrials = 100;

/** Whether the lab computes while it is seen. */
export const going = signal(true);

/** Where the sliders stand. */
export const cell = computed<BreakdownCell>(() => {
  const { kind, share, strength } = page.value;
  const fraction = fractions.reduce((best, other) => (Math.abs(other - share) < Math.abs(best - share) ? other : best));
  return { kind, fraction, strength: nearest(strengths[kind], strength) };
});

const written = computed(() => {
  const { seed, protocol, steps } = page.value;
  return JSON.stringify({ seed, protocol, iterations: steps } satisfies BreakdownTask["settings"]);
});
const settings = computed(() => JSON.parse(written.value) as BreakdownTask["settings"]);
const wanted = computed(() => ({ cells: cellsThrough(cell.value), rules: page.value.competitors }));
const device = computed(() => page.value.device);

interface CellResults {
  readonly cell: BreakdownCell;
  /** By rule and trial. */
  readonly errors: Map<string, Map<number, number>>;
}

const results = new Map<string, CellResults>();
/** The same for those who look, renewed a few times a second. */
const seen = signal<ReadonlyMap<string, CellResults>>(results);
const refused = new Set<string>();
const inWork = new Set<string>();
let begun: unknown = null;

/** What is known of a rule at one point. */
export interface BreakdownPoint {
  readonly testError: Estimate;
  /** Share of trials that failed. */
  readonly failed: number;
}

/** A rule at a point; null before its first trial there. */
export function pointOf(at: BreakdownCell, rule: string): BreakdownPoint | null {
  const errors = [...(seen.value.get(cellKey(at))?.errors.get(rule)?.values() ?? [])];
  if (errors.length === 0) return null;
  const failed = errors.filter((error) => error > failureThreshold).length / errors.length;
  return { testError: estimate(errors), failed };
}

/** Fewest and most trials of a point that is shown, over rules that can be used, and how many of all are done. */
export function progress(): { readonly fewest: number; readonly done: number; readonly total: number } {
  const { cells, rules } = wanted.value;
  const counts = cells.flatMap((at) =>
    rules.filter((rule) => !refused.has(rule)).map((rule) => seen.value.get(cellKey(at))?.errors.get(rule)?.size ?? 0),
  );
  return {
    fewest: Math.min(mostTrials, ...counts),
    done: counts.reduce((sum, count) => sum + count, 0),
    total: counts.length * mostTrials,
  };
}

/** One row a trial, of all points that have been computed since seed and steps were set. */
export function trialRows(): Record<string, string | number>[] {
  const { seed, iterations } = settings.peek();
  return [...results.values()].flatMap(({ cell: { kind, fraction, strength }, errors }) =>
    [...errors].flatMap(([rule, list]) =>
      [...list]
        .sort(([a], [b]) => a - b)
        .map(([trial, error]) => ({ seed, steps: iterations, kind, fraction, strength, rule, trial, error })),
    ),
  );
}

/**
 * Computes as long as the lab is seen.
 *
 * @returns  Ends it.
 */
export function openLab(): () => void {
  playing.value = false;
  let background: Background<BreakdownTask, BreakdownAnswer> | null = null;
  const stopWorking = effect(() => {
    if (!going.value) return;
    inWork.clear();
    background = new Background(device.value, {
      next,
      ask: (engine, task) => engine.breakdown(task),
      answered,
      failed: (error) => {
        going.value = false;
        tellStopped("The breakdown lab", error, () => (going.value = true));
      },
    });
    return () => {
      background?.close();
      background = null;
      show();
    };
  });
  const stopFollowing = effect(() => {
    if (settings.value !== begun) {
      begun = settings.value;
      results.clear();
      refused.clear();
    }
    if (wanted.value.cells.length > 0) background?.wake();
    tell();
  });
  return () => {
    stopFollowing();
    stopWorking();
  };
}

/** Points take turns, so that all curves sharpen together; those near the sliders are some trials ahead. */
function next(): BreakdownTask | null {
  const { cells, rules } = wanted.peek();
  let best: { readonly score: number; readonly task: BreakdownTask } | null = null;
  for (const [rank, at] of cells.entries()) {
    const own = results.get(cellKey(at))?.errors;
    for (let trial = 0; trial < mostTrials; trial++) {
      const score = trial + rank / 8;
      if (best !== null && score >= best.score) break;
      const competitors = rules.filter(
        (rule) => !refused.has(rule) && own?.get(rule)?.has(trial) !== true && !inWork.has(workKey(at, trial, rule)),
      );
      if (competitors.length === 0) continue;
      best = { score, task: { settings: settings.peek(), cell: at, trial, competitors } };
      break;
    }
  }
  if (best === null) return null;
  const { task } = best;
  for (const rule of task.competitors) inWork.add(workKey(task.cell, task.trial, rule));
  return task;
}

const workKey = (at: BreakdownCell, trial: number, rule: string) => `${written.peek()} ${cellKey(at)} ${trial} ${rule}`;

function answered({ settings: asked, cell: at, trial }: BreakdownTask, { errors, refusals }: BreakdownAnswer): void {
  if (asked !== settings.peek()) return;
  const own = results.get(cellKey(at)) ?? { cell: at, errors: new Map<string, Map<number, number>>() };
  results.set(cellKey(at), own);
  for (const [rule, error] of Object.entries(errors)) {
    const list = own.errors.get(rule) ?? new Map<number, number>();
    own.errors.set(rule, list.set(trial, error));
  }
  for (const [rule, reason] of Object.entries(refusals)) {
    refused.add(rule);
    notify({ kind: "error", text: `The rule ${rule} cannot take part in the breakdown lab. ${reason}` });
  }
  tell();
}

let pending = 0;

function tell(): void {
  if (pending !== 0) return;
  pending = window.setTimeout(show, 300);
}

function show(): void {
  clearTimeout(pending);
  pending = 0;
  seen.value = new Map(results);
}

/** Moves a slider to the position of a list. */
export const moveShare = (position: number) => change({ share: fractions[position]! });
export const moveStrength = (position: number) => change({ strength: strengths[page.peek().kind][position]! });
