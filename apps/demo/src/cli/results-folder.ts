import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { formatStudy } from "../study/format-study.js";
import { inOrder } from "../study/in-order.js";
import type { StudyResult, TrialResult } from "../study/study-result.js";
import { Failure, fileFailure, firstLine, usageFailure } from "./failure.js";

const studyFile = "study.json";
const trialsFolder = "trials";

/**
 * The folder of one study. While it runs, every finished trial has its own file in `trials/`; when it ends they are
 * gathered in study.json. Every file is written under another name and renamed, so whatever ends the program leaves
 * files that can be read.
 */
export class ResultsFolder {
  private constructor(readonly path: string) {}

  /** Makes the folder and writes the study without trials: what cannot be written is found before training. */
  static async begin(path: string, study: StudyResult): Promise<ResultsFolder> {
    const folder = new ResultsFolder(path);
    try {
      await makeFolder(join(path, trialsFolder));
    } catch (error) {
      throw fileFailure(`--out ${path}: cannot make the folder`, error);
    }
    if ((await readdir(path)).includes(studyFile)) {
      throw usageFailure(
        `--out ${path}: expected a folder without a study, found ${studyFile}; continue it with --resume`,
      );
    }
    await folder.write(studyFile, JSON.stringify(study, null, 1));
    return folder;
  }

  /** Reads a study with all trials that are finished. */
  static async open(path: string): Promise<{ folder: ResultsFolder; study: StudyResult }> {
    const study = checkStudy(join(path, studyFile), await readJson(join(path, studyFile)));
    const trials = new Map(study.trials.map((trial) => [trial.trial, trial]));
    const files = (await readdir(join(path, trialsFolder)).catch(() => [])).filter((name) => /^\d+\.json$/.test(name));
    for (const name of files) {
      const result = (await readJson(join(path, trialsFolder, name))) as TrialResult;
      trials.set(result.trial, result);
    }
    return { folder: new ResultsFolder(path), study: { ...study, trials: inOrder(trials.values()) } };
  }

  async keepTrial(result: TrialResult): Promise<void> {
    await makeFolder(join(this.path, trialsFolder));
    await this.write(join(trialsFolder, `${String(result.trial).padStart(4, "0")}.json`), JSON.stringify(result));
  }

  /** Writes the study with its trials and what was drawn from it. */
  async finish(study: StudyResult, drawn: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    await this.write(studyFile, formatStudy(study));
    for (const [name, content] of Object.entries(drawn)) await this.write(name, content);
    await rm(join(this.path, trialsFolder), { recursive: true, force: true });
  }

  private async write(name: string, content: string | Uint8Array): Promise<void> {
    try {
      await writeFileAtomic(join(this.path, name), typeof content === "string" ? content : Buffer.from(content));
    } catch (error) {
      throw fileFailure(`cannot write ${join(this.path, name)}`, error);
    }
  }
}

/** Makes a folder and those above it, one by one: Node's own recursion never ends where a file system refuses, as /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (existsSync(path) && statSync(path).isDirectory()) return;
    const above = dirname(path);
    if (existsSync(above)) throw error;
    await makeFolder(above);
    await makeFolder(path);
  }
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw fileFailure(`--resume: cannot read ${file}`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure("BAD_DATA", `--resume: ${file} is not JSON: ${firstLine(error)}`);
  }
}

function checkStudy(file: string, value: unknown): StudyResult {
  const study = value as Partial<StudyResult> | null;
  if (
    typeof study !== "object" ||
    study?.format !== 1 ||
    !study.settings ||
    !Array.isArray(study.trials) ||
    !Array.isArray(study.iterations)
  ) {
    throw new Failure("BAD_DATA", `--resume: expected a study of format 1 in ${file}, found something else`);
  }
  return study as StudyResult;
}
