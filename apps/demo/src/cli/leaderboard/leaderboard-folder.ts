import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import type { LeaderboardResult, Score } from "../../leaderboard/leaderboard-result.js";
import { Failure, fileFailure, usageFailure } from "../failure.js";

const resultFile = "leaderboard.json";
const unfinishedFile = "scores.jsonl";

/** The folder of one leaderboard. While it runs, every finished score is a line of scores.jsonl. */
export class LeaderboardFolder {
  private constructor(readonly path: string) {}

  static async begin(path: string, blank: LeaderboardResult): Promise<LeaderboardFolder> {
    if (existsSync(join(path, resultFile))) {
      throw usageFailure(`--out ${path}: expected a folder without a leaderboard, found ${resultFile}; use --resume`);
    }
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw fileFailure(`--out ${path}: cannot make the folder`, error);
    }
    const folder = new LeaderboardFolder(path);
    await folder.#write(resultFile, format(blank));
    return folder;
  }

  /** A leaderboard with all scores that are finished; a line that was not written to its end is none. */
  static async open(path: string): Promise<{ folder: LeaderboardFolder; result: LeaderboardResult }> {
    let text: string;
    try {
      text = await readFile(join(path, resultFile), "utf8");
    } catch (error) {
      throw fileFailure(`--resume: cannot read ${join(path, resultFile)}`, error);
    }
    const result = parsed(text) as Partial<LeaderboardResult> | null;
    if (result?.format !== 1 || result.settings === undefined || !Array.isArray(result.scores)) {
      throw new Failure("BAD_DATA", `--resume: expected a leaderboard of format 1 in ${join(path, resultFile)}`);
    }
    const lines = await readFile(join(path, unfinishedFile), "utf8").catch(() => "");
    const kept = lines.split("\n").flatMap((line) => (parsed(line) as Score | null) ?? []);
    const whole = result as LeaderboardResult;
    return { folder: new LeaderboardFolder(path), result: { ...whole, scores: [...whole.scores, ...kept] } };
  }

  async keep(score: Score): Promise<void> {
    await appendFile(join(this.path, unfinishedFile), `${JSON.stringify(score)}\n`).catch((error: unknown) => {
      throw fileFailure(`cannot write ${join(this.path, unfinishedFile)}`, error);
    });
  }

  async finish(result: LeaderboardResult, drawn: Readonly<Record<string, string>>): Promise<void> {
    await this.#write(resultFile, format(result));
    for (const [name, content] of Object.entries(drawn)) await this.#write(name, content);
    await rm(join(this.path, unfinishedFile), { force: true });
  }

  async #write(name: string, content: string): Promise<void> {
    try {
      await writeFileAtomic(join(this.path, name), content);
    } catch (error) {
      throw fileFailure(`cannot write ${join(this.path, name)}`, error);
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** JSON with one line a score. */
function format({ scores, ...head }: LeaderboardResult): string {
  const lines = scores.map((score) => `  ${JSON.stringify(score)}`).join(",\n");
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "scores": [\n${lines}\n ]\n}\n`;
}
