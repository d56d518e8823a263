import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { StudyResult, TrialResult } from "../src/study/study-result.js";
import { built } from "./program.js";

/** What a run of the program left behind. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder outside the workspace that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "robgrad-demo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the program in a folder, as a package manager would start it there. */
export function demo(
  folder: string,
  args: readonly string[],
  started: (child: ChildProcess) => void = () => {},
): Promise<Run> {
  const env = { ...process.env, INIT_CWD: folder, NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [join(built, "program/cli.js"), ...args], { cwd: built, env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  started(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

export const readStudy = (folder: string): StudyResult =>
  JSON.parse(readFileSync(join(folder, "study.json"), "utf8")) as StudyResult;

/** Trials without what a clock measured. */
export function numbers(trials: readonly TrialResult[]): unknown {
  return trials.map(({ variants, ...trial }) => ({
    ...trial,
    variants: Object.fromEntries(
      Object.entries(variants).map(([name, { microsecondsPerStep: _measured, ...curves }]) => [name, curves]),
    ),
  }));
}

/** Resolves when a study has kept this many trials. */
export async function trialsKept(folder: string, count: number): Promise<void> {
  const trials = join(folder, "trials");
  const kept = () => (existsSync(trials) ? readdirSync(trials).filter((name) => /^\d+\.json$/.test(name)).length : 0);
  while (kept() < count) await new Promise((resolve) => setTimeout(resolve, 5));
}
