import { cpus, loadavg } from "node:os";
import { markdownTable } from "markdown-table";
import stringWidth from "string-width";
import type { Comparison, Outcome, Schedule } from "./harness.js";
import { median, pairedRatio } from "./statistics.js";
import type { Work } from "./work.js";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly engine: string;
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  system: `${process.platform} ${process.arch}`,
  engine: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
});

/** Mean number of busy processes in the last minute. */
export const load = (): number => loadavg()[0] as number;

export interface Entry {
  readonly contender: string;
  readonly kind: Outcome["kind"];
  readonly reason?: string;
  /** Milliseconds a call. */
  readonly best?: number;
  readonly median?: number;
  readonly rounds?: readonly number[];
  /** How many times as long as ours: median of paired rounds. */
  readonly ratio?: number;
  /** Of products, at the median and at best. */
  readonly gflops?: number;
  readonly bestGflops?: number;
  readonly distance?: number;
  readonly peakBytes?: number | null;
  readonly residentBytes?: number;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly notes: Readonly<Record<string, number>>;
  readonly entries: readonly Entry[];
}

/** @param base  The contender that ratios refer to. */
export function sectionOf({ work, outcomes, notes }: Comparison, base: string | undefined): Section {
  const own = outcomes.find(({ contender }) => contender === base);
  const entries = outcomes.map((outcome): Entry => {
    if (outcome.kind !== "timed") return outcome;
    const { contender, kind, rounds, distance, memory } = outcome;
    const middle = median(rounds);
    const best = Math.min(...rounds);
    const flops = flopsOf(work);
    return {
      contender,
      kind,
      best,
      median: middle,
      ...(own?.kind === "timed" ? { ratio: pairedRatio(rounds, own.rounds) } : {}),
      ...(flops === null ? {} : { gflops: flops / middle / 1e6, bestGflops: flops / best / 1e6 }),
      rounds,
      distance,
      ...memory,
    };
  });
  return { id: work.id, title: work.title, notes, entries };
}

const flopsOf = (work: Work): number | null =>
  work.kind === "product" ? 2 * work.rows * work.inner * work.columns : null;

export const digits = (value: number): string =>
  value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${digits(milliseconds * 1000)} µs`;
  return milliseconds < 1000 ? `${digits(milliseconds)} ms` : `${digits(milliseconds / 1000)} s`;
}

const megabytes = (bytes: number | null | undefined): string =>
  bytes === null || bytes === undefined ? "" : digits(bytes / 1e6);

const header = ["work", "", "best", "median", "× ours", "GFLOP/s", "MB held", "MB process"];

/** The table in Markdown, and below it why there are gaps. */
export function tableOf(sections: readonly Section[]): string {
  const reasons: string[] = [];
  const rows = sections.flatMap(({ id, entries }) =>
    entries.map((entry, k) => {
      const name = k === 0 ? id : "";
      if (entry.kind !== "timed") {
        reasons.push(`${id}, ${entry.contender} ${entry.kind === "unable" ? "–" : entry.kind}: ${entry.reason ?? ""}`);
        return [name, entry.contender, "–", "–", "–", "", "", ""];
      }
      return [
        name,
        entry.contender,
        duration(entry.best as number),
        duration(entry.median as number),
        entry.ratio === undefined ? "–" : digits(entry.ratio),
        entry.gflops === undefined ? "" : digits(entry.gflops),
        megabytes(entry.peakBytes),
        megabytes(entry.residentBytes),
      ];
    }),
  );
  const table = markdownTable([header, ...rows], {
    align: ["l", "l", "r", "r", "r", "r", "r", "r"],
    stringLength: stringWidth,
  });
  const notes = sections.flatMap(({ id, notes }) =>
    Object.entries(notes).map(([name, value]) => `${id}: ${name} ${digits(100 * value)} %`),
  );
  return [table, ...[...notes, ...reasons].map((line) => `- ${line}`)].join("\n");
}

/** One line about where and how, for the foot of a table. */
export function placeOf(place: Machine, schedule: Schedule, versions: Readonly<Record<string, string>>): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const { cpu, cores, system, engine } = place;
  const threads = schedule.threads === 1 ? "one thread" : `${schedule.threads} threads`;
  return `${cpu}, ${cores} cores, ${system}; ${engine}; ${threads}; ${packages.join(", ")}`;
}
