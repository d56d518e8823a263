import { codedError, openDevice, type Device, type DeviceName } from "@robgrad/tensor";
import type { ListedVariant, TrialResult } from "../../study/study-result.js";
import type { StudySettings } from "../../study/settings.js";
import { Trials } from "../../study/trials.js";
import { variantsOf } from "../../study/variants.js";
import type { BreakdownTask } from "../breakdown-cell.js";
import type { RunSettings } from "../run-settings.js";
import { BreakdownTrials, type BreakdownAnswer } from "./breakdown-trials.js";
import { competitorOf } from "./competitors.js";
import { checkFormula, type FormulaCheck } from "./formula-check.js";
import { Inspection, type Look, type LookQuestion, type RuleInfluence, type StepQuestion } from "./inspection.js";
import type { OwnData, Ranking, RankingChoice } from "./own-data/own-data.js";
import type { BadCells, ColumnChoice } from "./own-data/own-samples.js";
import type { ReadProgress, TableSummary } from "./own-data/text-table.js";
import { LiveRun, type CompetitorFrame, type Scene } from "./live-run.js";

/** What a watched trial begins with. */
export interface Opening {
  readonly scene: Scene;
  readonly competitors: readonly ListedVariant[];
  /** Why a competitor of the settings does not take part, by its text. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** What the page asks of a worker. One worker serves one device. */
export class Engine {
  #device: Device | null = null;
  #live: LiveRun | null = null;
  #inspection: Inspection | null = null;
  #breakdown: BreakdownTrials | null = null;
  #ownData: OwnData | null = null;
  #trials: { readonly key: string; readonly trials: Trials } | null = null;

  /**
   * Opens the device; earlier runs end.
   *
   * @throws  Rejects with DEVICE_UNAVAILABLE.
   */
  async open(name: DeviceName): Promise<void> {
    this.close();
    this.#device = await openDevice(name);
  }

  /** Begins to watch a trial. A rule that cannot be made is left out, and said. */
  async begin(settings: RunSettings): Promise<Opening> {
    const variants = [];
    const refusals: Record<string, string> = {};
    for (const text of settings.competitors) {
      try {
        variants.push(await competitorOf(text, settings));
      } catch (error) {
        refusals[text] = (error as Error).message;
      }
    }
    this.#inspection?.dispose();
    this.#live?.dispose();
    this.#live = this.#inspection = null;
    this.#live = new LiveRun(this.#opened(), settings, variants);
    return {
      scene: this.#live.scene,
      competitors: variants.map(({ name, label, meaning }) => ({ name, label, meaning })),
      refusals,
    };
  }

  /** A competitor at an iteration, trained so far if it was not. */
  async frame(name: string, iteration: number): Promise<CompetitorFrame> {
    return this.#watched().frame(name, iteration);
  }

  /** Microseconds of a step of a competitor; null when its training fails. */
  async timing(name: string): Promise<number | null> {
    return this.#watched().timing(name);
  }

  /** Gradient norms of all rows at a step, and weights and answers of rules. */
  async look(question: LookQuestion): Promise<Look | null> {
    return this.#inspected().look(question);
  }

  /** What a rule's answer at a step owes to every row. */
  async influence(rule: string, step: StepQuestion): Promise<RuleInfluence | null> {
    return this.#inspected().influence(rule, step);
  }

  /** One trial of the study, as the command line runs it. */
  async trial(settings: StudySettings, trial: number): Promise<TrialResult> {
    const key = JSON.stringify(settings);
    if (this.#trials?.key !== key) {
      this.#trials?.trials.dispose();
      this.#trials = { key, trials: new Trials(this.#opened(), settings, variantsOf(settings, null)) };
    }
    return this.#trials.trials.run(trial);
  }

  /** What a formula is, written as `readCompetitor` reads it. */
  async formula(text: string): Promise<FormulaCheck> {
    return checkFormula(this.#opened(), text);
  }

  /** One trial of the breakdown lab. */
  async breakdown(task: BreakdownTask): Promise<BreakdownAnswer> {
    return (this.#breakdown ??= new BreakdownTrials(this.#opened())).run(task);
  }

  /**
   * Reads a person's table, or the example for null.
   *
   * @param header  Whether its first row holds names; null to look.
   * @throws        Rejects with BAD_DATA for what is no table.
   */
  async openTable(source: Blob | null, header: boolean | null, progress: ReadProgress): Promise<TableSummary> {
    const { OwnData } = await import("./own-data/own-data.js");
    this.#ownData = null;
    this.#ownData = await OwnData.open(source, header, progress);
    return this.#ownData.summary;
  }

  /** Cells of the table that cannot be learnt from. */
  async badCells(choice: ColumnChoice): Promise<BadCells> {
    return this.#table().badCells(choice);
  }

  /** Ranks the table's rows by how much robust rules distrust them. */
  async rank(choice: RankingChoice, progress: (share: number) => void): Promise<Ranking> {
    return this.#table().rank(this.#opened(), choice, progress);
  }

  /** The whole ranked list as comma-separated text. */
  async rankedList(): Promise<Blob> {
    return this.#table().exported();
  }

  /** Ends all runs and the device. */
  close(): void {
    this.#inspection?.dispose();
    this.#live?.dispose();
    this.#breakdown?.dispose();
    this.#trials?.trials.dispose();
    this.#device?.dispose();
    this.#live = this.#inspection = this.#breakdown = this.#trials = this.#ownData = this.#device = null;
  }

  #opened(): Device {
    if (this.#device === null) throw new Error("engine: expected open(device) first");
    return this.#device;
  }

  #table(): OwnData {
    // Another worker had read it.
    if (this.#ownData === null) throw codedError("WORKER_LOST", "worker: expected a table that was read, found none");
    return this.#ownData;
  }

  #watched(): LiveRun {
    if (this.#live === null) throw new Error("engine: expected begin(settings) first");
    return this.#live;
  }

  #inspected(): Inspection {
    return (this.#inspection ??= new Inspection(this.#watched()));
  }
}
