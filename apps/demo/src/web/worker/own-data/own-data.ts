import type { Device } from "@robgrad/tensor";
import Papa from "papaparse";
import { distrust, distrustRules, type DistrustRule } from "./distrust.js";
import { badCells, ownSamples, type BadCells, type ColumnChoice } from "./own-samples.js";
import { plantedExample } from "./planted-example.js";
import { ranked, rankedPlane, type RankedPoint, type RankedRow } from "./ranking.js";
import { readTextTable, type ReadProgress, type TableSummary, type TextTable } from "./text-table.js";

/** Rows that are listed, and drawn, on the page; the file that is exported holds all. */
const [mostListed, mostDrawn] = [200, 2000];

/** What is to be ranked, and how. */
export interface RankingChoice extends ColumnChoice {
  /** Units of a hidden layer; 0 for a linear model. */
  readonly hidden: number;
}

/** Which rows are distrusted. */
export interface Ranking {
  /** Rows that were ranked. */
  readonly rows: number;
  /** The most distrusted ones. */
  readonly first: readonly RankedRow[];
  /** The most distrusted ones, and some of the others. */
  readonly points: readonly RankedPoint[];
  readonly classNames: readonly string[];
  readonly featureNames: readonly string[];
  /** Columns that were left out because they are the same in every row. */
  readonly constant: readonly string[];
  /** Planted labels, and how many of as many first rows are of them, by the robust rules and by the mean; null where none are known. */
  readonly planted: { readonly count: number; readonly found: number; readonly foundByMean: number } | null;
  readonly seconds: number;
}

/** A person's file: read, and its rows ranked. */
export class OwnData {
  readonly #table: TextTable;
  readonly #planted: ReadonlySet<number> | null;
  #list: readonly RankedRow[] = [];

  private constructor(table: TextTable, planted: ReadonlySet<number> | null) {
    this.#table = table;
    this.#planted = planted;
  }

  /**
   * @param source  A file, or null for the example.
   * @throws        Rejects as `readTextTable` does.
   */
  static async open(source: Blob | null, header: boolean | null, progress: ReadProgress): Promise<OwnData> {
    const { file, planted } = source === null ? plantedExample() : { file: source, planted: null };
    return new OwnData(await readTextTable(file, header, progress), planted);
  }

  get summary(): TableSummary {
    return this.#table.summary;
  }

  badCells(choice: ColumnChoice): BadCells {
    return badCells(this.#table, choice);
  }

  /** @throws  Rejects as `ownSamples` and `distrust` do. */
  async rank(device: Device, choice: RankingChoice, progress: (share: number) => void): Promise<Ranking> {
    const start = performance.now();
    const samples = ownSamples(this.#table, choice);
    const { x, labels, classNames, constant, rows } = samples;
    const views = await distrust(device, x, labels, { hidden: choice.hidden, classes: classNames.length, progress });
    const { order, list } = ranked(samples, views, this.#planted);
    this.#list = list;
    const points = rankedPlane(samples, order);
    const every = Math.ceil(points.length / mostDrawn);
    return {
      rows: rows.length,
      first: list.slice(0, mostListed),
      points: points.filter(({ rank }) => rank < mostListed || rank % every === 0),
      classNames,
      featureNames: choice.features.map((column) => this.summary.columns[column]!.name),
      constant,
      planted: this.#planted === null ? null : foundAmong(list),
      seconds: (performance.now() - start) / 1000,
    };
  }

  /** All rows as they are in the file, the most distrusted first, with what was found. */
  exported(): Blob {
    const names = Object.keys(distrustRules) as DistrustRule[];
    const found = ["rank", "row", "distrust", "says", "weight", "gradient norm"];
    const header = [...found, ...names.map((name) => `loss: ${distrustRules[name].label}`)];
    const lines = this.#list.map(({ row, distrust: score, says, weight, norm, losses, cells }, rank) => [
      ...[rank + 1, row, score, says, weight, norm, ...names.map((name) => losses[name])],
      ...cells,
    ]);
    const columns = this.summary.columns.map(({ name }) => name);
    return new Blob([`${Papa.unparse([[...header, ...columns], ...lines], { newline: "\n" })}\n`], {
      type: "text/csv",
    });
  }
}

function foundAmong(list: readonly RankedRow[]): NonNullable<Ranking["planted"]> {
  const count = list.filter(({ planted }) => planted).length;
  const found = (by: readonly RankedRow[]) => by.slice(0, count).filter(({ planted }) => planted).length;
  return { count, found: found(list), foundByMean: found([...list].sort((a, b) => b.losses.mean - a.losses.mean)) };
}
